// Calls that wait for a worker, of which one address may have so many. The transport's own limits
// do not bound them: for HTTP/2 a call that was taken back is over, and here it still waits.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

namespace millrace::server {

// Threads: any. Outlives the places.
class WaitingCalls {
 public:
  // Of one address: as many as one connection may have open, so that it meets no limit here.
  static constexpr int32_t kMost = 1'000;

  // A place, until what this returns is gone. OVERLOADED: the address has no more. `peer` is as
  // Caller::peer.
  absl::StatusOr<std::shared_ptr<const void>> Enter(std::string_view peer);

 private:
  void Leave(const std::string& address);

  std::mutex mutex_;
  absl::flat_hash_map<std::string, int32_t> waiting_;  // By address; guarded by mutex_. None is 0.
};

}  // namespace millrace::server
