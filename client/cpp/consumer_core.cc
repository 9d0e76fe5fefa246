#include "client/cpp/consumer_core.h"

#include <algorithm>
#include <set>
#include <utility>

#include "client/cpp/convert.h"
#include "client/cpp/monotonic.h"
#include "client/cpp/status.h"
#include "millrace/error.h"

namespace millrace::client {
namespace {

constexpr char kSubscribe[] = "/millrace.v1.EventHubService/Subscribe";

void SetStart(const StartPosition& start, v1::StartPosition& out) {
  if (std::holds_alternative<Earliest>(start)) {
    out.set_earliest(true);
  } else if (std::holds_alternative<Latest>(start)) {
    out.set_latest(true);
  } else {
    ToProto(std::get<absl::Time>(start), *out.mutable_time());
  }
}

v1::OutOfRangePolicy ToProto(OutOfRange policy) {
  switch (policy) {
    case OutOfRange::kFail:
      return v1::OUT_OF_RANGE_POLICY_FAIL;
    case OutOfRange::kEarliest:
      return v1::OUT_OF_RANGE_POLICY_EARLIEST;
    case OutOfRange::kLatest:
      return v1::OUT_OF_RANGE_POLICY_LATEST;
  }
  return v1::OUT_OF_RANGE_POLICY_FAIL;
}

// What an orderly end amounts to, where the hub gave no status of its own.
absl::Status StatusOf(const v1::Ending& ending) {
  switch (ending.reason()) {
    case v1::ENDING_REASON_INSTANCE_REPLACED:
      return MakeError(absl::StatusCode::kAborted, reason::kInstanceReplaced, ending.message());
    case v1::ENDING_REASON_DRAINING:
      return MakeError(absl::StatusCode::kUnavailable, reason::kDraining, ending.message());
    case v1::ENDING_REASON_LEFT:
      return MakeError(absl::StatusCode::kFailedPrecondition, reason::kClosed,
                       "The member has left its group.");
    case v1::ENDING_REASON_MAX_AGE:
      return absl::UnavailableError("The stream reached its maximum age.");
    default:
      return absl::InternalError(ending.message());
  }
}

}  // namespace

Consumer::Core::Core(std::shared_ptr<Connection> connection, ConsumerOptions options)
    : connection_(std::move(connection)),
      options_(std::move(options)),
      stub_(connection_->internals().channel),
      readings_(!options_.group.empty()),
      backoff_(connection_->options().backoff) {}

absl::Time Consumer::Core::Deadline() const {
  return MonotonicNow() + connection_->options().request_timeout;
}

absl::Status Consumer::Core::Start() {
  const absl::Time deadline = Deadline();
  Lock lock(mutex_);
  away_since_ = MonotonicNow();
  Subscribe();
  thread_ = std::thread([this] { Run(); });
  const bool answered =
      WaitUntil(changed_, lock, deadline, [&] { return ever_connected_ || Over(); });
  if (!failed_.ok()) return failed_;
  if (answered) return absl::OkStatus();
  return last_error_.ok() ? absl::DeadlineExceededError("The hub does not answer.") : last_error_;
}

// ---- Subscribing

v1::SubscribeRequest Consumer::Core::MakeRequest() const {
  v1::SubscribeRequest request;
  const bool resumes = readings_.ever_assigned();
  request.set_group(options_.group);
  for (const std::string& topic : options_.topics) request.add_topics(topic);
  if (options_.start) SetStart(*options_.start, *request.mutable_start());
  if (options_.group.empty() && resumes) {
    // What this consumer does not know yet came to be after it began.
    SetStart(Earliest(), *request.mutable_start());
    std::set<std::string> failed_topics;
    readings_.ForEach([&](const Reading& reading) {
      if (reading.failed) {
        failed_topics.insert(reading.name.topic);
      } else if (reading.known) {
        ToProto(Position{reading.name.topic, reading.name.partition, reading.received.offset,
                         reading.received.log_epoch},
                *request.add_positions());
      }
    });
    // A partition that cannot be read would be refused, and all others with it: of such a topic
    // exactly the others are asked for.
    request.clear_topics();
    for (const std::string& topic : options_.topics) {
      if (!failed_topics.contains(topic)) request.add_topics(topic);
    }
  } else {
    for (const Position& position : options_.positions) ToProto(position, *request.add_positions());
  }
  request.set_on_out_of_range(ToProto(options_.on_out_of_range));
  request.set_instance_id(options_.instance_id);
  request.set_resume_member_id(last_member_id_);
  if (options_.max_in_flight_records) {
    request.set_max_in_flight_records(*options_.max_in_flight_records);
  }
  if (options_.max_in_flight_bytes) request.set_max_in_flight_bytes(*options_.max_in_flight_bytes);
  request.set_max_batch_bytes(options_.max_batch_bytes);
  ToProto(options_.heartbeat_interval, *request.mutable_heartbeat_interval());
  if (options_.revoke_timeout) ToProto(*options_.revoke_timeout, *request.mutable_revoke_timeout());
  if (options_.max_uncommitted_age) {
    ToProto(*options_.max_uncommitted_age, *request.mutable_max_uncommitted_age());
  }
  request.set_allow_missing_topics(options_.allow_missing_topics);
  request.set_end_at_current(options_.end_at_current);
  return request;
}

void Consumer::Core::Subscribe() {
  readings_.OnSubscribe();
  const v1::SubscribeRequest request = MakeRequest();
  const grpc::Slice slice(request.SerializeAsString());
  connect_at_ = absl::InfiniteFuture();
  ending_.reset();
  silent_ = false;
  stream_ = RawStream::Start(connection_->internals().channel, kSubscribe, *this);
  stream_exists_ = true;
  stream_->WriteLast(grpc::ByteBuffer(&slice, 1));
  ReadOn();
}

void Consumer::Core::ReadOn() {
  if (stream_ == nullptr || reading_) return;
  reading_ = true;
  heard_at_ = MonotonicNow();
  stream_->Read();
  if (SilentAt() < awake_at_) work_.notify_one();
}

int64_t Consumer::Core::ReadingBound() const {
  const bool more = hear_more_ || readings_.awaits_assignment();
  return options_.prefetch_bytes + (more ? kHearMoreBytes : 0);
}

// Reads beyond the full buffer: what the hub says of a broken stream or a lost partition may lie
// behind records.
void Consumer::Core::HearMore(bool more) {
  hear_more_ = more;
  if (buffered_bytes_ < ReadingBound()) ReadOn();
}

void Consumer::Core::BreakOff() {
  if (stream_ == nullptr) return;
  stream_->Cancel();
  ReadOn();  // The end comes with a read.
}

// ---- Frames

void Consumer::Core::OnMessage(RawStream& stream, const grpc::ByteBuffer& message) {
  const auto bytes = std::make_shared<grpc::Slice>();
  const bool dumped = message.DumpToSingleSlice(bytes.get()).ok();
  const std::string_view view(reinterpret_cast<const char*>(bytes->begin()), bytes->size());
  const std::optional<std::vector<EncodedBatch>> batches = DecodeBatches(view);
  v1::SubscribeResponse frame;
  const bool parsed =
      dumped && (batches || frame.ParseFromArray(view.data(), static_cast<int>(view.size())));

  std::lock_guard lock(mutex_);
  reading_ = false;
  heard_at_ = MonotonicNow();
  if (!parsed) {
    BreakOff();
    return;
  }
  if (batches) {
    OnBatches(bytes, *batches);
  } else {
    OnFrame(frame);
  }
  if (buffered_bytes_ < ReadingBound() || closed_) ReadOn();
  changed_.notify_all();
  if (!batches) work_.notify_one();
}

void Consumer::Core::OnBatches(const std::shared_ptr<const grpc::Slice>& bytes,
                               const std::vector<EncodedBatch>& batches) {
  for (const EncodedBatch& batch : batches) {
    const Acceptance accepted = readings_.OnBatch(batch);
    if (accepted.reading == nullptr) continue;
    buffered_bytes_ += static_cast<int64_t>(batch.bytes.size());
    items_.push_back(std::make_shared<BufferedBatch>(
        BufferedBatch{.reading = accepted.reading,
                      .generation = accepted.reading->generation,
                      .frame = bytes,
                      .batch = batch,
                      .next_offset = batch.base_offset + accepted.skip,
                      .end_offset = batch.base_offset + batch.record_count,
                      .cursor = RecordCursor(batch.bytes),
                      .cursor_offset = batch.base_offset}));
  }
}

void Consumer::Core::OnFrame(const v1::SubscribeResponse& frame) {
  switch (frame.frame_case()) {
    case v1::SubscribeResponse::kSessionStarted:
      OnSessionStarted(frame.session_started());
      break;
    case v1::SubscribeResponse::kAssigned:
      Tell(readings_.OnAssigned(frame.assigned()));
      hold_paused_ = true;
      break;
    case v1::SubscribeResponse::kRevoking:
      Tell(readings_.OnRevoking(frame.revoking()));
      release_due_ = true;
      break;
    case v1::SubscribeResponse::kLost:
      Tell(readings_.OnLost(frame.lost()));
      break;
    case v1::SubscribeResponse::kRepositioned:
      Tell(readings_.OnRepositioned(frame.repositioned()));
      break;
    case v1::SubscribeResponse::kPartitionError:
      Tell(readings_.OnPartitionError(frame.partition_error()));
      break;
    case v1::SubscribeResponse::kCaughtUp:
      Tell(readings_.OnCaughtUp(frame.caught_up()));
      break;
    case v1::SubscribeResponse::kHeartbeat:
      Tell(readings_.OnSettled());
      readings_.OnHeartbeat(frame.heartbeat());
      break;
    case v1::SubscribeResponse::kEnding:
      ending_ = frame.ending();
      break;
    case v1::SubscribeResponse::kBatches:
    case v1::SubscribeResponse::FRAME_NOT_SET:
      break;  // Batches come another way; what a newer hub adds is passed over.
  }
}

void Consumer::Core::OnSessionStarted(const v1::SessionStarted& started) {
  session_ = {started.session_id(), started.member_id(), started.member_epoch()};
  last_member_id_ = started.member_id();
  readings_.OnSessionStarted(started.log_epoch());
  ever_connected_ = true;
  backoff_.Reset();
  Tell({Connected{
      .session_id = started.session_id(),
      .missing_topics = {started.missing_topics().begin(), started.missing_topics().end()}}});
}

void Consumer::Core::Tell(std::vector<ConsumerEvent> events) {
  if (!options_.on_event) {
    for (const ConsumerEvent& event : events) MarkTold(event);
    return;
  }
  for (ConsumerEvent& event : events) items_.push_back(std::move(event));
}

// ---- The end of a stream

void Consumer::Core::OnEnded(RawStream& stream) {
  std::lock_guard lock(mutex_);
  stream_ = nullptr;
  reading_ = false;
}

void Consumer::Core::OnClosed(const absl::Status& status) {
  std::lock_guard lock(mutex_);
  stream_ = nullptr;
  stream_exists_ = false;
  reading_ = false;
  const bool was_connected = !session_.id.empty();
  session_.id.clear();
  if (was_connected) away_since_ = MonotonicNow();
  if (!closed_) {
    if (ending_) {
      OnEnding(status);
    } else if (silent_) {
      OnBroken(absl::UnavailableError("The hub fell silent."));
    } else {
      OnBroken(status.ok() ? absl::UnavailableError("The hub ended the stream.") : status);
    }
    if (was_connected && !ended_ && failed_.ok()) Tell({Disconnected{last_error_}});
  }
  changed_.notify_all();
  work_.notify_one();
}

void Consumer::Core::OnEnding(const absl::Status& status) {
  last_error_ = status.ok() ? StatusOf(*ending_) : status;
  if (ending_->reason() == v1::ENDING_REASON_END_REACHED) {
    ended_ = true;
  } else if (ending_->retry()) {
    const absl::Duration asked =
        ending_->has_retry_after() ? FromProto(ending_->retry_after()) : absl::ZeroDuration();
    connect_at_ = MonotonicNow() + std::max(asked, backoff_.Next());
  } else {
    Fail(last_error_);
  }
}

void Consumer::Core::OnBroken(const absl::Status& status) {
  last_error_ = status;
  const bool resumes = readings_.ever_assigned();
  if (resumes && !IsTransient(status)) {
    // One partition cannot go on where this consumer stands: the others can.
    std::vector<ConsumerEvent> failed = readings_.OnResumeRefused(status);
    if (!failed.empty()) {
      Tell(std::move(failed));
      connect_at_ = MonotonicNow();
      return;
    }
  }
  // Of a connection that broke the hub may not know yet that it did.
  const bool passing =
      IsTransient(status) || (resumes && (HasReason(status, reason::kGroupHasMembers) ||
                                          status.code() == absl::StatusCode::kResourceExhausted));
  if (!passing || MonotonicNow() - away_since_ >= options_.reconnect_timeout) {
    Fail(status);
    return;
  }
  const absl::Duration asked = RetryAfterOf(status).value_or(absl::ZeroDuration());
  connect_at_ = MonotonicNow() + std::max(asked, backoff_.Next());
}

void Consumer::Core::Fail(const absl::Status& status) {
  if (failed_.ok()) failed_ = status;
}

}  // namespace millrace::client
