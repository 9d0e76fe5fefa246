#include "storage/commit/write_rules.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "storage/error.h"

namespace millrace::storage {
namespace {

absl::Status NoPartition(PartitionId partition) {
  return Error(Reason::kTopicNotFound, "the partition was deleted",
               {{"partition_id", std::to_string(partition.value())}});
}

// One judgement: the log, and over it what the set itself has changed so far.
class Judgement {
 public:
  Judgement(const WriteSet& set, const LogState& log) : set_(set), log_(log) {}

  absl::StatusOr<WriteDecision> Decide() && {
    if (set_.producer) {
      const ProducerWindow* window = log_.FindProducer(set_.producer->producer_id);
      const SequenceVerdict verdict =
          window == nullptr ? SequenceVerdict::kUnknown
                            : window->Check(set_.producer->epoch, set_.producer->sequence);
      if (auto status = StatusOf(verdict, *set_.producer, window); !status.ok()) return status;
      if (verdict != SequenceVerdict::kProceed) return Repeat(*window);
    }
    if (auto status = DecideAppends(); !status.ok()) return status;
    if (!set_.refusal.ok()) return set_.refusal;
    if (auto status = DecideCommits(); !status.ok()) return status;
    return std::move(decision_);
  }

 private:
  WriteDecision Repeat(const ProducerWindow& window) const {
    WriteDecision repeat;
    repeat.result.duplicate = true;
    if (const ProducerOutcome* first = window.Find(set_.producer->sequence)) {
      repeat.result.ranges = first->ranges;
      repeat.result.annotation = first->annotation;
    } else {
      repeat.result.result_expired = true;
    }
    for (const OffsetCommit& commit : set_.commits) {
      const auto stored = log_.FindCommit(commit.group, commit.partition);
      repeat.result.commits.push_back(stored ? stored->next_offset : commit.next_offset);
    }
    repeat.commits.resize(set_.commits.size());
    return repeat;
  }

  absl::Status DecideAppends() {
    for (const Append& append : set_.appends) {
      if (!log_.FindPartition(append.partition)) return NoPartition(append.partition);
    }
    for (const Append& append : set_.appends) {
      const Offset base = BoundsOf(append.partition)->end;
      if (append.expected_next_offset && *append.expected_next_offset != base) {
        const std::string next = std::to_string(base.value());
        return ErrorIn(append.partition, Reason::kUnexpectedOffset,
                       "the partition's next offset is " + next, {{"next_offset", next}});
      }
      decision_.result.ranges.push_back({append.partition, base, append.records.count});
      if (set_.appends.size() > 1 || !set_.commits.empty()) {
        ends_[append.partition] = base + append.records.count;
      }
    }
    return absl::OkStatus();
  }

  absl::Status DecideCommits() {
    const bool all_or_nothing = IsAllOrNothing(set_);
    for (const OffsetCommit& commit : set_.commits) {
      absl::StatusOr<CommitDecision> decided = Judge(commit);
      if (!decided.ok()) {
        if (all_or_nothing) return decided.status();
        decision_.result.commits.push_back(decided.status());
        decision_.commits.emplace_back();
        continue;
      }
      decision_.result.commits.push_back(decided->committed.next_offset);
      const bool store = decided->verdict == CommitVerdict::kStore;
      decision_.commits.push_back(store ? std::optional(decided->committed) : std::nullopt);
      if (store && set_.commits.size() > 1) {
        commits_[{commit.group, commit.partition}] = decided->committed;
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<CommitDecision> Judge(const OffsetCommit& commit) const {
    const auto bounds = BoundsOf(commit.partition);
    if (!bounds) return NoPartition(commit.partition);
    if (commit.next_offset < Offset(0) || commit.next_offset > bounds->end) {
      return ErrorIn(commit.partition, Reason::kOffsetOutOfRange,
                     "there is no such offset to go on from",
                     {{"offset", std::to_string(commit.next_offset.value())},
                      {"earliest", std::to_string(bounds->earliest.value())},
                      {"latest", std::to_string(bounds->end.value())}});
    }
    const CommitDecision decision = DecideCommit(StoredFor(commit), commit);
    if (decision.verdict != CommitVerdict::kSuperseded) return decision;
    return ErrorIn(
        commit.partition, Reason::kSuperseded, "a newer position epoch has committed here",
        {{"committed_next_offset", std::to_string(decision.committed.next_offset.value())}});
  }

  // An error about one part of the set, which says which where it is the error of all.
  absl::Status ErrorIn(PartitionId partition, Reason reason, std::string_view message,
                       ErrorMetadata metadata) const {
    if (IsAllOrNothing(set_) && set_.appends.size() + set_.commits.size() > 1) {
      metadata["partition_id"] = std::to_string(partition.value());
    }
    return Error(reason, message, metadata);
  }

  std::optional<LogState::Bounds> BoundsOf(PartitionId partition) const {
    auto bounds = log_.FindPartition(partition);
    const auto changed = ends_.find(partition);
    if (bounds && changed != ends_.end()) bounds->end = changed->second;
    return bounds;
  }

  std::optional<StoredCommit> StoredFor(const OffsetCommit& commit) const {
    const auto changed = commits_.find({commit.group, commit.partition});
    if (changed != commits_.end()) return changed->second;
    return log_.FindCommit(commit.group, commit.partition);
  }

  const WriteSet& set_;
  const LogState& log_;
  WriteDecision decision_;
  absl::flat_hash_map<PartitionId, Offset> ends_;
  absl::flat_hash_map<std::pair<std::string, PartitionId>, StoredCommit> commits_;
};

}  // namespace

ProducerOutcome WriteDecision::OutcomeFor(const ProducerStamp& stamp) const {
  return {result.ranges, stamp.annotation};
}

bool IsAllOrNothing(const WriteSet& set) {
  return !set.appends.empty() || set.producer.has_value();
}

absl::StatusOr<WriteDecision> DecideWrite(const WriteSet& set, const LogState& log) {
  return Judgement(set, log).Decide();
}

}  // namespace millrace::storage
