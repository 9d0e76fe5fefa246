// The one point that every entry passes: whoever calls is asked for the rights that the request
// needs before anything of the hub is looked at, so that a refusal is the same for what is there
// and for what is not.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/access/access.h"
#include "server/contract/caller.h"
#include "server/contract/needs.h"
#include "server/contract/telling_rate.h"

namespace millrace::server {

// A call that was refused, for the access log.
struct Refusal {
  std::string_view method;     // "TopicService/CreateTopic".
  std::string_view transport;  // "grpc", "http", "websocket".
  std::string_view peer;       // The client's address.
  std::string_view principal;  // Empty: its credentials were no good.
  absl::Status status;         // UNAUTHENTICATED, or PERMISSION_DENIED with the right and the name.
  int64_t left_out = 0;        // Refusals since the last one told of that were not.
};

// Told of refusals. Called inside of the calls, from any thread.
using RefusalLog = std::function<void(const Refusal&)>;

// Where a request came in.
struct Entrance {
  std::string_view method;
  std::string_view transport;
};

// Threads: any.
class Guard {
 public:
  // So many refusals are told of in a second; of the rest only their number.
  static constexpr int kToldPerSecond = 10;

  // `access` outlives the guard. `log` may be empty.
  Guard(Access& access, RefusalLog log) : access_(access), log_(std::move(log)) {}

  Access& access() { return access_; }

  // OK: the caller has all rights that are needed. UNAUTHENTICATED, PERMISSION_DENIED.
  absl::Status Check(Entrance entrance, const Caller& caller, const Needs& needs);

  // Check, and then counts the request, with so many bytes to store, against the caller's quota.
  // QUOTA_EXCEEDED.
  absl::Status Admit(Entrance entrance, const Caller& caller, const Needs& needs,
                     int64_t produce_bytes);

  // The same question about what is open already; nothing is logged.
  absl::Status MayGoOn(const Caller& caller, const Needs& needs) const;

 private:
  void Tell(Entrance entrance, const Caller& caller, const absl::Status& status);

  Access& access_;
  const RefusalLog log_;
  TellingRate rate_{kToldPerSecond};
};

}  // namespace millrace::server
