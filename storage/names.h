// What the names of topics, groups and producers are made of.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "absl/strings/ascii.h"

namespace millrace::storage {

inline constexpr size_t kMaxNameBytes = 249;

// Whether some name begins so: `[a-zA-Z0-9._-]{0,249}`.
inline bool IsNamePrefix(std::string_view text) {
  return text.size() <= kMaxNameBytes && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' ||
                  c == '-';
         });
}

// Whether this is a name: such a prefix, but not empty, "." or "..".
inline bool IsName(std::string_view text) {
  return !text.empty() && text != "." && text != ".." && IsNamePrefix(text);
}

}  // namespace millrace::storage
