// What the other end of a file descriptor is.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace millrace::cli {

// Whether a person reads or types there.
bool IsTerminal(int fd);

// Reads one environment variable; null where it is not set.
using Environment = std::function<const char*(const char* name)>;

// Whether to write colours to a terminal: not where NO_COLOR has any value, nor on a dumb one.
bool WantsColour(bool is_terminal, const Environment& environment);

// `text` in bold, where `colour`.
std::string Bold(std::string_view text, bool colour);

}  // namespace millrace::cli
