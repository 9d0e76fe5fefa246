// millrace produce.
#pragma once

#include "client/cli/commands/command.h"

namespace millrace::cli {

void AddProduceCommand(CLI::App& root, Chosen& chosen, Session& session);

}  // namespace millrace::cli
