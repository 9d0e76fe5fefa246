#include "client/cli/commands/command.h"

#include <charconv>
#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "client/cli/parse/quantity.h"

namespace millrace::cli {
namespace {

constexpr char kGlobalGroup[] = "Global options";

absl::StatusOr<OutputFormat> ParseOutputFormat(std::string_view text) {
  if (text == "text") return OutputFormat::kText;
  if (text == "json") return OutputFormat::kJson;
  return absl::InvalidArgumentError("\"" + std::string(text) +
                                    "\" is no output format; there are text and json");
}

absl::StatusOr<int64_t> ParseInteger(std::string_view text, int64_t min, int64_t max) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < min || number > max) {
    return absl::InvalidArgumentError("\"" + std::string(text) + "\" is no whole number from " +
                                      std::to_string(min) + " on");
  }
  return number;
}

}  // namespace

CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& examples, Session& session) {
  CLI::App* command = parent.add_subcommand(name, description)->group("Commands");
  command->footer("Examples:\n" + examples);
  AddGlobalOptions(*command, session);
  return command;
}

CLI::App* AddCommandGroup(CLI::App& parent, const std::string& name, const std::string& description,
                          Session& session) {
  CLI::App* group = parent.add_subcommand(name, description)->group("Commands");
  group->require_subcommand(1);
  group->footer("");
  AddGlobalOptions(*group, session);
  return group;
}

void AddGlobalOptions(CLI::App& app, Session& session) {
  app.add_option("--target", session.options().target,
                 "The hub [default: $MILLRACE_TARGET, or else localhost:9640]")
      ->type_name("HOST:PORT")
      ->group(kGlobalGroup);
  app.add_flag("--tls", session.options().tls, "Speak TLS")->group(kGlobalGroup);
  const auto file = [&](const char* flag, std::string& target, const char* description) {
    app.add_option(flag, target, description)->type_name("FILE")->group(kGlobalGroup);
  };
  file("--tls-ca", session.options().tls_ca,
       "The same, with a hub that these certificates vouch for (PEM)");
  file("--client-cert", session.options().client_cert,
       "The same, and show this certificate, where the hub asks for one (PEM)");
  file("--client-key", session.options().client_key, "Its private key (PEM)");
  file("--token-file", session.options().token_file,
       "Say who you are with the token that this file holds");
  app.add_flag("--token-in-clear", session.options().token_in_clear,
               "Without TLS, to another machine too, where whoever is on the way can read it")
      ->group(kGlobalGroup);
  AddParsed(app, "-o,--output", session.options().format, ParseOutputFormat, "text|json",
            "How to print: for people, or one JSON object a line [default: text]")
      ->group(kGlobalGroup);
  AddParsed(app, "--timeout", session.options().timeout, ParseDuration, "DURATION",
            "How long to wait for an answer of the hub [default: 10s]")
      ->group(kGlobalGroup);
}

absl::StatusOr<int64_t> ParseCount(std::string_view text) {
  return ParseInteger(text, 0, std::numeric_limits<int64_t>::max());
}

absl::StatusOr<int32_t> ParsePositiveCount(std::string_view text) {
  return ParseInteger(text, 1, std::numeric_limits<int32_t>::max());
}

absl::StatusOr<int32_t> ParsePartition(std::string_view text) {
  return ParseInteger(text, 0, std::numeric_limits<int32_t>::max());
}

absl::StatusOr<client::Durability> ParseDurability(std::string_view text) {
  if (text == "buffered") return client::Durability::kBuffered;
  if (text == "synced") return client::Durability::kSynced;
  return absl::InvalidArgumentError("\"" + std::string(text) +
                                    "\" is no durability; there are buffered (survives a kill of "
                                    "the hub) and synced (survives a power cut)");
}

}  // namespace millrace::cli
