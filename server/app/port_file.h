// Tells whoever started the hub on port 0 which port it got.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace millrace::server {

// Writes the port as decimal digits and a line feed. Whoever sees the file sees it whole.
absl::Status WritePortFile(const std::string& path, int port);

}  // namespace millrace::server
