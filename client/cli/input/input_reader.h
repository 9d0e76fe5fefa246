// Reads files and standard input, and can be interrupted while it waits.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace millrace::cli {

using PieceSink = std::function<absl::Status(std::string_view piece)>;

// Hands the bytes of `fd` to `sink` as they come, until its end or until `interrupt_fd` is
// readable. Errors: the sink's; Unknown where the system cannot read.
absl::Status ReadAll(int fd, int interrupt_fd, const PieceSink& sink);

// As ReadAll for a file; "-" is standard input. NotFound is never answered: a file that is missing
// is FailedPrecondition.
absl::Status ReadFile(const std::string& path, int interrupt_fd, const PieceSink& sink);

}  // namespace millrace::cli
