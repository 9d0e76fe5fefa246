// Calls that wait for a worker, of which one address may have so many. The transport's own limits
// do not bound them: for HTTP/2 a call that was taken back is over, and here it still waits.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "server/hub/executor.h"

namespace millrace::server {

// Threads: any. Outlives what it has posted.
class WaitingCalls {
 public:
  // Of one address: as many as one connection may have open, so that it meets no limit here.
  static constexpr int32_t kMost = 1'000;

  // Has the workers run what a call of this peer, which is as Caller::peer, asks for; it waits no
  // longer once that begins. OVERLOADED: kMost calls of the address wait already; the task is not
  // run.
  absl::Status Post(hub::TaskRunner& workers, std::string_view peer,
                    absl::AnyInvocable<void() &&> task);

 private:
  absl::Status Enter(const std::string& address);
  void Leave(const std::string& address);

  std::mutex mutex_;
  absl::flat_hash_map<std::string, int32_t> waiting_;  // By address; guarded by mutex_. None is 0.
};

}  // namespace millrace::server
