// Names that clients give to topics, groups and producers.
#pragma once

#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace millrace::hub {

// OK for what storage::IsName accepts; else INVALID_NAME, naming `what` ("topic").
absl::Status ValidateName(std::string_view what, std::string_view name);

// Which names a list shows.
using NameFilter = absl::FunctionRef<bool(std::string_view name)>;
inline bool EveryName(std::string_view /*name*/) { return true; }

}  // namespace millrace::hub
