// Holds back the WINDOW_UPDATEs that gRPC 1.51 sends by themselves for every message.
//
// A stream that is being read is given its window back as soon as a message has come, by a write of
// its own: where a client sends one record at a time, that is one more system call of the hub and
// one more wake-up of the client for each record, and nobody needs it before a good part of the
// window is used up (gRPC 1.53 waits for that itself). So what is small is kept, added up, and goes
// once it is more than a small part of the window.
//
// A client is never kept waiting by it: of each of its windows, at least three quarters are as they
// would be without. Where the windows shrink, what is kept goes before the client hears of that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "server/grpc/http2_frames.h"

namespace millrace::server {

// Of one connection: of what the hub sends, in the order in which it does. Threads: one at a time.
class WindowUpdates {
 public:
  // Keep keeps no more bytes than these at once.
  static constexpr size_t kMostBytes = 208;

  // Whether the next bytes that are to be sent, all of them, need not be: they are kept.
  bool Keep(std::string_view bytes);

  bool keeps_any() const { return !kept_.empty(); }

  // Whether what is kept has to go before the next bytes, in several parts, are sent.
  bool MustGoBefore(absl::Span<const std::string_view> parts) const;

  // What is kept, as frames to be sent; nothing is then.
  std::string Take();

  // These, the next, were sent: those of Take, too.
  void Sent(std::string_view bytes);

 private:
  using Increment = std::pair<uint32_t, uint32_t>;  // Of a stream's window, or of stream 0's.

  static std::optional<std::vector<Increment>> Parse(std::string_view bytes);
  void NoteSettings(std::string_view payload, uint32_t size);

  Http2Frames sent_{0};
  uint32_t window_ = 65'535;  // A stream's initial one, as in the SETTINGS that were sent.
  uint32_t most_ = 0;         // That is kept of one window. Before the first SETTINGS: nothing.
  std::vector<Increment> kept_;
};

}  // namespace millrace::server
