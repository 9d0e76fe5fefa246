#include "server/access/principal.h"

#include <algorithm>

namespace millrace::server {

bool IsPrincipalName(std::string_view name) {
  const auto is_control = [](unsigned char letter) { return letter < 0x20 || letter == 0x7f; };
  return !name.empty() && name.size() <= kMaxPrincipalBytes && name != kAnonymous &&
         std::none_of(name.begin(), name.end(), is_control);
}

}  // namespace millrace::server
