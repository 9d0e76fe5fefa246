// What a consumer commits for its group, see consumer_core.h.
#include <algorithm>
#include <utility>

#include "client/cpp/consumer_core.h"
#include "client/cpp/convert.h"
#include "client/cpp/monotonic.h"
#include "client/cpp/status.h"
#include "millrace/error.h"

namespace millrace::client {
namespace {

// How often a commit is tried again that the hub says is not this session's to make.
constexpr int kStaleAnswers = 4;

absl::Status NoGroupError() {
  return absl::FailedPreconditionError("An independent reader has nothing to commit.");
}

// Whether an entry was refused because the session or position it names is no longer the present
// one.
bool IsStale(const v1::CommitOffsetResponse& response) {
  return std::any_of(response.results().begin(), response.results().end(),
                     [](const v1::CommitResult& result) {
                       return result.error().reason() == reason::kMemberFenced ||
                              result.error().reason() == reason::kSuperseded;
                     });
}

}  // namespace

absl::StatusOr<v1::CommitOffsetResponse> Consumer::Core::CommitPatiently(
    const std::function<void(v1::CommitOffsetRequest&)>& fill, Durability durability) {
  if (options_.group.empty()) return NoGroupError();
  const absl::Time deadline = Deadline();
  Backoff backoff(connection_->options().backoff);
  bool as_member = true;
  bool before_the_end = true;
  int stale_answers = 0;
  while (true) {
    v1::CommitOffsetRequest request;
    Lock lock(mutex_);
    const absl::StatusOr<Session> session = WaitForSession(deadline, lock);
    if (!session.ok()) return session.status();
    request.set_group(options_.group);
    request.set_durability(ToProto(durability));
    // After the end of the subscription the group has no member, but for a rejoin grace.
    if ((!session->id.empty() && before_the_end) || !as_member) {
      request.set_member_id(session->member_id);
      request.set_member_epoch(session->member_epoch);
    }
    fill(request);
    lock.unlock();
    if (request.offsets().empty() && request.released().empty()) return v1::CommitOffsetResponse();

    v1::CommitOffsetResponse response;
    grpc::ClientContext context;
    SetDeadline(context, connection_->options());
    const absl::Status status = FromGrpc(stub_.CommitOffset(&context, request, &response));
    lock.lock();
    const bool session_changed = session_.id != session->id;
    // Of a session that just ended, or a partition that was just lost, the frame may still be on
    // its way: it changes what there is to commit.
    const bool stale =
        status.ok() && IsStale(response) && (session_changed || ++stale_answers <= kStaleAnswers);
    if (status.ok() && !stale) return response;
    // The hub ends a subscription to what is there now as soon as it has sent all of it, which may
    // wait behind a full buffer here.
    if (stale && !session_changed && options_.end_at_current && before_the_end) {
      before_the_end = false;
      continue;
    }
    // While the buffer is full nothing is read, neither that the stream broke nor what was lost.
    if (stale && !session_changed && !reading_) BreakOff();
    if (session->id.empty() && as_member && HasReason(status, reason::kGroupHasMembers)) {
      as_member = false;
      continue;
    }
    if (!status.ok() && !IsTransient(status) && !session_changed) return status;
    const absl::Time again_at = MonotonicNow() + backoff.Next();
    if (again_at >= deadline && status.ok()) return response;
    if (again_at >= deadline) return status;
    WaitUntil(changed_, lock, again_at, [&] { return closed_; });
  }
}

void Consumer::Core::FillReturned(v1::CommitOffsetRequest& request) {
  readings_.ForEach([&](const Reading& reading) {
    if (!reading.known) return;
    if (reading.returned.offset != reading.committed) {
      ToProto(OffsetCommit{.topic = reading.name.topic,
                           .partition = reading.name.partition,
                           .next_offset = reading.returned.offset,
                           .metadata = {},
                           .position_epoch = reading.position_epoch},
              *request.add_offsets());
    }
    // Nothing of it is left to be processed.
    if (reading.revoking) ToProto(reading.name, *request.add_released());
  });
}

void Consumer::Core::ApplyCommit(const v1::CommitOffsetResponse& response) {
  for (const v1::CommitResult& result : response.results()) {
    Reading* const reading = readings_.Find(result.topic(), result.partition());
    if (reading == nullptr || result.has_error() || !result.has_committed_next_offset()) continue;
    reading->committed = result.committed_next_offset();
  }
}

absl::Status Consumer::Core::CommitReturned(Durability durability) {
  const absl::StatusOr<v1::CommitOffsetResponse> response = CommitPatiently(
      [this](v1::CommitOffsetRequest& request) { FillReturned(request); }, durability);
  if (!response.ok()) return response.status();
  {
    std::lock_guard lock(mutex_);
    ApplyCommit(*response);
  }
  for (const v1::CommitResult& result : response->results()) {
    if (result.has_error()) return FromRequestError(result.error());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<CommitResult>> Consumer::Core::CommitOffsets(
    std::vector<OffsetCommit> offsets, Durability durability) {
  const auto fill = [&](v1::CommitOffsetRequest& request) {
    for (const OffsetCommit& commit : offsets) {
      v1::OffsetCommit& out = *request.add_offsets();
      ToProto(commit, out);
      const Reading* const reading = readings_.Find(commit.topic, commit.partition);
      if (!commit.position_epoch && reading != nullptr && reading->known) {
        out.set_position_epoch(reading->position_epoch);
      }
    }
  };
  const absl::StatusOr<v1::CommitOffsetResponse> response = CommitPatiently(fill, durability);
  if (!response.ok()) return response.status();
  std::vector<CommitResult> results;
  for (const v1::CommitResult& result : response->results()) results.push_back(FromProto(result));
  std::lock_guard lock(mutex_);
  ApplyCommit(*response);
  return results;
}

void Consumer::Core::CommitAsync(CommitCallback done, Durability durability) {
  Lock lock(mutex_);
  if (closed_) {
    lock.unlock();
    if (done) std::move(done)(ClosedError());
    return;
  }
  commit_requests_.emplace_back(std::move(done), durability);
  if (!commit_thread_.joinable()) commit_thread_ = std::thread([this] { RunCommits(); });
  commit_work_.notify_one();
}

void Consumer::Core::RunCommits() {
  Lock lock(mutex_);
  while (true) {
    commit_work_.wait(lock, [&] { return closed_ || !commit_requests_.empty(); });
    if (commit_requests_.empty()) return;
    auto requests = std::exchange(commit_requests_, {});
    lock.unlock();
    Durability durability = Durability::kBuffered;
    for (const auto& request : requests) {
      // The strongest one that was asked for.
      if (request.second != Durability::kBuffered && durability != Durability::kSynced) {
        durability = request.second;
      }
    }
    const absl::Status status = CommitReturned(durability);
    for (auto& [done, asked] : requests) {
      if (done) std::move(done)(status);
    }
    lock.lock();
  }
}

absl::Status Consumer::Core::Release(const std::vector<TopicPartition>& partitions) {
  const auto fill = [&](v1::CommitOffsetRequest& request) {
    for (const TopicPartition& partition : partitions) ToProto(partition, *request.add_released());
  };
  const absl::StatusOr<v1::CommitOffsetResponse> response =
      CommitPatiently(fill, Durability::kHubDefault);
  if (!response.ok()) return response.status();
  std::lock_guard lock(mutex_);
  for (const TopicPartition& partition : partitions) {
    if (Reading* const reading = readings_.Find(partition)) reading->Forget();
  }
  return absl::OkStatus();
}

}  // namespace millrace::client
