// Connections that a listener did not take, or broke off: how many there were, and the log of them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "server/contract/telling_rate.h"

namespace millrace::server {

enum class ConnectionRefusal {
  kLimit,         // As many are open as there may be.
  kAddressLimit,  // As many of its address are, or the address has opened too many in short time.
  kStreamLimit,   // As many streams of its address are.
  kAttack,        // For what came over it.
};
inline constexpr size_t kConnectionRefusals = 4;

// "limit", "address_limit", "stream_limit", "attack".
std::string_view NameOf(ConnectionRefusal reason);

struct RefusedConnection {
  std::string_view listener;  // "grpc", "web".
  std::string_view address;   // The client's; empty where it is not known.
  ConnectionRefusal reason;
  int64_t left_out = 0;  // So many of this listener, for this reason, were not told of before it.
};

// Told of them. Called by whoever accepts or reads, from any thread.
using RefusedConnectionLog = std::function<void(const RefusedConnection&)>;

// Of one listener. Threads: any.
class RefusedConnections {
 public:
  // So many are told of for each reason.
  static constexpr int kToldPerSecond = 1;

  // `log` may be empty.
  RefusedConnections(std::string listener, RefusedConnectionLog log)
      : listener_(std::move(listener)), log_(std::move(log)) {}

  const std::string& listener() const { return listener_; }

  // `address`: as in RefusedConnection.
  void Note(ConnectionRefusal reason, std::string_view address);

  uint64_t count(ConnectionRefusal reason) const;

 private:
  struct OfReason {
    std::atomic<uint64_t> count{0};
    TellingRate rate{kToldPerSecond};
  };

  const std::string listener_;
  const RefusedConnectionLog log_;
  std::array<OfReason, kConnectionRefusals> reasons_;
};

}  // namespace millrace::server
