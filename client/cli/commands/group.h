// millrace group: looking at consumer groups, resetting and deleting them.
#pragma once

#include "client/cli/commands/command.h"

namespace millrace::cli {

void AddGroupCommands(CLI::App& root, Chosen& chosen, Session& session);

}  // namespace millrace::cli
