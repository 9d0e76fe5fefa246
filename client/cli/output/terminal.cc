#include "client/cli/output/terminal.h"

#include <unistd.h>

namespace millrace::cli {
namespace {

std::string Styled(const char* code, std::string_view text, bool colour) {
  if (!colour) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace

bool IsTerminal(int fd) { return ::isatty(fd) == 1; }

bool WantsColour(bool is_terminal, const Environment& environment) {
  if (!is_terminal) return false;
  const char* no_color = environment("NO_COLOR");
  const char* term = environment("TERM");
  return (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

std::string Bold(std::string_view text, bool colour) { return Styled("1", text, colour); }

std::string Faint(std::string_view text, bool colour) { return Styled("2", text, colour); }

}  // namespace millrace::cli
