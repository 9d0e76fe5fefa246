#include "storage/rocksdb/committer.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "absl/time/time.h"
#include "storage/error.h"
#include "storage/rocksdb/rows.h"

namespace millrace::storage {
namespace {

// A group takes no further writes beyond this, so that the first ones need not wait for long.
constexpr int64_t kFullGroupBytes = 1 << 20;

// A caller that leads has other work to do, after so many groups at the latest.
constexpr int kMostGroupsOfALeader = 4;

}  // namespace

Committer::Committer(const Parts& parts, DiskSpace disk, int64_t tail_cache_bytes)
    : parts_(parts), disk_(std::move(disk)), tail_(tail_cache_bytes), thread_([this] { Run(); }) {}

Committer::~Committer() { Stop(); }

void Committer::Stop() {
  if (thread_.joinable()) thread_.join();
}

void Committer::Run() {
  std::vector<QueuedWrite> writes;
  while (parts_.queue.TakeAll(writes)) Commit(writes);
}

void Committer::CommitAsLeader(bool syncs) {
  // Whoever syncs has no time for more: others go on meanwhile.
  const int most = syncs ? 1 : kMostGroupsOfALeader;
  for (int groups = 0; parts_.queue.TakeAsLeader(led_, groups < most); ++groups) {
    leader_syncs_ = syncs;
    Commit(led_);
    leader_syncs_ = false;
  }
}

void Committer::Commit(std::vector<QueuedWrite>& writes) {
  auto begin = writes.begin();
  while (begin != writes.end()) {
    if (begin->change != nullptr) {
      CommitChange(std::move(begin->change));
      done_.fetch_add(1, std::memory_order_relaxed);
      ++begin;
      continue;
    }
    int64_t bytes = 0;
    auto end = begin;
    while (end != writes.end() && end->change == nullptr && bytes < kFullGroupBytes) {
      bytes += (end++)->bytes;
    }
    CommitWrites(begin, end);
    done_.fetch_add(1, std::memory_order_relaxed);
    parts_.queue.Release(bytes);
    begin = end;
  }
}

// ---- Writes

void Committer::CommitWrites(std::vector<QueuedWrite>::iterator begin,
                             std::vector<QueuedWrite>::iterator end) {
  ++last_group_;
  const auto began = std::chrono::steady_clock::now();
  const absl::Time now = parts_.clock.Now();
  int64_t bytes = 0;
  std::vector<absl::StatusOr<WriteResult>> results;
  results.reserve(static_cast<size_t>(end - begin));
  for (auto write = begin; write != end; ++write) {
    bytes += write->bytes;
    results.push_back(Judge(write->set, now));
  }
  draft_.AddRows(parts_.database, LogEpoch(parts_.log_epoch.load(std::memory_order_relaxed)),
                 absl::ToUnixMillis(now), batch_);
  for (const auto& [key, offset] : commits_) {
    batch_.Put(parts_.database.offsets(), ToSlice(rows::OffsetKey(key.first, key.second)),
               ToSlice(rows::EncodeOffset(offset)));
  }
  if (auto status = WriteBatchOut(bytes); !status.ok()) {
    DropGroup();
    for (auto& result : results) {
      if (result.ok()) result = status;
    }
    // Nothing of the group is stored: answers need not wait for anything.
    for (auto write = begin; write != end; ++write) {
      std::move(write->done)(std::move(results[static_cast<size_t>(write - begin)]));
    }
    return;
  }
  append_times_.Record(std::chrono::steady_clock::now() - began);
  PublishGroup();
  FinishGroup(begin, end, std::move(results));
}

absl::StatusOr<WriteResult> Committer::Judge(const WriteSet& set, absl::Time now) {
  absl::StatusOr<WriteDecision> decision = DecideWrite(set, *this);
  if (auto unreadable = parts_.producers.TakeError(); !unreadable.ok()) return unreadable;
  if (!decision.ok()) return decision.status();
  if (!decision->result.duplicate) AddToGroup(set, *decision, now);
  return std::move(decision->result);
}

void Committer::AddToGroup(const WriteSet& set, const WriteDecision& decision, absl::Time now) {
  for (const Append& append : set.appends) {
    if (append.records.count == 0) continue;
    PartitionDraft& draft = draft_.DraftOf(parts_.partitions.Find(append.partition));
    GroupDraft::Append(draft, append.records);
    draft.wait_for_sync |= set.durability == Durability::kSynced;
  }
  for (size_t i = 0; i < set.commits.size(); ++i) {
    if (!decision.commits[i]) continue;
    const OffsetCommit& commit = set.commits[i];
    commits_[{commit.group, commit.partition}] = {
        .partition = commit.partition,
        .next_offset = decision.commits[i]->next_offset,
        .metadata = commit.metadata,
        .position_epoch = decision.commits[i]->position_epoch,
        .commit_time = now};
  }
  if (set.producer) {
    const std::string& id = set.producer->producer_id;
    parts_.producers.Store(*parts_.producers.Find(id), id, decision.OutcomeFor(*set.producer),
                           absl::ToUnixMillis(now), batch_);
    producers_in_group_.push_back(id);
  }
}

absl::Status Committer::WriteBatchOut(int64_t record_bytes) {
  if (auto status = parts_.failure.status(); !status.ok()) return status;
  if (batch_.Count() == 0) return absl::OkStatus();
  if (!disk_.HasRoomFor(record_bytes)) {
    return Error(Reason::kDiskFull, "there is not enough space on the disk");
  }
  return WriteToLog();
}

absl::Status Committer::WriteToLog() {
  if (log_was_cut_) {
    if (auto status = parts_.database.ResumeWriting(); !status.ok()) {
      return Error(Reason::kDiskFull, std::string(status.message()));
    }
    log_was_cut_ = false;
  }
  const rocksdb::Status written = parts_.database.db().Write(rocksdb::WriteOptions(), &batch_);
  if (written.IsNoSpace()) log_was_cut_ = true;
  absl::Status status = ToStatus(written, "the log cannot be written");
  if (!status.ok() && !written.IsNoSpace()) parts_.failure.Fail(status);
  if (status.ok()) TellWitness();
  return status;
}

void Committer::TellWitness() {
  ends_.clear();
  for (const PartitionDraft& draft : draft_.partitions()) {
    ends_.push_back({draft.partition->id(), draft.end});
  }
  // Nobody else writes: the last number is that of the last row written here.
  parts_.witness.Wrote(parts_.database.db().GetLatestSequenceNumber(), ends_);
}

void Committer::PublishGroup() {
  draft_.Publish(LogEpoch(parts_.log_epoch.load(std::memory_order_relaxed)), tail_);
  for (auto& [key, offset] : commits_) parts_.offsets.Put(key.first, std::move(offset));
}

void Committer::DropGroup() {
  for (const std::string& id : producers_in_group_) parts_.producers.Forget(id);
  draft_.Clear();
  commits_.clear();
  producers_in_group_.clear();
  batch_.Clear();
}

bool Committer::MustWait(const WriteSet& set, const absl::StatusOr<WriteResult>& result) {
  if (!result.ok()) return false;
  if (set.durability == Durability::kSynced) return true;
  if (last_handed_over_ <= parts_.syncer.finished()) return false;
  // A repetition may name partitions that the set does not.
  return std::any_of(result->ranges.begin(), result->ranges.end(), [&](const AppendedRange& range) {
    const PartitionPtr partition = parts_.partitions.Find(range.partition);
    return partition != nullptr && partition->written().unsynced_group > parts_.syncer.finished();
  });
}

void Committer::FinishGroup(std::vector<QueuedWrite>::iterator begin,
                            std::vector<QueuedWrite>::iterator end,
                            std::vector<absl::StatusOr<WriteResult>> results) {
  CommittedGroup now;
  CommittedGroup after_sync{.number = last_group_};
  for (PartitionDraft& draft : draft_.partitions()) {
    Partition::Written& written = draft.partition->written();
    draft.wait_for_sync |= written.unsynced_group > parts_.syncer.finished();
    if (draft.wait_for_sync) written.unsynced_group = last_handed_over_ = last_group_;
    CommittedGroup& group = draft.wait_for_sync ? after_sync : now;
    group.publications.push_back({draft.partition, draft.end});
  }
  for (auto write = begin; write != end; ++write) {
    auto& result = results[static_cast<size_t>(write - begin)];
    CommittedGroup& group = MustWait(write->set, result) ? after_sync : now;
    group.completions.push_back({std::move(write->done), std::move(result)});
    write->set = {};
  }
  const bool wrote = batch_.Count() > 0;
  draft_.Clear();
  commits_.clear();
  producers_in_group_.clear();
  batch_.Clear();
  parts_.producers.EndGroup();
  if (!after_sync.empty()) {
    parts_.syncer.Add(std::move(after_sync), /*wakes=*/!leader_syncs_);
  } else if (wrote) {
    parts_.syncer.NoteUnsynced();
  }
  now.Finish();
}

// ---- Changes

void Committer::CommitChange(std::unique_ptr<Change> change) {
  ++last_group_;
  absl::Status status = parts_.failure.status();
  if (status.ok() && !disk_.HasRoomForRows()) {
    status = Error(Reason::kDiskFull, "there is not enough space on the disk");
  }
  if (status.ok()) status = change->prepare(batch_);
  if (status.ok()) status = WriteToLog();
  batch_.Clear();
  parts_.producers.EndGroup();
  if (!status.ok()) {
    std::move(change->done)(status);
    return;
  }
  change->when_written();
  CommittedGroup group{.number = last_group_};
  group.change = std::move(change);
  parts_.syncer.Add(std::move(group));
}

// ---- What writes are judged against

std::optional<LogState::Bounds> Committer::FindPartition(PartitionId id) const {
  const PartitionPtr partition = parts_.partitions.Find(id);
  if (partition == nullptr) return std::nullopt;
  const Partition::Written& written = partition->written();
  const PartitionDraft* draft = const_cast<GroupDraft&>(draft_).FindDraft(*partition);
  return Bounds{written.head.earliest, draft == nullptr ? written.head.end : draft->end};
}

const ProducerWindow* Committer::FindProducer(std::string_view producer_id) const {
  return parts_.producers.Find(producer_id);
}

std::optional<StoredCommit> Committer::FindCommit(std::string_view group,
                                                  PartitionId partition) const {
  if (!commits_.empty()) {
    const auto found = commits_.find({std::string(group), partition});
    if (found != commits_.end()) {
      return StoredCommit{found->second.next_offset, found->second.position_epoch};
    }
  }
  return parts_.offsets.Find(group, partition);
}

}  // namespace millrace::storage
