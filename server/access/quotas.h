// How much each principal may ask of the hub.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/clock.h"

namespace millrace::server {

// Absent: without limit.
struct QuotaLimits {
  std::optional<int64_t> requests_per_second;
  std::optional<int64_t> produce_bytes_per_second;
  std::optional<int64_t> max_connections;
  std::optional<int64_t> max_streams;
  std::optional<int64_t> max_subscriptions;
};

// As it stands in the access file. Every principal has limits of its own, whether it is named by
// its whole name or by a pattern; of several rules that mean it the first one counts.
struct QuotaRule {
  std::vector<std::string> principals;  // As those of an AccessRule.
  QuotaLimits limits;
};

// What a principal has at most so many of at the same time.
enum class Place { kConnection, kStream, kSubscription };

// Rates are token buckets that hold what a second gives: after a quiet second that much may come at
// once. What is larger than the bucket is let through when the bucket is full, and the time that it
// would have taken is owed by what comes next.
//
// Memory: principals that use nothing at present are forgotten. Threads: any.
class Quotas {
 public:
  // Without limits. `clock` must live as long.
  explicit Quotas(const storage::Clock& clock);
  ~Quotas();

  // Puts these rules in place of those before. What is in use stays in use, and is counted.
  void Configure(std::vector<QuotaRule> rules);

  // Takes so many requests and bytes that are to be stored, both or neither.
  // QUOTA_EXCEEDED {principal, quota, limit, retry_after_ms}: neither was taken; as much may be
  // there after that time, if nobody else takes it.
  absl::Status Take(std::string_view principal, int64_t requests, int64_t produce_bytes);

  // A place, which is given back when the last copy of it goes; that may be after the quotas are
  // gone. QUOTA_EXCEEDED {principal, quota, limit}: there is none.
  absl::StatusOr<std::shared_ptr<const void>> Enter(std::string_view principal, Place place);

  // The same among the principal's connections, for something that it has open on this one: however
  // much that is, the connection has one place.
  absl::StatusOr<std::shared_ptr<const void>> EnterConnection(std::string_view principal,
                                                              std::string_view connection);

  // Those that are remembered at present.
  size_t principals() const;

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace millrace::server
