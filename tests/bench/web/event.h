// The events of the web benches: text that is found again in a message of any form (a bare frame,
// JSON, protobuf), since nothing else in it looks like their mark. Each says its number and when it
// was due.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace millrace::bench {

struct Event {
  uint32_t number = 0;
  uint64_t due_ns = 0;  // Of the monotonic clock.
};

inline constexpr std::string_view kEventMark = "~event:";
inline constexpr size_t kNumberDigits = 8;  // Hexadecimal, as the time.
inline constexpr size_t kDueDigits = 16;
inline constexpr size_t kEventHeadBytes = kEventMark.size() + kNumberDigits + kDueDigits;

// `bytes` is at least kEventHeadBytes.
inline std::string MakeEvent(const Event& event, size_t bytes) {
  const auto put = [](uint64_t value, char* first, size_t digits) {
    for (size_t i = digits; i > 0; --i, value >>= 4) first[i - 1] = "0123456789abcdef"[value & 15];
  };
  std::string text(bytes, 'x');
  std::copy(kEventMark.begin(), kEventMark.end(), text.begin());
  char* const number = text.data() + kEventMark.size();
  put(event.number, number, kNumberDigits);
  put(event.due_ns, number + kNumberDigits, kDueDigits);
  return text;
}

// Calls `found` with each event in the text. Gives how much of the text is done with: less than all
// where the head of an event may go on behind it, which is never so where `is_whole`.
template <typename Found>
size_t FindEvents(std::string_view text, bool is_whole, Found found) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    at = static_cast<const char*>(std::memchr(at, kEventMark.front(), end - at));
    if (at == nullptr) break;
    if (static_cast<size_t>(end - at) < kEventHeadBytes) {
      return is_whole ? text.size() : at - text.data();
    }
    if (std::memcmp(at, kEventMark.data(), kEventMark.size()) != 0) {
      ++at;
      continue;
    }
    Event event;
    const char* const number = at + kEventMark.size();
    const char* const due = number + kNumberDigits;
    at += kEventHeadBytes;
    std::from_chars(number, due, event.number, 16);
    std::from_chars(due, at, event.due_ns, 16);
    found(event);
  }
  return text.size();
}

}  // namespace millrace::bench
