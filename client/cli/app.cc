#include "client/cli/app.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include "client/cli/commands/bench.h"
#include "client/cli/commands/command.h"
#include "client/cli/commands/consume.h"
#include "client/cli/commands/hub.h"
#include "client/cli/commands/offsets.h"
#include "client/cli/commands/produce.h"
#include "client/cli/commands/topic.h"
#include "client/cli/errors.h"
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
    "  MILLRACE_TARGET   the hub, where --target does not say it\n"
    "  NO_COLOR          no colours on a terminal\n"
    "\n"
    "Exit codes:\n"
    "  0  done\n"
    "  1  the hub refused it, or something failed here\n"
    "  2  the command line makes no sense; nothing was sent\n"
    "  3  there is no such topic\n"
    "  4  the hub cannot be reached, is stopping, or did not answer in time\n";

class HelpFormat : public CLI::Formatter {
 public:
  HelpFormat() {
    column_width(36);
    label("OPTIONS", "OPTIONS");
    label("SUBCOMMAND", "COMMAND");
  }

  // Says what an option takes, and leaves out what its description says.
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string out = option->get_type_name().empty() ? "" : " " + option->get_type_name();
    return option->get_positional() && option->get_required() ? out + " (required)" : out;
  }
};

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
  AddOffsetsCommand(app, chosen, session);
  AddHubCommands(app, chosen, session);
  AddBenchCommands(app, chosen, session);
}

// "millrace topic create", as far as the command line got.
std::string CommandName(const CLI::App& app) {
  std::string name = app.get_name();
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  return name;
}

int TellParseError(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help or --version.
  std::cerr << "millrace: " << error.what() << "; see \"" << CommandName(app) << " --help\"\n";
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
    return Finish(session, chosen.body(session));
  } catch (const std::exception& error) {
    std::cerr << "millrace: " << error.what() << "\n";
    return static_cast<int>(ExitCode::kFailed);
  }
}

}  // namespace millrace::cli
