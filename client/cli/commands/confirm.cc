#include "client/cli/commands/confirm.h"

#include <unistd.h>

#include <iostream>

#include "client/cli/errors.h"
#include "client/cli/output/terminal.h"

namespace millrace::cli {

absl::Status Confirm(const std::string& question, bool yes, const std::string& otherwise) {
  if (yes) return absl::OkStatus();
  if (!IsTerminal(STDIN_FILENO)) {
    return UsageError("nobody is there to confirm it; say --yes");
  }
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return absl::OkStatus();
  return absl::AbortedError(otherwise);
}

}  // namespace millrace::cli
