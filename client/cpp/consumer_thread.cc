// What the consumer's own thread does, see consumer_core.h.
#include <algorithm>
#include <utility>

#include "client/cpp/consumer_core.h"
#include "client/cpp/convert.h"
#include "client/cpp/monotonic.h"
#include "client/cpp/status.h"
#include "millrace/error.h"

namespace millrace::client {
namespace {

// A hub that keeps its word is never silent for one interval.
constexpr int kSilentIntervals = 3;

// Before a Seek that failed on the way is tried again.
constexpr absl::Duration kResumeRetry = absl::Milliseconds(100);

}  // namespace

absl::Time Consumer::Core::SilentAt() const {
  // While the buffer is full nothing is read, and nothing can be heard.
  if (stream_ == nullptr || !reading_ || silent_) return absl::InfiniteFuture();
  return heard_at_ + kSilentIntervals * options_.heartbeat_interval;
}

absl::Time Consumer::Core::NextWork() const {
  absl::Time next = std::min(SilentAt(), stream_exists_ ? absl::InfiniteFuture() : connect_at_);
  if (!session_.id.empty() && readings_.any_resuming()) next = std::min(next, resume_at_);
  if (!session_.id.empty() && hold_paused_) next = absl::InfinitePast();
  if (!session_.id.empty() && release_due_) next = std::min(next, release_at_);
  return next;
}

void Consumer::Core::Run() {
  Lock lock(mutex_);
  while (!closed_) {
    if (DoDueWork(MonotonicNow(), lock)) continue;
    awake_at_ = NextWork();
    if (awake_at_ == absl::InfiniteFuture()) {
      work_.wait(lock);
    } else {
      work_.wait_until(lock, ToSteadyTime(awake_at_));
    }
    awake_at_ = absl::InfinitePast();
  }
}

// Whether there was anything to do.
bool Consumer::Core::DoDueWork(absl::Time now, Lock& lock) {
  if (now >= SilentAt()) {
    silent_ = true;
    BreakOff();
    return true;
  }
  if (!stream_exists_ && !Over() && now >= connect_at_) {
    Subscribe();
    return true;
  }
  if (session_.id.empty()) return false;
  if (readings_.any_resuming() && now >= resume_at_) {
    ResumePositions(lock);
    return true;
  }
  if (std::exchange(hold_paused_, false)) {
    HoldPaused(lock);
    return true;
  }
  if (release_due_ && now >= release_at_) {
    ReleaseIdle(lock);
    return true;
  }
  return false;
}

// A group's session begins at the committed offsets; goes on where the last one ended.
void Consumer::Core::ResumePositions(Lock& lock) {
  const std::string session_id = session_.id;
  v1::SeekRequest request;
  request.set_session_id(session_id);
  std::vector<Reading*> resuming;
  readings_.ForEach([&](Reading& reading) {
    if (!reading.resuming) return;
    resuming.push_back(&reading);
    v1::SeekTarget& target = *request.add_targets();
    target.set_topic(reading.name.topic);
    target.set_partition(reading.name.partition);
    target.set_offset(reading.received.offset);
    if (reading.received.log_epoch) target.set_log_epoch(*reading.received.log_epoch);
  });
  lock.unlock();
  grpc::ClientContext context;
  SetDeadline(context, connection_->options());
  v1::SeekResponse response;
  const absl::Status status = FromGrpc(stub_.Seek(&context, request, &response));
  lock.lock();
  if (session_.id != session_id) return;  // The next session tries anew.
  if (!status.ok() || response.results_size() != static_cast<int>(resuming.size())) {
    resume_at_ = MonotonicNow() + kResumeRetry;
    return;
  }
  std::vector<Reading*> refused;
  for (size_t i = 0; i < resuming.size(); ++i) {
    ApplyResume(*resuming[i], response.results(static_cast<int>(i)), refused);
  }
  if (!refused.empty()) ReturnToGroup(refused, session_id, lock);
  changed_.notify_all();
}

void Consumer::Core::ApplyResume(Reading& reading, const v1::SeekResult& result,
                                 std::vector<Reading*>& refused) {
  if (!reading.resuming) return;  // A frame was quicker.
  if (result.has_error()) {
    refused.push_back(&reading);
    return;
  }
  reading.resuming = false;
  reading.silent_epoch = result.position_epoch();
  reading.position_epoch = std::max(reading.position_epoch, result.position_epoch());
}

// The log no longer holds the positions of these partitions: the group's own are all there is.
void Consumer::Core::ReturnToGroup(const std::vector<Reading*>& refused,
                                   const std::string& session_id, Lock& lock) {
  v1::SeekRequest request;
  request.set_session_id(session_id);
  for (const Reading* reading : refused) {
    v1::SeekTarget& target = *request.add_targets();
    target.set_topic(reading->name.topic);
    target.set_partition(reading->name.partition);
    target.set_offset(reading->session_start);
  }
  // From here on frames of the new position may come before the answer does.
  std::vector<ConsumerEvent> events;
  for (Reading* reading : refused) {
    events.push_back(PartitionRepositioned{.partition = reading->name,
                                           .from_offset = reading->returned.offset,
                                           .to_offset = reading->session_start,
                                           .cause = RepositionCause::kLogReplaced});
    reading->VoidUncommitted();
    reading->MoveTo(reading->session_start, std::nullopt);
    reading->committed = reading->session_start;
    reading->resuming = true;
  }
  Tell(std::move(events));
  lock.unlock();
  grpc::ClientContext context;
  SetDeadline(context, connection_->options());
  v1::SeekResponse response;
  const absl::Status status = FromGrpc(stub_.Seek(&context, request, &response));
  lock.lock();
  if (session_.id != session_id || !status.ok()) return;
  for (int i = 0; i < response.results_size() && i < static_cast<int>(refused.size()); ++i) {
    Reading& reading = *refused[i];
    if (!reading.resuming) continue;
    reading.resuming = false;
    if (!response.results(i).has_error()) {
      reading.silent_epoch = response.results(i).position_epoch();
      reading.position_epoch = std::max(reading.position_epoch, reading.silent_epoch);
      continue;
    }
    reading.failed = true;
    Tell({PartitionFailed{.partition = reading.name,
                          .status = FromRequestError(response.results(i).error())}});
  }
}

// Gives up revoked partitions of which nothing is left to be processed or committed, so that nobody
// waits for a commit that will not come.
void Consumer::Core::ReleaseIdle(Lock& lock) {
  release_due_ = false;
  const std::string session_id = session_.id;
  v1::CommitOffsetRequest request;
  request.set_group(options_.group);
  request.set_member_id(session_.member_id);
  request.set_member_epoch(session_.member_epoch);
  std::vector<Reading*> released;
  readings_.ForEach([&](Reading& reading) {
    if (!reading.known || !reading.revoking || reading.released) return;
    if (reading.returned.offset != reading.committed) return;
    reading.released = true;
    released.push_back(&reading);
    ToProto(reading.name, *request.add_released());
  });
  if (released.empty()) return;
  lock.unlock();
  grpc::ClientContext context;
  SetDeadline(context, connection_->options());
  v1::CommitOffsetResponse response;
  const absl::Status status = FromGrpc(stub_.CommitOffset(&context, request, &response));
  lock.lock();
  if (status.ok() || session_.id != session_id) return;
  for (Reading* reading : released) reading->released = false;
  release_due_ = true;
  release_at_ = MonotonicNow() + kResumeRetry;
}

// Tells the session what is paused. If it does not hear it, what it sends is put aside all the
// same.
void Consumer::Core::HoldPaused(Lock& lock) {
  v1::PausePartitionsRequest request;
  request.set_session_id(session_.id);
  readings_.ForEach([&](const Reading& reading) {
    if (!reading.paused || !reading.assigned) return;
    request.add_partitions()->set_topic(reading.name.topic);
    request.mutable_partitions()->rbegin()->set_partition(reading.name.partition);
  });
  if (request.partitions().empty()) return;
  lock.unlock();
  grpc::ClientContext context;
  SetDeadline(context, connection_->options());
  v1::PausePartitionsResponse response;
  (void)stub_.PausePartitions(&context, request, &response);
  lock.lock();
}

}  // namespace millrace::client
