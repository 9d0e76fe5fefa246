#include "client/cli/parse/escape.h"

#include <charconv>
#include <cstdint>

#include "absl/status/status.h"

namespace millrace::cli {
namespace {

absl::Status BadEscape(std::string_view text, std::string_view escape) {
  return absl::InvalidArgumentError("\"" + std::string(escape) + "\" in \"" + std::string(text) +
                                    "\" is no escape; there are \\n \\r \\t \\0 \\\\ and \\xNN");
}

}  // namespace

absl::StatusOr<std::string> Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const size_t start = i++;
    switch (i < text.size() ? text[i] : '\0') {
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case '0':
        out += '\0';
        break;
      case '\\':
        out += '\\';
        break;
      case 'x': {
        uint8_t byte = 0;
        const std::string_view digits = text.substr(i + 1, 2);
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2) {
          return BadEscape(text, text.substr(start, 4));
        }
        out += static_cast<char>(byte);
        i += 2;
        break;
      }
      default:
        return BadEscape(text, text.substr(start, 2));
    }
  }
  return out;
}

}  // namespace millrace::cli
