#include "client/cli/output/help_format.h"

#include <sstream>

namespace millrace::cli {
namespace {

constexpr size_t kNameColumns = 34;
constexpr size_t kTextColumns = 66;

// `left` in its column, and `text` beside and below it.
std::string Row(const std::string& left, const std::string& text) {
  const std::string indent(kNameColumns, ' ');
  std::string out = "  " + left;
  out += out.size() < kNameColumns ? std::string(kNameColumns - out.size(), ' ') : "\n" + indent;
  size_t column = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (column > 0 && column + 1 + word.size() > kTextColumns) {
      out += "\n" + indent;
      column = 0;
    }
    out += (column > 0 ? " " : "") + word;
    column += word.size() + (column > 0 ? 1 : 0);
  }
  return out + "\n";
}

}  // namespace

HelpFormat::HelpFormat() {
  column_width(kNameColumns);
  label("SUBCOMMAND", "COMMAND");
  label("Positionals", "Arguments");
}

std::string HelpFormat::make_help(const CLI::App* app, std::string name,
                                  CLI::AppFormatMode mode) const {
  std::string help = CLI::Formatter::make_help(app, std::move(name), mode);
  for (size_t at; (at = help.find("\n\n\n")) != std::string::npos;) help.erase(at, 1);
  while (help.ends_with("\n\n")) help.pop_back();
  return help;
}

std::string HelpFormat::make_option(const CLI::Option* option, bool is_positional) const {
  return Row(make_option_name(option, is_positional) + make_option_opts(option),
             make_option_desc(option));
}

std::string HelpFormat::make_option_opts(const CLI::Option* option) const {
  return option->get_type_name().empty() ? "" : " " + option->get_type_name();
}

}  // namespace millrace::cli
