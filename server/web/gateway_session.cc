#include "server/web/gateway_session.h"

#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "server/contract/conversions.h"
#include "server/contract/request_error.h"
#include "server/contract/trace_context.h"
#include "server/contract/write_answers.h"
#include "storage/clock.h"
#include "storage/error.h"

namespace millrace::server {

using storage::Error;
using storage::Reason;

namespace {

constexpr int64_t kMaxUnansweredBytes = 8 << 20;

v1::GatewayResponse ErrorResponse(int32_t id, const absl::Status& status) {
  v1::GatewayResponse response;
  response.set_id(id);
  *response.mutable_error() = ToRequestError(status);
  return response;
}

absl::Status NothingOpen(int32_t id) {
  return Error(Reason::kSessionNotFound,
               absl::StrCat("nothing is open on this connection under the id ", id),
               {{"id", absl::StrCat(id)}});
}

}  // namespace

GatewayMethods GatewayMethods::Of(CallWatch& watch) {
  const auto method = [&](std::string_view name) -> ServedMethod& {
    return watch.Method(Transport::kWebSocket, name);
  };
  return {method("EventHubService/Produce"), method("EventHubService/CommitOffset"),
          method("EventHubService/Subscribe"), method("GroupService/WatchGroup")};
}

// ---- Commands

void GatewaySession::OnMessage(std::string_view message, bool is_text) {
  if (link_ == nullptr) return;
  if (is_text != context_.protocol.is_text()) {
    return link_->Close(GatewayClose::kWrongKind,
                        is_text ? "this subprotocol is binary" : "this subprotocol is text");
  }
  auto command = context_.protocol.Decode(message);
  if (!command) {
    return link_->Close(GatewayClose::kMalformed,
                        absl::StrCat("no command of ", std::string(context_.protocol.name())));
  }
  Carry(*std::move(command));
}

absl::Status GatewaySession::CheckId(const GatewayCommand& command) const {
  std::string_view why;
  if (command.id <= 0) why = "an id must be a positive number";
  if (streams_.contains(command.id) || calls_.contains(command.id)) why = "this id is in use";
  if (why.empty()) return absl::OkStatus();
  const std::string shown = command.bad_id.empty() ? absl::StrCat(command.id) : command.bad_id;
  return Error(Reason::kInvalidConfig, why, {{"field", "id"}, {"id", shown}});
}

void GatewaySession::Carry(GatewayCommand command) {
  ++unanswered_;  // Until Answer, or until a stream is open.
  const int32_t id = command.id;
  if (absl::Status status = CheckId(command); !status.ok()) return Refuse(0, status);
  if (!command.action.ok()) return Refuse(id, command.action.status());
  if (absl::Status status = context_.hub.Admit(); !status.ok()) return Refuse(id, status);
  if (draining_) return Refuse(id, Error(Reason::kDraining, "this connection is ending"));
  if (!command.traceparent.empty()) TraceRecords(command);
  std::visit([&](auto& action) { Do(id, std::move(action)); }, *command.action);
}

void GatewaySession::TraceRecords(GatewayCommand& command) const {
  auto* produce = std::get_if<hub::ProduceCommand>(&*command.action);
  const auto trace = TraceContextOf({command.traceparent}, {command.tracestate});
  if (produce == nullptr || !trace) return;
  produce->records = WithTrace(produce->records, *trace, context_.hub.limits());
}

bool GatewaySession::HasRoomForStream(int32_t id) {
  if (streams_.size() < kMaxStreams) return true;
  Refuse(id, Error(Reason::kLimitExceeded,
                   absl::StrCat("a connection may have ", kMaxStreams,
                                " subscriptions and watches open"),
                   {{"limit", absl::StrCat(kMaxStreams)}}));
  return false;
}

GatewayStreamContext GatewaySession::StreamContext(const ServedMethod& served) const {
  return {context_.hub,      served,        context_.caller,
          context_.protocol, context_.loop, context_.presence};
}

void GatewaySession::Do(int32_t id, hub::SubscribeCommand command) {
  if (!HasRoomForStream(id)) return;
  --unanswered_;
  streams_[id] = {OpenSubscriptionStream(StreamContext(context_.methods.subscribe), *this, id,
                                         std::move(command)),
                  &context_.methods.subscribe};
}

void GatewaySession::Do(int32_t id, GroupWatchCommand command) {
  if (!HasRoomForStream(id)) return;
  v1::WatchGroupRequest request;
  request.set_group(command.group);
  absl::Status admitted = context_.methods.watch_group.Admit(context_.caller, request);
  if (!admitted.ok()) return RefuseCall(id, context_.methods.watch_group, admitted);
  --unanswered_;
  streams_[id] = {OpenGroupWatchStream(StreamContext(context_.methods.watch_group), *this, id,
                                       std::move(command)),
                  &context_.methods.watch_group};
}

void GatewaySession::Do(int32_t id, hub::ProduceCommand command) {
  const auto bytes = static_cast<int64_t>(command.records.entries.bytes.size());
  absl::Status admitted = context_.methods.produce.Admit(context_.caller, command, bytes);
  if (!admitted.ok()) return RefuseCall(id, context_.methods.produce, admitted);
  calls_.insert(id);
  unanswered_bytes_ += bytes;
  // A full hub holds back reading (has_room) instead of refusing, which would reorder; and its
  // commits are for its own threads, since this one serves others.
  command.admission = storage::Admission::kAlways;
  command.on_calling_thread = false;
  context_.hub.producing().Produce(
      std::move(command),
      [self = shared_from_this(), id, bytes](absl::StatusOr<hub::ProduceOutcome> outcome) {
        self->context_.methods.produce.NoteEnd(outcome.status());
        v1::GatewayResponse response;
        if (outcome.ok()) {
          response.set_id(id);
          Fill(*outcome, *response.mutable_produced());
        } else {
          response = ErrorResponse(id, outcome.status());
        }
        Loop& loop = self->context_.loop;
        loop.Post([self, bytes, response = std::move(response)] { self->Answer(response, bytes); });
      });
}

void GatewaySession::Do(int32_t id, v1::CommitOffsetRequest request) {
  absl::Status admitted = context_.methods.commit.Admit(context_.caller, request);
  if (!admitted.ok()) return RefuseCall(id, context_.methods.commit, admitted);
  auto command = ToCommitCommand(request);
  if (!command.ok()) return RefuseCall(id, context_.methods.commit, command.status());
  calls_.insert(id);
  context_.hub.groups().Commit(
      *std::move(command), [self = shared_from_this(), id, request = std::move(request)](
                               absl::StatusOr<hub::CommitOutcome> outcome) {
        self->context_.methods.commit.NoteEnd(outcome.status());
        v1::GatewayResponse response;
        if (outcome.ok()) {
          response.set_id(id);
          *response.mutable_committed() = ToCommitResponse(request, *outcome);
        } else {
          response = ErrorResponse(id, outcome.status());
        }
        Loop& loop = self->context_.loop;
        loop.Post([self, response = std::move(response)] { self->Answer(response); });
      });
}

void GatewaySession::Do(int32_t id, const v1::GatewayUnsubscribe& unsubscribe) {
  const auto stream = streams_.extract(unsubscribe.subscription());
  if (stream.empty()) return Refuse(id, NothingOpen(unsubscribe.subscription()));
  stream.mapped().stream->Stop();
  stream.mapped().served->NoteEnd(absl::OkStatus());
  v1::GatewayResponse response;
  response.set_id(id);
  response.mutable_done();
  Answer(response);
}

void GatewaySession::Do(int32_t id, const v1::GatewayCredit& credit) {
  const auto stream = streams_.find(credit.subscription());
  if (stream == streams_.end()) return Refuse(id, NothingOpen(credit.subscription()));
  if (absl::Status status = stream->second.stream->AddCredit(credit.records()); !status.ok()) {
    return Refuse(id, status);
  }
  v1::GatewayResponse response;
  response.set_id(id);
  response.mutable_done();
  Answer(response);
}

void GatewaySession::Do(int32_t id, const v1::GatewayPing& /*ping*/) {
  v1::GatewayResponse response;
  response.set_id(id);
  *response.mutable_pong()->mutable_hub_time() = ToTimestamp(storage::Clock::System().Now());
  Answer(response);
}

// ---- Answers

bool GatewaySession::has_room() const {
  return unanswered_ < kMaxUnanswered && unanswered_bytes_ < kMaxUnansweredBytes &&
         !context_.hub.engine().write_queue_full();
}

void GatewaySession::Answer(const v1::GatewayResponse& response, int64_t request_bytes) {
  calls_.erase(response.id());
  unanswered_bytes_ -= request_bytes;
  if (link_ == nullptr) return;
  link_->Send(context_.protocol.Encode(response), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    --self->unanswered_;
    self->CloseIfDrained();
  });
}

void GatewaySession::RefuseCall(int32_t id, ServedMethod& served, const absl::Status& status) {
  served.NoteEnd(status);
  Refuse(id, status);
}

void GatewaySession::Refuse(int32_t id, const absl::Status& status) {
  Answer(ErrorResponse(id, status));
}

// A stream that was stopped says nothing more; what it has queued before goes all the same.
void GatewaySession::SendOf(int32_t /*id*/, Pieces message, absl::AnyInvocable<void() &&> written) {
  if (link_ != nullptr) link_->Send(std::move(message), std::move(written));
}

void GatewaySession::EndOf(int32_t id, const absl::Status& status) {
  const auto stream = streams_.extract(id);  // Lives until the end of this call.
  if (!stream.empty()) stream.mapped().served->NoteEnd(status);
  if (link_ == nullptr) return;
  if (!status.ok()) {
    v1::GatewayResponse response = ErrorResponse(id, status);
    link_->Send(context_.protocol.Encode(response), [] {});
  }
  CloseIfDrained();
}

// ---- The end

void GatewaySession::CloseIfDrained() {
  if (!draining_ || link_ == nullptr || !streams_.empty() || unanswered_ > 0) return;
  link_->Close(GatewayClose::kGoingAway, "connect again");
}

void GatewaySession::Drain(hub::EndingReason reason) {
  draining_ = true;
  std::vector<std::shared_ptr<GatewayStream>> streams;  // Which end, some of them at once.
  for (const auto& [id, open] : streams_) streams.push_back(open.stream);
  for (const auto& stream : streams) stream->Drain(reason);
  CloseIfDrained();
}

void GatewaySession::Stop() {
  link_ = nullptr;
  for (const auto& [id, open] : streams_) {
    open.stream->Stop();
    open.served->NoteEnd(absl::CancelledError());
  }
  streams_.clear();
}

}  // namespace millrace::server
