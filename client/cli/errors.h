// How the command ends: exit codes, and the one line that says what went wrong.
//
// Commands answer absl::Status; only main turns one into a line and an exit code.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace millrace::cli {

// Documented in --help and README.md; scripts rely on them.
enum class ExitCode {
  kOk = 0,
  kFailed = 1,       // The hub refused, or something here went wrong.
  kUsage = 2,        // The command line makes no sense; nothing was sent.
  kNotFound = 3,     // There is no such topic.
  kUnavailable = 4,  // The hub cannot be reached, is stopping, or did not answer in time.
};

// The command line is at fault, in a way that only the command itself can see.
absl::Status UsageError(std::string_view message);

// The same error with `context` before its message; code, reason and facts stay.
absl::Status WithContext(std::string_view context, const absl::Status& status);

ExitCode ExitCodeOf(const absl::Status& status);

// "millrace: REASON: what happened; what to do", on one line and without a line break at its end.
// `target` is the hub that was spoken to.
std::string ErrorLine(const absl::Status& status, std::string_view target);

}  // namespace millrace::cli
