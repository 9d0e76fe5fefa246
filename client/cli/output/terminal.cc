#include "client/cli/output/terminal.h"

#include <unistd.h>

namespace millrace::cli {

bool IsTerminal(int fd) { return ::isatty(fd) == 1; }

bool WantsColour(bool is_terminal, const Environment& environment) {
  if (!is_terminal) return false;
  const char* no_color = environment("NO_COLOR");
  const char* term = environment("TERM");
  return (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

std::string Bold(std::string_view text, bool colour) {
  return colour ? "\x1b[1m" + std::string(text) + "\x1b[0m" : std::string(text);
}

}  // namespace millrace::cli
