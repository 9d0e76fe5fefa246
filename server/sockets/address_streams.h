// How many streams (calls, in gRPC) the connections of one address have open together, so that one
// address cannot take the memory of all others.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "absl/container/flat_hash_map.h"
#include "server/sockets/address_counts.h"

namespace millrace::server {

// Threads: any.
class AddressStreams {
 public:
  // Of one address; its connections share it. Threads: any.
  class OfAddress {
   public:
    explicit OfAddress(int64_t most) : most_(most) {}

    // Counts one more, which Leave takes back; false, and nothing counted, where that is too many.
    bool Enter();
    void Leave(int64_t count);

   private:
    const int64_t most_;
    std::atomic<int64_t> open_{0};
  };

  // At most so many of one address at a time; 0: any number.
  explicit AddressStreams(int32_t most) : most_(most) {}

  // Null where any number may be open.
  std::shared_ptr<OfAddress> Of(const PeerNetwork& from);

  // Addresses that are remembered: what this object's size depends on.
  size_t address_count() const;

 private:
  static constexpr size_t kSweepFrom = 64;

  const int32_t most_;
  mutable std::mutex mutex_;  // Guards what follows.
  absl::flat_hash_map<PeerNetwork, std::weak_ptr<OfAddress>> addresses_;
  size_t sweep_at_ = kSweepFrom;  // So many, of which some may be gone.
};

}  // namespace millrace::server
