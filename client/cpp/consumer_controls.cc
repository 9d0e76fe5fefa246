// Seek and Pause of a consumer, its end, see consumer_core.h.
#include <algorithm>
#include <utility>

#include "client/cpp/consumer_core.h"
#include "client/cpp/convert.h"
#include "client/cpp/monotonic.h"
#include "client/cpp/status.h"
#include "millrace/error.h"

namespace millrace::client {
namespace {

void SetTarget(const SeekTarget& target, v1::SeekTarget& out) {
  out.set_topic(target.partition.topic);
  out.set_partition(target.partition.partition);
  if (const auto* const offset = std::get_if<int64_t>(&target.target)) {
    out.set_offset(*offset);
    if (target.log_epoch) out.set_log_epoch(*target.log_epoch);
    return;
  }
  v1::StartPosition& start = *out.mutable_start();
  const StartPosition& wanted = std::get<StartPosition>(target.target);
  if (std::holds_alternative<Earliest>(wanted)) {
    start.set_earliest(true);
  } else if (std::holds_alternative<Latest>(wanted)) {
    start.set_latest(true);
  } else {
    ToProto(std::get<absl::Time>(wanted), *start.mutable_time());
  }
}

}  // namespace

absl::Status Consumer::Core::ClosedError() {
  return MakeError(absl::StatusCode::kFailedPrecondition, reason::kClosed,
                   "The consumer is closed.");
}

absl::StatusOr<Consumer::Core::Session> Consumer::Core::WaitForSession(absl::Time deadline,
                                                                       Lock& lock) {
  const auto settled = [&] {
    return Over() ||
           (!session_.id.empty() && !readings_.any_resuming() && !readings_.awaits_assignment());
  };
  if (!WaitUntil(changed_, lock, deadline, settled)) {
    return last_error_.ok() ? absl::DeadlineExceededError("The hub does not answer.") : last_error_;
  }
  if (closed_) return ClosedError();
  return session_;
}

// ---- Seek and Pause

// A partition that was left out when subscribing again because it could not be read: from a new
// offset it can be asked for again.
bool Consumer::Core::SeekUnread(const SeekTarget& target, SeekResult& result) {
  const auto* const offset = std::get_if<int64_t>(&target.target);
  Reading* const reading = readings_.Find(target.partition);
  if (offset == nullptr || reading == nullptr || reading->assigned || !reading->failed)
    return false;
  reading->MoveTo(*offset, target.log_epoch);
  result.offset = *offset;
  return true;
}

absl::StatusOr<std::vector<SeekResult>> Consumer::Core::Seek(
    const std::vector<SeekTarget>& targets) {
  const absl::Time deadline = Deadline();
  Backoff backoff(connection_->options().backoff);
  std::vector<SeekResult> results(targets.size());
  bool subscribe_anew = false;
  Lock lock(mutex_);
  while (true) {
    const absl::StatusOr<Session> session = WaitForSession(deadline, lock);
    if (!session.ok()) return session.status();
    if (!failed_.ok()) return failed_;
    std::vector<size_t> asked;
    v1::SeekRequest request;
    request.set_session_id(session->id);
    for (size_t i = 0; i < targets.size(); ++i) {
      results[i].partition = targets[i].partition;
      if (SeekUnread(targets[i], results[i])) {
        subscribe_anew = true;
      } else {
        asked.push_back(i);
        SetTarget(targets[i], *request.add_targets());
      }
    }
    const absl::Status status = SeekInSession(request, asked, results, lock);
    if (status.ok() || (!IsTransient(status) && !HasReason(status, reason::kSessionNotFound))) {
      if (subscribe_anew) BreakOff();
      if (!status.ok()) return status;
      return results;
    }
    // While the buffer is full nothing is read, not even that the stream broke.
    if (session_.id == session->id && !IsTransient(status)) BreakOff();
    const absl::Time again_at = MonotonicNow() + backoff.Next();
    if (again_at >= deadline) return status;
    WaitUntil(changed_, lock, again_at, [&] { return closed_; });
  }
}

// Moves partitions in the present session; `results[asked[i]]` is what became of the i-th target.
// SESSION_NOT_FOUND where that session ended meanwhile, as the hub says or this consumer saw.
absl::Status Consumer::Core::SeekInSession(const v1::SeekRequest& request,
                                           const std::vector<size_t>& asked,
                                           std::vector<SeekResult>& results, Lock& lock) {
  if (asked.empty()) return absl::OkStatus();
  lock.unlock();
  grpc::ClientContext context;
  SetDeadline(context, connection_->options());
  v1::SeekResponse response;
  absl::Status status = FromGrpc(stub_.Seek(&context, request, &response));
  lock.lock();
  if (!status.ok()) return status;
  if (session_.id != request.session_id()) {
    return MakeError(absl::StatusCode::kNotFound, reason::kSessionNotFound, "The stream broke.");
  }
  for (int i = 0; i < response.results_size() && i < static_cast<int>(asked.size()); ++i) {
    const v1::SeekResult& answer = response.results(i);
    SeekResult& result = results[asked[i]];
    result.offset = answer.offset();
    if (answer.has_error()) {
      result.status = FromRequestError(answer.error());
    } else if (Reading* const reading = readings_.Find(result.partition)) {
      readings_.OnSought(*reading, answer.offset(), answer.position_epoch());
      reading->told_moves = reading->moves;
    }
  }
  return absl::OkStatus();
}

absl::Status Consumer::Core::SetPaused(const std::vector<TopicPartition>& partitions, bool paused) {
  Lock lock(mutex_);
  const auto set = [&](Reading& reading) {
    reading.paused = paused;
    if (paused) return;
    for (; !reading.held.empty(); reading.held.pop_back()) {
      buffered_bytes_ += static_cast<int64_t>(reading.held.back()->batch.bytes.size());
      items_.push_front(std::move(reading.held.back()));
    }
  };
  v1::PausePartitionsRequest request;
  for (const TopicPartition& partition : partitions) {
    Reading* const reading = readings_.Find(partition);
    if (reading == nullptr || !reading->known) {
      return MakeError(absl::StatusCode::kFailedPrecondition, reason::kNotAssigned,
                       "The partition is not assigned.", {{"topic", partition.topic}});
    }
    set(*reading);
    ToProto(partition, *request.add_partitions());
  }
  if (partitions.empty()) readings_.ForEach(set);
  changed_.notify_all();
  // Without a session the next one is told.
  if (session_.id.empty()) return absl::OkStatus();
  request.set_session_id(session_.id);
  lock.unlock();
  grpc::ClientContext context;
  SetDeadline(context, connection_->options());
  absl::Status status;
  if (paused) {
    v1::PausePartitionsResponse response;
    status = FromGrpc(stub_.PausePartitions(&context, request, &response));
  } else {
    v1::ResumePartitionsRequest resume;
    resume.set_session_id(request.session_id());
    resume.mutable_partitions()->Swap(request.mutable_partitions());
    v1::ResumePartitionsResponse response;
    status = FromGrpc(stub_.ResumePartitions(&context, resume, &response));
  }
  const bool session_gone = IsTransient(status) || HasReason(status, reason::kSessionNotFound);
  return session_gone ? absl::OkStatus() : status;
}

// ---- Looking, closing

std::vector<Position> Consumer::Core::Positions() const {
  std::vector<Position> positions;
  std::lock_guard lock(mutex_);
  readings_.ForEach([&](const Reading& reading) {
    if (!reading.known) return;
    positions.push_back({reading.name.topic, reading.name.partition, reading.returned.offset,
                         reading.returned.log_epoch});
  });
  return positions;
}

int64_t Consumer::Core::lag() const {
  int64_t lag = 0;
  std::lock_guard lock(mutex_);
  readings_.ForEach([&](const Reading& reading) {
    if (!reading.known) return;
    lag += std::max<int64_t>(0, reading.high_watermark - reading.returned.offset);
  });
  return lag;
}

void Consumer::Core::Close() {
  Lock lock(mutex_);
  closed_ = true;
  Fail(ClosedError());
  items_.clear();
  changed_.notify_all();
  commit_work_.notify_all();
  work_.notify_all();
  const Session session = session_;
  // A subscription that came to its end keeps the member's partitions for a while.
  if (!options_.group.empty() && (!session.id.empty() || ended_)) {
    v1::CommitOffsetRequest request;
    request.set_group(options_.group);
    request.set_member_id(session.member_id);
    request.set_member_epoch(session.member_epoch);
    request.set_leave(true);
    lock.unlock();
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
    v1::CommitOffsetResponse response;
    // If the hub does not hear it, it will see the stream end.
    (void)stub_.CommitOffset(&context, request, &response);
    lock.lock();
  }
  BreakOff();
  changed_.wait(lock, [&] { return !stream_exists_; });
  std::thread thread = std::move(thread_);
  std::thread commit_thread = std::move(commit_thread_);
  lock.unlock();
  if (thread.joinable()) thread.join();
  if (commit_thread.joinable()) commit_thread.join();
}

}  // namespace millrace::client
