// Asking before something is gone for good.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace millrace::cli {

// Asks on the terminal, unless `yes`. A usage error (errors.h) where nobody is there to answer;
// ABORTED with `otherwise` where the answer is no.
absl::Status Confirm(const std::string& question, bool yes, const std::string& otherwise);

}  // namespace millrace::cli
