// What a WebSocket says and is told, without the WebSocket: commands become calls of the hub, and
// what the hub answers becomes messages. The socket is a GatewayLink.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "server/contract/call_watch.h"
#include "server/hub/hub.h"
#include "server/web/gateway_command.h"
#include "server/web/gateway_stream.h"
#include "server/web/loop.h"
#include "server/web/pieces.h"

namespace millrace::server {

// Why the hub closes a WebSocket. README.md says for each whether to connect again.
enum class GatewayClose : uint16_t {
  kGoingAway = 1001,
  kWrongKind = 1003,
  kFault = 1011,
  kMalformed = 4400,
  kUnauthenticated = 4401,
  kForbidden = 4403,
  kTooSlow = 4408,
  kTooMuch = 4429,
};

// The methods of the contract that the commands stand for.
struct GatewayMethods {
  ServedMethod& produce;
  ServedMethod& commit;
  ServedMethod& subscribe;
  ServedMethod& watch_group;

  // `watch` outlives what is given.
  static GatewayMethods Of(CallWatch& watch);
};

// Carries a session's messages. Called on the session's thread.
class GatewayLink {
 public:
  virtual ~GatewayLink() = default;

  // Puts a message behind those that wait. `written` is called, later, once it has left.
  virtual void Send(Pieces message, absl::AnyInvocable<void() &&> written) = 0;

  // Closes once what waits has left. The first one wins.
  virtual void Close(GatewayClose code, std::string_view reason) = 0;
};

// Threads: the loop's.
class GatewaySession : public GatewayStreamOwner,
                       public std::enable_shared_from_this<GatewaySession> {
 public:
  struct Context {
    hub::Hub& hub;
    const GatewayMethods& methods;
    const GatewayProtocol& protocol;
    Loop& loop;
    Presence presence;
    Caller caller;
  };

  // What a connection may have open, and how many of its other commands are worked on at a time.
  static constexpr size_t kMaxStreams = 100;
  static constexpr size_t kMaxUnanswered = 64;

  // What `context` names outlives the session; `link` lives until Stop.
  GatewaySession(Context context, GatewayLink& link) : context_(std::move(context)), link_(&link) {}

  // A message came.
  void OnMessage(std::string_view message, bool is_text);

  // Whether another message may be read now. To be asked again after each message written, and from
  // time to time: the hub's write queue may have been full.
  bool has_room() const;

  // The hub stops, or the connection has reached its maximum age: takes no further command, and
  // closes once all that is open has been told so.
  void Drain(hub::EndingReason reason = hub::EndingReason::kDraining);

  // The link is gone. Frees what the session holds of the hub. Idempotent.
  void Stop();

  void SendOf(int32_t id, Pieces message, absl::AnyInvocable<void() &&> written) override;
  void EndOf(int32_t id, const absl::Status& status) override;

 private:
  // What is open under an id, and as what it is counted when it ends.
  struct OpenStream {
    std::shared_ptr<GatewayStream> stream;
    ServedMethod* served;
  };

  void Carry(GatewayCommand command);
  // Gives the command's trace to the records that it appends.
  void TraceRecords(GatewayCommand& command) const;
  absl::Status CheckId(const GatewayCommand& command) const;

  // What each command does. Streams are opened; calls are answered, now or later.
  void Do(int32_t id, hub::SubscribeCommand command);
  void Do(int32_t id, GroupWatchCommand command);
  void Do(int32_t id, hub::ProduceCommand command);
  void Do(int32_t id, v1::CommitOffsetRequest request);
  void Do(int32_t id, const v1::GatewayUnsubscribe& unsubscribe);
  void Do(int32_t id, const v1::GatewayCredit& credit);
  void Do(int32_t id, const v1::GatewayPing& ping);

  bool HasRoomForStream(int32_t id);
  GatewayStreamContext StreamContext(const ServedMethod& served) const;

  // The answer to a call: its id is free, and its place when it is written.
  void Answer(const v1::GatewayResponse& response, int64_t request_bytes = 0);
  void Refuse(int32_t id, const absl::Status& status);
  void RefuseCall(int32_t id, ServedMethod& served, const absl::Status& status);  // Notes it, too.
  void CloseIfDrained();

  const Context context_;
  GatewayLink* link_;  // Null: stopped.
  absl::flat_hash_map<int32_t, OpenStream> streams_;
  absl::flat_hash_set<int32_t> calls_;  // Ids that are being worked on.
  size_t unanswered_ = 0;               // Calls whose answer has not left.
  int64_t unanswered_bytes_ = 0;        // Of the records among them.
  bool draining_ = false;
};

}  // namespace millrace::server
