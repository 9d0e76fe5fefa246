// millrace hub info.
#pragma once

#include "client/cli/commands/command.h"

namespace millrace::cli {

void AddHubCommands(CLI::App& root, Chosen& chosen, Session& session);

}  // namespace millrace::cli
