// How a group goes on from what it committed: where it begins, position epochs, commits, resets.
#include <algorithm>
#include <future>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/hub/group.h"
#include "storage/error.h"

namespace millrace::hub {

using storage::Error;
using storage::Offset;
using storage::PartitionId;
using storage::PositionEpoch;
using storage::Reason;

namespace {

absl::StatusOr<storage::WriteResult> WriteAndWait(storage::Engine& engine, storage::WriteSet set) {
  std::promise<absl::StatusOr<storage::WriteResult>> written;
  engine.Write(std::move(set), [&](absl::StatusOr<storage::WriteResult> result) {
    written.set_value(std::move(result));
  });
  return written.get_future().get();
}

}  // namespace

// ---- Beginning

absl::Status Group::CommitStarts(const std::vector<std::string>& topics, StartResolver resolve) {
  std::lock_guard starts_lock(starts_mutex_);
  const CommittedById committed = ReadCommitted();
  storage::WriteSet set;
  for (const std::string& name : topics) {
    const storage::TopicPtr topic = context_.engine.FindTopic(name);
    if (topic == nullptr) continue;
    const bool known = std::any_of(topic->partitions.begin(), topic->partitions.end(),
                                   [&](PartitionId id) { return committed.contains(id); });
    for (const PartitionId id : topic->partitions) {
      if (committed.contains(id)) continue;
      absl::StatusOr<Offset> offset;
      if (known) {
        const auto status = context_.engine.Status(id);
        offset = status.ok() ? absl::StatusOr<Offset>(status->earliest) : status.status();
      } else {
        offset = resolve(id);
      }
      if (!offset.ok()) return offset.status();
      set.commits.push_back(
          {.group = name_, .partition = id, .next_offset = *offset, .metadata = ""});
    }
  }
  if (set.commits.empty()) return absl::OkStatus();
  return WriteAndWait(context_.engine, std::move(set)).status();
}

// ---- Offsets and epochs

Group::CommittedById Group::ReadCommitted() const {
  CommittedById committed;
  const auto offsets = context_.engine.CommittedOffsets(name_);
  if (!offsets.ok()) return committed;
  for (const storage::CommittedOffset& each : *offsets) committed.emplace(each.partition, each);
  return committed;
}

const Group::CommittedById& Group::Committed() {
  if (!committed_) committed_ = ReadCommitted();
  return *committed_;
}

// Where the group goes on: a partition that was added to a topic it has been reading has no commit,
// and is read from its first record.
Offset Group::CommittedIn(PartitionId partition) {
  const auto found = Committed().find(partition);
  if (found != Committed().end()) return found->second.next_offset;
  const auto status = context_.engine.Status(partition);
  return status.ok() ? status->earliest : Offset(0);
}

PositionEpoch Group::NextEpoch(PartitionId partition) {
  PositionEpoch& epoch = epochs_[partition];
  const auto found = Committed().find(partition);
  if (found != Committed().end()) epoch = std::max(epoch, found->second.position_epoch);
  return ++epoch;
}

void Group::NoteEpoch(PartitionId partition, const Subscription& stream) {
  const auto standing = stream.StandingOf(partition);
  if (standing) epochs_[partition] = std::max(epochs_[partition], standing->position_epoch);
}

void Group::NoteEpochs(const Subscription& stream) {
  for (const auto& [id, standing] : stream.Standings()) {
    epochs_[id] = std::max(epochs_[id], standing.position_epoch);
  }
}

absl::StatusOr<PositionEpoch> Group::BeginCommit(const MemberSession& session,
                                                 PartitionId partition,
                                                 std::optional<PositionEpoch> position_epoch) {
  std::lock_guard lock(mutex_);
  if (const Subscription* stream = StreamOf(session)) NoteEpoch(partition, *stream);
  const PositionEpoch present = epochs_[partition];
  if (coordinator_.Owns(session, partition) && position_epoch && *position_epoch > present) {
    return Error(Reason::kInvalidConfig,
                 absl::StrCat("position epoch ", position_epoch->value(),
                              " is yet to come: the "
                              "present one is ",
                              present.value()),
                 {{"field", "position_epoch"}});
  }
  if (!coordinator_.BeginCommit(session, partition)) {
    return Error(Reason::kMemberFenced,
                 absl::StrCat("member \"", session.member_id, "\" of epoch ", session.member_epoch,
                              " does not have this partition"));
  }
  return position_epoch.value_or(present);
}

void Group::EndCommit(const MemberSession& session, PartitionId partition,
                      const absl::StatusOr<Offset>& committed) {
  std::lock_guard lock(mutex_);
  if (committed.ok()) {
    if (Subscription* stream = StreamOf(session)) stream->OnCommitted(partition, *committed);
  }
  coordinator_.EndCommit(MonotonicNow(), session, partition,
                         committed.ok() ? std::optional(*committed) : std::nullopt);
  if (coordinator_.has_actions()) CarryOut();
}

// While a reset is under way no partition of it changes hands, as if a commit were.
std::vector<absl::Status> Group::Reset(const std::vector<ResetTarget>& targets) {
  storage::WriteSet set;
  {
    std::lock_guard lock(mutex_);
    std::set<std::string_view> topics;
    for (const ResetTarget& target : targets) {
      if (topics.insert(target.topic).second) RefreshTopic(target.topic);
    }
    for (const auto& [topic, id, offset] : targets) {
      coordinator_.BeginReset(id);
      for (const auto& [session, stream] : streams_) {
        if (coordinator_.Owns(session, id)) NoteEpoch(id, *stream.subscription);
      }
      set.commits.push_back({.group = name_,
                             .partition = id,
                             .next_offset = offset,
                             .metadata = "",
                             .position_epoch = NextEpoch(id)});
    }
    CarryOut();
  }
  const auto written = WriteAndWait(context_.engine, set);

  std::vector<absl::Status> results;
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < set.commits.size(); ++i) {
    const storage::OffsetCommit& commit = set.commits[i];
    results.push_back(written.ok() ? written->commits[i].status() : written.status());
    if (results.back().ok()) MoveOwner(commit);
    coordinator_.EndReset(MonotonicNow(), commit.partition, results.back().ok());
    CarryOut();
  }
  return results;
}

// Under the reset's own epoch, so that another reset that is under way already comes after it; a
// Seek may have raised the owner's beyond.
void Group::MoveOwner(const storage::OffsetCommit& reset) {
  const PartitionId id = reset.partition;
  for (const auto& [session, stream] : streams_) {
    const auto standing = stream.subscription->StandingOf(id);
    if (!standing || !coordinator_.Owns(session, id) || coordinator_.IsRevoking(id)) continue;
    NoteEpoch(id, *stream.subscription);
    const bool newer = *reset.position_epoch > standing->position_epoch;
    stream.subscription->Reset(id, reset.next_offset,
                               newer ? *reset.position_epoch : NextEpoch(id));
  }
}

}  // namespace millrace::hub
