// How a command of the command line is put together. START HERE to add one.
//
// A command group has one file with an Add… function that hangs its commands into the CLI11 tree. A
// command's options live in a struct of its own, kept alive by the tree; its body runs once the
// whole command line has been read, and answers a status.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "client/cli/session.h"

namespace millrace::cli {

using CommandBody = std::function<absl::Status(Session&)>;

// The command that the command line chose.
struct Chosen {
  CommandBody body;
};

// Adds a command without options yet. `examples` are whole command lines, one a line.
CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& examples, Session& session);

// As AddCommand, for one that has commands of its own and does nothing by itself.
CLI::App* AddCommandGroup(CLI::App& parent, const std::string& name, const std::string& description,
                          Session& session);

// --target, --output and --timeout.
void AddGlobalOptions(CLI::App& app, Session& session);

// Makes `body` what the command does. `options` live as long as the tree.
template <typename Options>
void SetBody(CLI::App& app, Chosen& chosen, std::shared_ptr<Options> options,
             absl::Status (*body)(Session&, const Options&)) {
  app.callback([&chosen, options, body] {
    chosen.body = [options, body](Session& session) { return body(session, *options); };
  });
}

// An option whose text `parse` turns into a value (absl::StatusOr<T>) for `target`. A text that it
// refuses ends the program with the parser's sentence and exit code 2.
template <typename T, typename Parser>
CLI::Option* AddParsed(CLI::App& app, const std::string& names, T& target, Parser parse,
                       const std::string& type_name, const std::string& description) {
  const auto take = [&target, parse, names](const std::string& text) {
    auto value = parse(std::string_view(text));
    if (!value.ok()) {
      const std::string name = names.substr(names.rfind(',') + 1);
      throw CLI::ValidationError(name, std::string(value.status().message()));
    }
    target = *std::move(value);
  };
  return app.add_option_function<std::string>(names, take, description)->type_name(type_name);
}

// Numbers of options, with a sentence for the person who typed them. InvalidArgument.
absl::StatusOr<int64_t> ParseCount(std::string_view text);                  // 0 and up.
absl::StatusOr<int32_t> ParsePositiveCount(std::string_view text);          // 1 and up.
absl::StatusOr<int32_t> ParsePartition(std::string_view text);              // 0 and up.
absl::StatusOr<client::Durability> ParseDurability(std::string_view text);  // buffered, synced.

}  // namespace millrace::cli
