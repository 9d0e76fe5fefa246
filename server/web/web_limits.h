// What keeps one client of the web port from harming the others. README.md lists them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/contract/call_watch.h"
#include "server/sockets/address_counts.h"
#include "server/web/loop.h"

namespace millrace::server {

struct WebLimits {
  std::vector<std::string> allowed_origins;  // Besides the hub's own: "https://example.org".
  int32_t max_connections = 10'000;
  int32_t max_connections_per_address = 0;  // 0: as many as there may be.
  int64_t max_message_bytes = 6 << 20;      // A WebSocket message or an HTTP body of a client.
  int64_t max_receiving_bytes = 256 << 20;  // Of all connections together.
  absl::Duration header_timeout = absl::Seconds(10);
  absl::Duration message_timeout = absl::Seconds(30);  // From the first byte to the last.
  absl::Duration write_timeout = absl::Seconds(30);    // Without a byte taken.
  absl::Duration idle_timeout = absl::Seconds(60);
};

// Counts who is there. Threads: any.
class Attendance {
 public:
  // Lets in as many as the limits have it. Counts in the watch as well, which outlives this object.
  Attendance(const WebLimits& limits, CallWatch& watch)
      : most_(limits.max_connections),
        addresses_(limits.max_connections_per_address),
        open_(watch.web_connections),
        refused_(*watch.refused_by_web) {}

  // Absent (null) where so many are there already. Whoever holds it is there until it is dropped,
  // which must be before this object goes.
  Presence Enter(const PeerNetwork& from);

  // Blocks until nobody is there, or until the deadline of the monotonic clock has passed; whether
  // nobody is.
  bool WaitUntilEmpty(absl::Duration patience);

  int32_t count() const;

 private:
  // Counts one more, or says why not.
  std::optional<ConnectionRefusal> Refuse(const PeerNetwork& from);
  void Leave(const PeerNetwork& from);

  const int32_t most_;
  AddressCounts addresses_;
  OpenCount& open_;
  RefusedConnections& refused_;
  mutable std::mutex mutex_;
  std::condition_variable left_;
  int32_t count_ = 0;
};

// Memory that what is being received may take. Threads: any.
class ReceiveBudget {
 public:
  explicit ReceiveBudget(int64_t total_bytes) : total_bytes_(total_bytes) {}

  // A connection's share of the budget, given back when it goes.
  class Share {
   public:
    explicit Share(ReceiveBudget& budget) : budget_(budget) {}
    ~Share() { Set(0); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Makes the share this large; whether there was room. It can always be made smaller.
    bool Set(int64_t bytes);

   private:
    ReceiveBudget& budget_;
    int64_t bytes_ = 0;
  };

  int64_t taken_bytes() const { return taken_.load(std::memory_order_relaxed); }

 private:
  const int64_t total_bytes_;
  std::atomic<int64_t> taken_{0};
};

}  // namespace millrace::server
