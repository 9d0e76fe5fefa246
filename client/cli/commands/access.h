// millrace access check, token.
#pragma once

#include "client/cli/commands/command.h"

namespace millrace::cli {

void AddAccessCommands(CLI::App& root, Chosen& chosen, Session& session);

}  // namespace millrace::cli
