// How --help looks.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace millrace::cli {

// CLI11's layout with what an option takes beside its name, and descriptions wrapped at 100
// columns.
class HelpFormat : public CLI::Formatter {
 public:
  HelpFormat();

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
};

}  // namespace millrace::cli
