// How many connections each address has and opens, so that one address cannot take those of all
// others.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace millrace::server {

// What of a peer's address is counted as one: an IPv4 address (also one that is written as IPv6,
// ::ffff:192.0.2.1), or the first 64 bits of an IPv6 address, which one host usually has whole.
class PeerNetwork {
 public:
  // As accept or getpeername tell it; of another family: all such peers are one.
  explicit PeerNetwork(const sockaddr_storage& address);

  // "192.0.2.1", "2001:db8:1:2::/64", "" of another family.
  std::string ToString() const;

  friend bool operator==(const PeerNetwork&, const PeerNetwork&) = default;

  template <typename H>
  friend H AbslHashValue(H state, const PeerNetwork& network) {
    return H::combine(std::move(state), network.family_, network.bits_);
  }

 private:
  sa_family_t family_ = AF_UNSPEC;
  uint64_t bits_ = 0;
};

// Threads: any.
class AddressCounts {
 public:
  // In which an address may open so many times the connections that it may have, and kAlways in any
  // case: programs that run for a moment each are clients, too.
  static constexpr absl::Duration kWindow = absl::Seconds(10);
  static constexpr int32_t kTurnover = 10;
  static constexpr int32_t kAlways = 100;

  // At most so many connections of one address at a time, and a multiple of them opened within
  // kWindow, since opening and closing them costs more than having them; 0: any number, and nothing
  // is counted.
  explicit AddressCounts(int32_t most)
      : most_(most), most_opened_(std::max(int64_t{kTurnover} * most, int64_t{kAlways})) {}

  // Counts one more, which Leave takes back; false, and nothing counted, where that is too many.
  // `now` is monotonic.
  bool Enter(const PeerNetwork& from, absl::Duration now);
  void Leave(const PeerNetwork& from);

  // Counts so many more as opened, for an attack: the address may open fewer in this window.
  void Charge(const PeerNetwork& from, int32_t count);

  // Addresses that are remembered: what this object's size depends on.
  size_t address_count() const;

 private:
  using Counts = absl::flat_hash_map<PeerNetwork, int64_t>;

  const int32_t most_;
  const int64_t most_opened_;  // In one window.
  mutable std::mutex mutex_;   // Guards what follows.
  Counts open_;                // None is 0.
  Counts opened_;              // Since window_start_.
  absl::Duration window_start_ = -absl::InfiniteDuration();
};

}  // namespace millrace::server
