// Backslash escapes of the command line, for delimiters and formats.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace millrace::cli {

// Replaces \n \r \t \0 \\ and \xNN (two hexadecimal digits) by the byte they mean; everything else
// stays. InvalidArgument, with a sentence for the person who typed it: any other escape.
absl::StatusOr<std::string> Unescape(std::string_view text);

}  // namespace millrace::cli
