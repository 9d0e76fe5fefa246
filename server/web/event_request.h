// GET /v1/sse: what a reader asks for, and the token by which it goes on.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/hub/hub.h"
#include "server/web/http_message.h"

namespace millrace::server {

// Where a reader is in every partition: what to read next, and the log epoch of what it read last.
// As a token: "orders=0:1:42,1:1:17;payments=0:1:3" - topic=partition:log_epoch:offset,... - which
// is short, and fits a header and a URL.
class ResumePoint {
 public:
  struct Position {
    int64_t log_epoch = 0;
    int64_t offset = 0;
  };

  // Absent for a token that is none.
  static std::optional<ResumePoint> Parse(std::string_view token);
  std::string Token() const;

  // Follows what the reader is sent.
  void Apply(const hub::Frame& frame);

  size_t partition_count() const { return positions_.size(); }
  const std::map<std::pair<std::string, int32_t>, Position>& positions() const {
    return positions_;
  }

 private:
  std::map<std::pair<std::string, int32_t>, Position> positions_;
  int64_t log_epoch_ = 0;  // That the hub wrote under when the session began.
};

// The query of /v1/sse, read.
struct EventRequest {
  std::vector<std::string> topics;
  std::vector<int32_t> partitions;  // Empty: all.
  hub::StartPosition from = hub::Latest{};
  std::optional<absl::Duration> heartbeat;
  std::optional<ResumePoint> resume;  // Goes before `from`.
};

// The most partitions of one event stream: its token names them all.
inline constexpr size_t kMaxEventPartitions = 256;

// INVALID_CONFIG (field), MALFORMED_REQUEST, EMPTY_REQUEST (no topic).
absl::StatusOr<EventRequest> ToEventRequest(const HttpRequest& request);

// The subscription that it asks for. May block. LIMIT_EXCEEDED, and what the hub says of topics and
// partitions that there are not.
absl::StatusOr<hub::SubscribeCommand> ToSubscribeCommand(hub::Hub& hub,
                                                         const EventRequest& request);

}  // namespace millrace::server
