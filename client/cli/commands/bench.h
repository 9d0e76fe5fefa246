// millrace bench produce | consume | latency.
#pragma once

#include "client/cli/commands/command.h"

namespace millrace::cli {

void AddBenchCommands(CLI::App& root, Chosen& chosen, Session& session);

}  // namespace millrace::cli
