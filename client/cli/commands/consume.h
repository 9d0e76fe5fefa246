// millrace consume.
#pragma once

#include "client/cli/commands/command.h"

namespace millrace::cli {

void AddConsumeCommand(CLI::App& root, Chosen& chosen, Session& session);

}  // namespace millrace::cli
