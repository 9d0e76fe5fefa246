// What is found after a cut, judged.
#include <algorithm>
#include <limits>
#include <utility>

#include "storage/error.h"
#include "tests/fault/history_checker.h"

namespace millrace::fault {
namespace {

using storage::Durability;
using storage::LogEpoch;
using storage::Offset;
using storage::PartitionId;

std::string Name(int64_t write) { return "write " + std::to_string(write); }
std::string At(PartitionId partition, Offset offset) {
  return " at offset " + std::to_string(offset.value()) + " of partition " +
         std::to_string(partition.value());
}

// The records by offset; null beside them.
const ObservedRecord* RecordAt(const ObservedPartition& partition, Offset offset) {
  const auto found = std::lower_bound(
      partition.records.begin(), partition.records.end(), offset,
      [](const ObservedRecord& record, Offset wanted) { return record.offset < wanted; });
  return found != partition.records.end() && found->offset == offset ? &*found : nullptr;
}

}  // namespace

void HistoryChecker::Judge(const ObservedLog& log) {
  const std::lock_guard lock(mutex_);
  evidence_.clear();
  JudgeTopics(log);
  for (const auto& [id, partition] : log.partitions) JudgePartition(id, partition);
  for (const auto& [key, commit] : log.commits) {
    const auto source =
        std::find_if(commits_[key].begin(), commits_[key].end(), [&](const CommitStep& step) {
          return step.write != 0 && MetadataOf(step.write, step.index) == commit.metadata;
        });
    if (source != commits_[key].end()) evidence_[source->write].commit = true;
  }
  for (const auto& [key, step] : found_commits_) commits_.try_emplace(key);
  JudgeAnswered(log);
  JudgeWhole(log);
  for (const auto& [key, steps] : commits_) {
    const auto found = log.commits.find(key);
    JudgeCommit(log, key, found == log.commits.end() ? nullptr : &found->second);
  }
  JudgeGroups(log);
  JudgeEpoch(log);
  JudgePositions(log);
  Settle(log);
}

// ---- Topics

void HistoryChecker::JudgeTopics(const ObservedLog& log) {
  if (!hub_id_.empty() && log.hub_id != hub_id_) Add(Violation::kHubIdChanged, log.hub_id);
  hub_id_ = log.hub_id;
  std::set<std::string> names;
  for (const storage::TopicPtr& topic : log.topics) {
    names.insert(topic->name);
    const auto known = topics_.find(topic->name);
    if (known == topics_.end() || !(known->second.present || known->second.may_be_present)) {
      Add(Violation::kTopicInvented, "topic " + topic->name);
      topics_.erase(topic->name);
    } else {
      const TopicState& state = known->second;
      if (topic->partitions.size() < state.partitions.size()) {
        Add(Violation::kTopicLost, "partitions of topic " + topic->name);
      } else if (static_cast<int32_t>(topic->partitions.size()) > state.may_have) {
        Add(Violation::kTopicInvented, "more partitions of topic " + topic->name);
      }
    }
    TakeTopic(*topic);
  }
  for (auto known = topics_.begin(); known != topics_.end();) {
    if (names.contains(known->first)) {
      ++known;
      continue;
    }
    if (known->second.present && !known->second.may_be_absent) {
      Add(Violation::kTopicLost, "topic " + known->first);
    }
    for (const PartitionId id : known->second.partitions) partitions_.erase(id);
    known = topics_.erase(known);
  }
}

// ---- Records

void HistoryChecker::JudgePartition(PartitionId id, const ObservedPartition& partition) {
  PartitionState& state = partitions_[id];
  if (!partition.read.ok()) {
    Add(Violation::kUnreadable,
        "partition " + std::to_string(id.value()) + ": " + std::string(partition.read.message()));
    return;
  }
  if (partition.earliest < state.earliest) {
    Add(Violation::kUndeleted, "partition starts again" + At(id, partition.earliest));
  }
  if (partition.earliest > std::max(state.starts_before, state.earliest)) {
    Add(Violation::kDeleted, "partition starts" + At(id, partition.earliest));
  }
  if (partition.end < state.found_end()) {
    Add(Violation::kLost, "partition ends" + At(id, partition.end) + ", was longer before");
  }
  for (size_t i = 0; i < state.found.size(); ++i) {
    const Offset offset = state.first + static_cast<int64_t>(i);
    if (offset < partition.earliest || offset >= partition.end) continue;
    const ObservedRecord* record = RecordAt(partition, offset);
    if (record == nullptr || record->id != state.found[i]) {
      Add(Violation::kLost, ToText(state.found[i]) + " was found before" + At(id, offset));
      break;
    }
  }
  JudgeRecords(id, partition);
}

void HistoryChecker::JudgeRecords(PartitionId id, const ObservedPartition& partition) {
  const Offset new_from = partitions_[id].found_end();
  Offset next = partition.earliest;
  LogEpoch epoch;
  std::pair<int64_t, RecordId> last{0, {}};  // With the order of its write.
  std::set<RecordId> seen;
  for (const ObservedRecord& record : partition.records) {
    if (record.offset != next) {
      Add(Violation::kGap,
          "a record" + At(id, record.offset) + " follows the one before" + At(id, next));
      return;
    }
    next = record.offset + 1;
    if (record.log_epoch < epoch) Add(Violation::kEpochOrder, "batch" + At(id, record.offset));
    epoch = record.log_epoch;
    if (!record.id) {
      Add(Violation::kMangled, "bytes" + At(id, record.offset));
      return;
    }
    const bool twice = !seen.insert(*record.id).second;
    if (twice) Add(Violation::kDuplicated, ToText(*record.id) + At(id, record.offset));
    if (record.offset < new_from || twice) continue;
    const auto known = writes_.find(record.id->write);
    if (known == writes_.end()) {
      Add(Violation::kMangled, ToText(*record.id) + " was never asked" + At(id, record.offset));
      return;
    }
    const Write& write = known->second;
    const auto append = static_cast<size_t>(record.id->append);
    const std::string what = ToText(*record.id) + At(id, record.offset);
    if (append >= write.asked.appends.size() || write.asked.appends[append].partition != id ||
        record.id->index >= write.asked.appends[append].count) {
      Add(Violation::kMangled, what + " is not what was asked");
      return;
    }
    if (write.place == Place::kRefused) {
      Add(Violation::kRefusedStored, what);
      continue;
    }
    const bool of_this_life = writes_of_life_.contains(record.id->write);
    if (!of_this_life) {
      const bool found = write.place == Place::kFound;
      Add(found ? Violation::kDuplicated : Violation::kResurrected, what);
      continue;
    }
    if (write.place == Place::kFound) Add(Violation::kDuplicated, what);
    const std::pair<int64_t, RecordId> place{write.order, *record.id};
    if (place < last) Add(Violation::kReordered, what);
    last = place;
    // The records of an append lie together, and all of them are there.
    evidence_[record.id->write].bases.try_emplace(record.id->append,
                                                  record.offset - record.id->index);
    const bool first = record.id->index == 0 || record.offset == partition.earliest;
    const RecordId before{record.id->write, record.id->append, record.id->index - 1};
    const bool follows = first || (seen.contains(before));
    const Offset end = record.offset + (write.asked.appends[append].count - record.id->index);
    if (!follows || end > partition.end) Add(Violation::kTornWrite, what);
  }
  if (next != partition.end) Add(Violation::kGap, "the end" + At(id, partition.end));
}

// What was answered in this life: what is synced is there, and nothing else where it was stored.
void HistoryChecker::JudgeAnswered(const ObservedLog& log) {
  for (const int64_t id : writes_of_life_) {
    const Write& write = writes_.at(id);
    if (write.place != Place::kAnswered) continue;
    const bool durable = write.durability == Durability::kSynced || end_ == End::kClosed;
    for (size_t i = 0; i < write.bases.size(); ++i) {
      const AskedAppend& append = write.asked.appends[i];
      const auto found = log.partitions.find(append.partition);
      if (found == log.partitions.end() || !found->second.read.ok()) continue;
      const ObservedPartition& partition = found->second;
      for (int32_t index = 0; index < append.count; ++index) {
        const Offset offset = write.bases[i] + index;
        if (offset < partition.earliest) continue;
        const RecordId wanted{id, static_cast<int32_t>(i), index};
        const ObservedRecord* record = RecordAt(partition, offset);
        if (record != nullptr && record->id == wanted) continue;
        const std::string what = ToText(wanted) + At(append.partition, offset);
        if (durable) {
          Add(Violation::kLost, what);
        } else if (offset < partition.end) {
          Add(Violation::kOverwritten, what);
        } else {
          continue;  // Lost from the tail.
        }
        break;
      }
    }
  }
}

// A write is there with all its parts, or not at all.
void HistoryChecker::JudgeWhole(const ObservedLog& log) {
  for (const auto& [id, evidence] : evidence_) {
    const Write& write = writes_.at(id);
    for (size_t i = 0; i < write.asked.appends.size(); ++i) {
      if (evidence.bases.contains(static_cast<int32_t>(i))) continue;
      if (write.place == Place::kFound) continue;  // In a life before.
      const PartitionId partition = write.asked.appends[i].partition;
      const auto found = log.partitions.find(partition);
      if (found == log.partitions.end() || !found->second.read.ok()) continue;
      if (found->second.earliest > partitions_[partition].found_end()) continue;
      Add(Violation::kTornWrite,
          Name(id) + " has no records in partition " + std::to_string(partition.value()));
    }
  }
}

// ---- Commits

bool HistoryChecker::MustSurvive(const CommitStep& step) const {
  if (step.write == 0) return step.answered;
  const Write& write = writes_.at(step.write);
  const bool durable = write.durability == Durability::kSynced || end_ == End::kClosed;
  const auto evidence = evidence_.find(step.write);
  const bool is_there = evidence != evidence_.end() && !evidence->second.bases.empty();
  if (!is_there && !(write.place == Place::kAnswered && durable)) return false;
  if (write.accepted[step.index]) return *write.accepted[step.index];
  return !write.asked.commits[step.index].position_epoch;  // Without one it always replaces.
}

void HistoryChecker::JudgeCommit(const ObservedLog& log, const ObservedLog::CommitKey& key,
                                 const storage::CommittedOffset* found) {
  std::vector<CommitStep> steps;
  if (const auto before = found_commits_.find(key); before != found_commits_.end()) {
    steps.push_back(before->second);
  } else {
    steps.push_back({.order = 0, .write = 0, .index = 0, .answered = true});  // There was none.
  }
  size_t bound = 0;  // What the log cannot be older than.
  for (const CommitStep& step : commits_[key]) {
    if (MustSurvive(step)) bound = steps.size();
    steps.push_back(step);
  }
  const std::string what =
      "commit of group " + key.first + " in partition " + std::to_string(key.second.value());
  const bool partition_gone = !log.partitions.contains(key.second);
  if (found == nullptr) {
    const bool deleted = std::any_of(steps.begin() + static_cast<ptrdiff_t>(bound), steps.end(),
                                     [](const CommitStep& step) { return step.write == 0; });
    if (!deleted && !partition_gone) Add(Violation::kCommitLost, what + " is gone");
    return;
  }
  const auto source = std::find_if(steps.begin(), steps.end(), [&](const CommitStep& step) {
    return step.write != 0 && MetadataOf(step.write, step.index) == found->metadata;
  });
  if (source == steps.end()) {
    return Add(Violation::kCommitInvented, what + " with metadata " + found->metadata);
  }
  const Write& write = writes_.at(source->write);
  const AskedCommit& asked = write.asked.commits[source->index];
  if (found->next_offset != asked.next_offset || partition_gone) {
    Add(Violation::kCommitInvented, what + " with metadata " + found->metadata);
  }
  if (write.place == Place::kRefused) {
    Add(Violation::kRefusedStored, what + " of " + Name(source->write));
  }
  if (source < steps.begin() + static_cast<ptrdiff_t>(bound)) {
    Add(Violation::kCommitLost,
        what + " is " + found->metadata + ", older than " +
            (steps[bound].write == 0 ? "its deletion"
                                     : MetadataOf(steps[bound].write, steps[bound].index)));
  }
  const auto partition = log.partitions.find(key.second);
  if (partition != log.partitions.end() && found->next_offset > partition->second.end) {
    Add(Violation::kCommitBeyondEnd, what + " lies" + At(key.second, found->next_offset));
  }
}

void HistoryChecker::JudgeGroups(const ObservedLog& log) {
  for (const auto& [group, found] : log.group_states) {
    const auto known = group_states_.find(group);
    const bool is_one =
        known == group_states_.end()
            ? found.empty()
            : std::find(known->second.begin(), known->second.end(), found) != known->second.end();
    if (!is_one) Add(Violation::kGroupStateLost, "group " + group + " has \"" + found + "\"");
  }
}

// ---- Epochs and positions

void HistoryChecker::JudgeEpoch(const ObservedLog& log) {
  const std::string what =
      "from " + std::to_string(log_epoch_.value()) + " to " + std::to_string(log.log_epoch.value());
  const bool cleanly = end_ == End::kClosed && !opened_;
  const bool wrong = cleanly             ? log.log_epoch != log_epoch_
                     : end_ == End::kCut ? log.log_epoch <= log_epoch_
                                         : log.log_epoch < log_epoch_;
  if (wrong) Add(Violation::kEpochNotRaised, what);
}

void HistoryChecker::JudgePositions(const ObservedLog& log) {
  for (const auto& [position, status] : log.positions) {
    const auto found = log.partitions.find(position.partition);
    const std::string what = "position" + At(position.partition, position.next_offset) +
                             " of log epoch " + std::to_string(position.log_epoch.value());
    if (found == log.partitions.end()) {
      if (status.ok()) Add(Violation::kPositionAccepted, what + ": there is no such partition");
      continue;
    }
    const ObservedPartition& partition = found->second;
    if (!partition.read.ok() || position.next_offset <= partition.earliest) continue;
    const ObservedRecord* record = RecordAt(partition, position.next_offset - 1);
    const bool same = record != nullptr && record->id == position.last;
    if (status.ok() && !same) Add(Violation::kPositionAccepted, what);
    // A repetition may have stored the same record at the same place again, after it was lost.
    if (!status.ok() && same && record->log_epoch == position.log_epoch) {
      Add(Violation::kPositionRefused, what + ": " + std::string(status.message()));
    }
  }
}

// ---- What is there is durable now

void HistoryChecker::SettleWrite(const ObservedLog& log, Write& write) const {
  if (write.place == Place::kFound || write.place == Place::kRefused) return;
  const size_t appends = write.asked.appends.size();
  if (const auto evidence = evidence_.find(write.asked.id); evidence != evidence_.end()) {
    write.place = Place::kFound;
    const auto& bases = evidence->second.bases;
    if (bases.size() == appends) {
      write.bases.clear();
      for (const auto& [append, base] : bases) write.bases.push_back(base);
    } else if (write.bases.size() != appends) {
      write.bases.clear();  // Not all of them can be seen.
    }
    return;
  }
  // It is gone if its records could be seen anywhere.
  bool visible = false;
  for (size_t i = 0; i < appends; ++i) {
    const PartitionId id = write.asked.appends[i].partition;
    const auto found = log.partitions.find(id);
    if (found == log.partitions.end()) continue;
    const Offset place =
        write.bases.size() == appends ? write.bases[i] : partitions_.at(id).found_end();
    visible = visible || found->second.earliest <= place;
  }
  write.place = visible ? Place::kGone : Place::kUnsure;
  write.bases.clear();
}

void HistoryChecker::Settle(const ObservedLog& log) {
  for (const int64_t id : writes_of_life_) SettleWrite(log, writes_.at(id));
  for (auto& [id, state] : partitions_) {
    const auto found = log.partitions.find(id);
    if (found == log.partitions.end() || !found->second.read.ok()) continue;
    const ObservedPartition& partition = found->second;
    state.earliest = state.first = partition.earliest;
    const bool retained = state.starts_before == Offset(std::numeric_limits<int64_t>::max());
    if (!retained) state.starts_before = state.earliest;
    state.found.clear();
    for (const ObservedRecord& record : partition.records) {
      state.found.push_back(record.id.value_or(RecordId()));
    }
  }
  writes_of_life_.clear();
  found_commits_.clear();
  for (const auto& [key, commit] : log.commits) {
    CommitStep step;
    if (std::sscanf(commit.metadata.c_str(), "%ld/%zu", &step.write, &step.index) == 2 &&
        writes_.contains(step.write)) {
      found_commits_[key] = step;
    }
  }
  commits_.clear();
  for (auto& [group, states] : group_states_) {
    const auto found = log.group_states.find(group);
    if (found != log.group_states.end()) states = {found->second};
  }
  log_epoch_ = log.log_epoch;
  std::erase_if(positions_, [&](const Position& position) {
    return !log.partitions.contains(position.partition);
  });
  change_.reset();
  end_ = End::kCut;
  opened_ = false;
}

}  // namespace millrace::fault
