#include "client/cli/app.h"

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/commands/access.h"
#include "client/cli/commands/bench.h"
#include "client/cli/commands/command.h"
#include "client/cli/commands/consume.h"
#include "client/cli/commands/group.h"
#include "client/cli/commands/hub.h"
#include "client/cli/commands/offsets.h"
#include "client/cli/commands/produce.h"
#include "client/cli/commands/topic.h"
#include "client/cli/errors.h"
#include "client/cli/output/help_format.h"
#include "client/cli/session.h"

namespace millrace::cli {
namespace {

constexpr char kFooter[] =
    "Examples:\n"
    "  millrace topic create test-topic --partitions 3\n"
    "  millrace produce test-topic                     one record a line, as you type\n"
    "  millrace consume test-topic --from-beginning\n"
    "  millrace COMMAND --help                         everything about one command\n"
    "\n"
    "Environment:\n"
    "  MILLRACE_TARGET       the hub, where --target does not say it\n"
    "  MILLRACE_TLS=1        as --tls\n"
    "  MILLRACE_TLS_CA, MILLRACE_CLIENT_CERT, MILLRACE_CLIENT_KEY\n"
    "                        as --tls-ca, --client-cert, --client-key\n"
    "  MILLRACE_TOKEN_FILE   as --token-file\n"
    "  MILLRACE_TOKEN_IN_CLEAR=1\n"
    "                        as --token-in-clear\n"
    "  NO_COLOR              no colours on a terminal\n"
    "\n"
    "Exit codes:\n"
    "  0  done\n"
    "  1  the hub refused it, or something failed here\n"
    "  2  the command line makes no sense; nothing was sent\n"
    "  3  there is no such topic or group\n"
    "  4  the hub cannot be reached, is stopping, or did not answer in time\n";

void Assemble(CLI::App& app, Chosen& chosen, Session& session) {
  app.formatter(std::make_shared<HelpFormat>());
  app.set_version_flag("--version", "millrace " MILLRACE_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.footer(kFooter);
  app.require_subcommand(1);
  AddGlobalOptions(app, session);
  AddTopicCommands(app, chosen, session);
  AddProduceCommand(app, chosen, session);
  AddConsumeCommand(app, chosen, session);
  AddGroupCommands(app, chosen, session);
  AddOffsetsCommand(app, chosen, session);
  AddHubCommands(app, chosen, session);
  AddAccessCommands(app, chosen, session);
  AddBenchCommands(app, chosen, session);
}

// The command that the command line got to.
const CLI::App& Reached(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

std::string FullName(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : FullName(*parent) + " " + command.get_name();
}

// What is wrong with a command line that names no command, or none that there is.
std::string NoCommand(const CLI::App& group) {
  std::string names;
  for (const CLI::App* command : group.get_subcommands([](const CLI::App*) { return true; })) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  const std::vector<std::string> unknown = group.remaining();
  if (unknown.empty()) return "a command is missing; there are " + names;
  if (unknown[0].starts_with('-')) return "there is no option " + unknown[0];
  return "there is no command \"" + unknown[0] + "\"; there are " + names;
}

std::string Problem(const CLI::App& reached, const CLI::ParseError& error) {
  const bool is_group = reached.get_require_subcommand_min() > 0;
  const bool stopped_short =
      error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) ||
      error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
  return is_group && stopped_short ? NoCommand(reached) : error.what();
}

int TellParseError(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help or --version.
  const CLI::App& reached = Reached(app);
  std::cerr << "millrace: " << Problem(reached, error) << "; see \"" << FullName(reached)
            << " --help\"\n";
  return static_cast<int>(ExitCode::kUsage);
}

int Finish(Session& session, absl::Status status) {
  const absl::Status flushed = session.out().Flush();
  if (status.ok()) status = flushed;
  if (IsBrokenPipe(status)) status = absl::OkStatus();
  if (!status.ok()) std::cerr << ErrorLine(status, session.target()) << "\n";
  return static_cast<int>(ExitCodeOf(status));
}

}  // namespace

int RunCommandLine(int argc, char** argv) {
  try {
    CLI::App app("Send events to a Millrace hub, receive them, and look after its topics.",
                 "millrace");
    Session session;
    Chosen chosen;
    Assemble(app, chosen, session);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return TellParseError(app, error);
    }
    const absl::Status ready = session.ReadCredentials();
    return Finish(session, ready.ok() ? chosen.body(session) : ready);
  } catch (const std::exception& error) {
    std::cerr << "millrace: " << error.what() << "\n";
    return static_cast<int>(ExitCode::kFailed);
  }
}

}  // namespace millrace::cli
