// millrace topic create | list | describe | alter | delete | truncate.
#pragma once

#include "client/cli/commands/command.h"

namespace millrace::cli {

void AddTopicCommands(CLI::App& root, Chosen& chosen, Session& session);

}  // namespace millrace::cli
