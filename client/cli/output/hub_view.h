// What a hub says of itself, as text and as JSON (documented in client/cli/README.md).
#pragma once

#include <string>

#include "millrace/admin.h"

namespace millrace::cli {

std::string HubText(const client::HubInfo& hub, bool colour);
std::string HubJson(const client::HubInfo& hub);

}  // namespace millrace::cli
