// millrace offsets.
#pragma once

#include "client/cli/commands/command.h"

namespace millrace::cli {

void AddOffsetsCommand(CLI::App& root, Chosen& chosen, Session& session);

}  // namespace millrace::cli
