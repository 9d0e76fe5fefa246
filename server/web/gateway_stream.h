// What a client of the WebSocket has opened and is told of again and again: a subscription, or a
// watch of a group.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "server/contract/call_watch.h"
#include "server/hub/hub.h"
#include "server/web/gateway_command.h"
#include "server/web/loop.h"
#include "server/web/pieces.h"

namespace millrace::server {

// The session that has the stream. Called on the session's thread.
class GatewayStreamOwner {
 public:
  virtual ~GatewayStreamOwner() = default;

  // `written` is called once the message has left, if the connection lives so long.
  virtual void SendOf(int32_t id, Pieces message, absl::AnyInvocable<void() &&> written) = 0;

  // The stream is over and says nothing more: after its last frame (OK), or because of an error
  // that the client is to be told. The stream may be gone when this returns.
  virtual void EndOf(int32_t id, const absl::Status& status) = 0;
};

// What a stream needs; what is a reference outlives it.
struct GatewayStreamContext {
  hub::Hub& hub;
  const ServedMethod& served;
  Caller caller;
  const GatewayProtocol& protocol;
  Loop& loop;
  Presence presence;
};

// Threads: the session's.
class GatewayStream {
 public:
  virtual ~GatewayStream() = default;

  // Frees what the stream holds of the hub; the owner is not called any more. Idempotent.
  virtual void Stop() = 0;

  // Lets it deliver more records. INVALID_CONFIG: it counts none.
  virtual absl::Status AddCredit(int32_t records) = 0;

  // The connection ends: because the hub stops, which ends subscriptions itself, or for its age.
  virtual void Drain(hub::EndingReason reason) = 0;
};

// `owner` outlives the stream, or its Stop.
std::shared_ptr<GatewayStream> OpenSubscriptionStream(const GatewayStreamContext& context,
                                                      GatewayStreamOwner& owner, int32_t id,
                                                      hub::SubscribeCommand command);
std::shared_ptr<GatewayStream> OpenGroupWatchStream(GatewayStreamContext context,
                                                    GatewayStreamOwner& owner, int32_t id,
                                                    GroupWatchCommand command);

}  // namespace millrace::server
