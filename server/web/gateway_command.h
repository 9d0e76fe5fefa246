// What a client of the WebSocket asks for, in the hub's types, and the two subprotocols that say
// it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "millrace/v1/gateway.pb.h"
#include "server/hub/frame.h"
#include "server/hub/limits.h"
#include "server/hub/producing.h"
#include "server/hub/subscriptions.h"
#include "server/web/json_frames.h"
#include "server/web/pieces.h"

namespace millrace::server {

struct GroupWatchCommand {
  std::string group;
  absl::Duration interval;
};

using GatewayAction =
    std::variant<hub::SubscribeCommand, hub::ProduceCommand, v1::CommitOffsetRequest,
                 v1::GatewayUnsubscribe, v1::GatewayCredit, v1::GatewayPing, GroupWatchCommand>;

// A command as it came: one that is wrong has an error in place of what to do.
struct GatewayCommand {
  int32_t id = 0;           // As given, also where it cannot be used.
  std::string bad_id;       // What stood in place of an id that is no number.
  std::string traceparent;  // As given: whether it is valid is for TraceContextOf to say.
  std::string tracestate;
  absl::StatusOr<GatewayAction> action;
};

// A subprotocol. Threads: any; holds nothing of a connection.
class GatewayProtocol {
 public:
  virtual ~GatewayProtocol() = default;

  virtual std::string_view name() const = 0;
  // Whether messages are text.
  virtual bool is_text() const = 0;

  // Absent for bytes that are no command at all.
  virtual std::optional<GatewayCommand> Decode(std::string_view message) const = 0;

  virtual Pieces Encode(const v1::GatewayResponse& response) const = 0;
  // Readers that are sent the same records share a message.
  virtual Pieces EncodeFrame(int32_t id, const hub::Frame& frame) const = 0;
};

// `limits` and `frames` outlive the protocol. It keeps the newest messages of records, up to so
// many bytes.
std::unique_ptr<GatewayProtocol> MakeJsonProtocol(const hub::Limits& limits, JsonFrames& frames,
                                                  int64_t max_cached_bytes);
std::unique_ptr<GatewayProtocol> MakeProtoProtocol(const hub::Limits& limits,
                                                   int64_t max_cached_bytes);

// What the messages ask for; an error says which field is wrong.
absl::StatusOr<GatewayAction> ToAction(const v1::GatewaySubscribe& subscribe);
absl::StatusOr<GatewayAction> ToAction(const v1::WatchGroupRequest& watch);
absl::StatusOr<GatewayAction> ToAction(const v1::GatewayCredit& credit);
absl::StatusOr<GatewayAction> ToAction(const v1::GatewayUnsubscribe& unsubscribe);
absl::StatusOr<GatewayAction> ToAction(const v1::CommitOffsetRequest& commit);
absl::StatusOr<GatewayAction> ToAction(const v1::GatewayPing& ping);

// MALFORMED_REQUEST: a command that this hub does not have, or none, or several.
absl::Status UnknownCommand(std::string_view name);
absl::Status NotOneCommand();

}  // namespace millrace::server
