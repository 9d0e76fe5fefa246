// Names that clients give to topics, groups and producers.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace millrace::hub {

// OK for `[a-zA-Z0-9._-]{1,249}` other than "." and ".."; else INVALID_NAME, naming `what`
// ("topic").
absl::Status ValidateName(std::string_view what, std::string_view name);

}  // namespace millrace::hub
