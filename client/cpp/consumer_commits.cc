// What a consumer commits for its group, see consumer_core.h.
#include <algorithm>
#include <map>
#include <utility>

#include "client/cpp/consumer_core.h"
#include "client/cpp/convert.h"
#include "client/cpp/monotonic.h"
#include "client/cpp/patience.h"
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

OffsetCommit CommitOf(const Reading& reading, int64_t next_offset) {
  return {.topic = reading.name.topic,
          .partition = reading.name.partition,
          .next_offset = next_offset,
          .metadata = {},
          .position_epoch = reading.position_epoch};
}

CommitResult SupersededResult(const OffsetCommit& commit) {
  return {.partition = {commit.topic, commit.partition},
          .status = MakeError(absl::StatusCode::kAborted, reason::kSuperseded,
                              "The partition went to another member, or to another position.",
                              {{"topic", commit.topic}})};
}

}  // namespace

absl::StatusOr<v1::CommitOffsetResponse> Consumer::Core::CommitPatiently(
    const std::function<void(v1::CommitOffsetRequest&)>& fill, Durability durability) {
  if (options_.group.empty()) return NoGroupError();
  const absl::Time deadline = Deadline();
  Backoff backoff(connection_->options().backoff);
  bool as_member = true;
  int stale_answers = 0;
  std::optional<v1::CommitOffsetResponse> fenced;
  while (true) {
    v1::CommitOffsetRequest request;
    Lock lock(mutex_);
    const absl::StatusOr<Session> session = WaitForSession(deadline, lock);
    if (!session.ok()) return session.status();
    request.set_group(options_.group);
    request.set_durability(ToProto(durability));
    if (as_member) {
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
    HearMore(stale && !session_changed);
    if (status.ok() && !stale) return response;
    if (fenced && HasReason(status, reason::kGroupHasMembers)) return *fenced;
    // After the end of the subscription the group forgets the member some time; the hub may be
    // there before the end is read from behind a full buffer.
    if (stale && as_member && !session_changed && options_.end_at_current) {
      as_member = false;
      fenced = response;
      continue;
    }
    if (!status.ok() && !IsTransient(status) && !session_changed) return status;
    const absl::Time again_at = MonotonicNow() + backoff.Next();
    if (again_at >= deadline && status.ok()) return response;
    if (again_at >= deadline) return status;
    WaitUntil(changed_, lock, again_at, [&] { return closed_; });
  }
}

void Consumer::Core::FillPlaces(CommitScope scope, v1::CommitOffsetRequest& request) {
  const bool processed_only = scope == CommitScope::kProcessed;
  readings_.ForEach([&](Reading& reading) {
    if (!reading.known || reading.failed) return;
    // Whoever is called for a revocation may have something to finish first.
    if (processed_only && reading.revoking && !reading.revoking_told) return;
    const int64_t place = processed_only ? reading.processed : reading.returned.offset;
    if (place != reading.committed) {
      ToProto(CommitOf(reading, place), *request.add_offsets());
      reading.commit_asked = std::max(reading.commit_asked, place);
    }
    const bool nothing_left = place == reading.returned.offset;
    if (reading.revoking && nothing_left) ToProto(reading.name, *request.add_released());
  });
}

void Consumer::Core::ApplyCommit(const v1::CommitOffsetResponse& response) {
  for (const v1::CommitResult& result : response.results()) {
    Reading* const reading = readings_.Find(result.topic(), result.partition());
    if (reading == nullptr || result.has_error() || !result.has_committed_next_offset()) continue;
    reading->committed = result.committed_next_offset();
  }
  release_due_ = true;
  work_.notify_one();
}

absl::Status Consumer::Core::CommitPlaces(CommitScope scope, Durability durability) {
  const absl::StatusOr<v1::CommitOffsetResponse> response = CommitPatiently(
      [&](v1::CommitOffsetRequest& request) { FillPlaces(scope, request); }, durability);
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

// ---- What is committed in other ways

absl::StatusOr<GroupCommit> Consumer::Core::PrepareCommit() {
  if (options_.group.empty()) return NoGroupError();
  Lock lock(mutex_);
  const absl::StatusOr<Session> session = WaitForSession(Deadline(), lock);
  if (!session.ok()) return session.status();
  GroupCommit commit{.group = options_.group,
                     .member_id = session->member_id,
                     .member_epoch = session->member_epoch,
                     .offsets = {}};
  absl::Status voided;
  readings_.ForEach([&](const Reading& reading) {
    if (reading.voided) {
      voided =
          MakeError(absl::StatusCode::kAborted, reason::kMemberFenced,
                    "Records that Poll returned went to another member, or the group was moved.",
                    {{"topic", reading.name.topic}});
    }
    if (!reading.known || reading.failed || reading.returned.offset == reading.committed) return;
    commit.offsets.push_back(CommitOf(reading, reading.returned.offset));
  });
  if (!voided.ok()) return voided;
  return commit;
}

void Consumer::Core::OnCommitted(const GroupCommit& commit) {
  std::lock_guard lock(mutex_);
  for (const OffsetCommit& offset : commit.offsets) {
    Reading* const reading = readings_.Find(offset.topic, offset.partition);
    if (reading == nullptr) continue;
    if (reading->voided && *reading->voided <= offset.next_offset) reading->voided.reset();
    if (!reading->known) continue;
    if (offset.position_epoch && *offset.position_epoch != reading->position_epoch) continue;
    reading->committed = offset.next_offset;
  }
  release_due_ = true;
  work_.notify_one();
}

absl::Status Consumer::Core::SeekToCommitted() {
  if (options_.group.empty()) return NoGroupError();
  v1::GetCommittedOffsetsRequest request;
  v1::GetCommittedOffsetsResponse response;
  request.set_group(options_.group);
  {
    std::lock_guard lock(mutex_);
    readings_.ForEach([&](Reading& reading) {
      reading.voided.reset();
      if (reading.known) ToProto(reading.name, *request.add_partitions());
    });
  }
  if (request.partitions().empty()) return absl::OkStatus();
  Patience patience(connection_->options());
  absl::Status status;
  do {
    grpc::ClientContext context;
    SetDeadline(context, connection_->options());
    status = FromGrpc(stub_.GetCommittedOffsets(&context, request, &response));
  } while (patience.WaitToRetry(status));
  if (!status.ok()) return status;
  std::vector<SeekTarget> targets;
  {
    std::lock_guard lock(mutex_);
    for (const v1::CommittedOffset& offset : response.offsets()) {
      Reading* const reading = readings_.Find(offset.topic(), offset.partition());
      if (reading == nullptr || !reading->known) continue;
      if (offset.has_next_offset()) reading->committed = offset.next_offset();
      if (reading->returned.offset == reading->committed || reading->revoking) continue;
      targets.push_back({.partition = reading->name, .target = reading->committed});
    }
  }
  absl::StatusOr<std::vector<SeekResult>> results = std::vector<SeekResult>();
  if (!targets.empty()) results = Seek(targets);
  if (!results.ok()) return results.status();
  return AbandonUnread(*results);
}

// What was returned and not committed of partitions that this member no longer reads is left to
// their next owner: without a place of its own there is nothing here that a later commit covers.
absl::Status Consumer::Core::AbandonUnread(const std::vector<SeekResult>& sought) {
  std::lock_guard lock(mutex_);
  for (const SeekResult& result : sought) {
    if (result.status.ok()) continue;
    if (!HasReason(result.status, reason::kNotAssigned)) return result.status;
    Reading* const reading = readings_.Find(result.partition);
    if (reading != nullptr && reading->known) reading->MoveTo(reading->committed, std::nullopt);
  }
  readings_.ForEach([](Reading& reading) {
    if (reading.known && reading.revoking) reading.MoveTo(reading.committed, std::nullopt);
    reading.told_moves = reading.moves;
  });
  release_due_ = true;
  work_.notify_one();
  return absl::OkStatus();
}

void Consumer::Core::MarkProcessed() {
  std::lock_guard lock(mutex_);
  readings_.MarkProcessed();
}

void Consumer::Core::MarkTold(const ConsumerEvent& event) {
  if (const auto* revoking = std::get_if<PartitionsRevoking>(&event)) {
    readings_.MarkRevokingTold(revoking->partitions);
  }
}

void Consumer::Core::MarkMovesTold(const ConsumerEvent& event) {
  const auto mark = [this](const TopicPartition& partition) {
    Reading* const reading = readings_.Find(partition);
    if (reading != nullptr) reading->told_moves = reading->moves;
  };
  if (const auto* assigned = std::get_if<PartitionsAssigned>(&event)) {
    for (const auto& partition : assigned->partitions) mark(partition.partition);
  } else if (const auto* lost = std::get_if<PartitionsLost>(&event)) {
    for (const TopicPartition& partition : lost->partitions) mark(partition);
  } else if (const auto* moved = std::get_if<PartitionRepositioned>(&event)) {
    mark(moved->partition);
  }
}

void Consumer::Core::NoteTold(const ConsumerEvent& event) {
  std::lock_guard lock(mutex_);
  MarkTold(event);
}

bool Consumer::Core::HasUncommittedProcessed() const {
  std::lock_guard lock(mutex_);
  bool has = false;
  readings_.ForEach([&](const Reading& reading) {
    has = has || (reading.known && !reading.failed && reading.processed != reading.committed);
  });
  return has;
}

absl::StatusOr<std::vector<CommitResult>> Consumer::Core::CommitOffsets(
    std::vector<OffsetCommit> offsets, Durability durability) {
  // The positions that the caller knows of. Once there is another one, an offset is not asked for:
  // it would move back what another member, or a reset, has made of the partition meanwhile. The
  // hub could not tell, for after a kill it numbers positions anew.
  std::map<TopicPartition, int64_t> known_moves;
  {
    std::lock_guard lock(mutex_);
    for (const OffsetCommit& commit : offsets) {
      const Reading* const reading = readings_.Find(commit.topic, commit.partition);
      if (reading != nullptr && reading->told_moves) {
        known_moves[reading->name] = *reading->told_moves;
      }
    }
  }
  std::vector<bool> asked;
  const auto fill = [&](v1::CommitOffsetRequest& request) {
    asked.clear();
    for (const OffsetCommit& commit : offsets) {
      Reading* const reading = readings_.Find(commit.topic, commit.partition);
      const auto moves = known_moves.find({commit.topic, commit.partition});
      const bool judged = reading != nullptr && moves != known_moves.end();
      asked.push_back(!judged || (reading->known && reading->moves == moves->second));
      if (!asked.back()) continue;
      v1::OffsetCommit& out = *request.add_offsets();
      ToProto(commit, out);
      if (reading == nullptr || !reading->known) continue;
      reading->commit_asked = std::max(reading->commit_asked, commit.next_offset);
      if (!commit.position_epoch) out.set_position_epoch(reading->position_epoch);
    }
  };
  const absl::StatusOr<v1::CommitOffsetResponse> response = CommitPatiently(fill, durability);
  if (!response.ok()) return response.status();
  std::vector<CommitResult> results;
  int answered = 0;
  for (size_t i = 0; i < offsets.size(); ++i) {
    if (!asked[i]) {
      results.push_back(SupersededResult(offsets[i]));
    } else if (answered < response->results_size()) {
      results.push_back(FromProto(response->results(answered++)));
    }
  }
  std::lock_guard lock(mutex_);
  ApplyCommit(*response);
  return results;
}

void Consumer::Core::CommitAsync(CommitScope scope, CommitCallback done, Durability durability) {
  Lock lock(mutex_);
  if (closed_) {
    lock.unlock();
    if (done) std::move(done)(ClosedError());
    return;
  }
  commit_requests_.push_back({scope, std::move(done), durability});
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
    CommitScope scope = CommitScope::kProcessed;
    for (const CommitAsked& asked : requests) {
      // The most, and the strongest promise, that was asked for.
      if (asked.scope == CommitScope::kReturned) scope = asked.scope;
      if (asked.durability != Durability::kBuffered && durability != Durability::kSynced) {
        durability = asked.durability;
      }
    }
    const absl::Status status = CommitPlaces(scope, durability);
    for (CommitAsked& asked : requests) {
      if (asked.done) std::move(asked.done)(status);
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
