// Tells text from other bytes.
#pragma once

#include <string_view>

namespace millrace::cli {

// Whether the bytes are well-formed UTF-8: no overlong forms, no surrogates, nothing above
// U+10FFFF.
bool IsUtf8(std::string_view bytes);

}  // namespace millrace::cli
