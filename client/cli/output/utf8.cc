#include "client/cli/output/utf8.h"

#include <cstddef>
#include <cstdint>

namespace millrace::cli {
namespace {

// The length of the sequence that begins with `lead`, and the range of its second byte, which is
// what excludes overlong forms, surrogates and what lies beyond Unicode. Length 0: no sequence
// begins so.
struct Sequence {
  size_t length;
  uint8_t second_min;
  uint8_t second_max;
};

Sequence SequenceOf(uint8_t lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xC2) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  for (size_t i = 0; i < bytes.size();) {
    const Sequence sequence = SequenceOf(byte(i));
    if (sequence.length == 0 || i + sequence.length > bytes.size()) return false;
    if (sequence.length > 1 &&
        (byte(i + 1) < sequence.second_min || byte(i + 1) > sequence.second_max)) {
      return false;
    }
    for (size_t k = 2; k < sequence.length; ++k) {
      if ((byte(i + k) & 0xC0) != 0x80) return false;
    }
    i += sequence.length;
  }
  return true;
}

}  // namespace millrace::cli
