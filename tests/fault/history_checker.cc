// What is asked and answered. What is found after a cut is judged in history_judge.cc.
#include "tests/fault/history_checker.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/error.h"

namespace millrace::fault {
namespace {

using storage::Durability;
using storage::Offset;
using storage::PartitionId;
using storage::Reason;

constexpr Offset kAnywhere{std::numeric_limits<int64_t>::max()};

std::string Name(int64_t write) { return "write " + std::to_string(write); }

// Whether an error leaves open what became of the request.
bool LeavesOpen(const absl::Status& status) {
  const auto reason = storage::ReasonOf(status);
  return !reason || reason == Reason::kStorageFailed;
}

}  // namespace

std::string_view WordOf(Violation violation) {
  switch (violation) {
#define MILLRACE_VIOLATION_CASE(enumerator, word) \
  case Violation::enumerator:                     \
    return word;
    MILLRACE_VIOLATIONS(MILLRACE_VIOLATION_CASE)
#undef MILLRACE_VIOLATION_CASE
  }
  return "";
}

std::string MetadataOf(int64_t write, size_t commit) {
  return std::to_string(write) + "/" + std::to_string(commit);
}

std::string AnnotationOf(int64_t write) { return Name(write); }

void HistoryChecker::Add(Violation violation, std::string text) {
  findings_.push_back({violation, std::move(text)});
}

void HistoryChecker::Report(Violation violation, std::string text) {
  const std::lock_guard lock(mutex_);
  Add(violation, std::move(text));
}

std::vector<Finding> HistoryChecker::violations() const {
  const std::lock_guard lock(mutex_);
  return findings_;
}

// ---- Writes

void HistoryChecker::AskWrite(const AskedWrite& asked) {
  const std::lock_guard lock(mutex_);
  Write& write = writes_[asked.id];
  const bool first = writes_of_life_.insert(asked.id).second;
  write.asked = asked;
  ++write.attempts;
  if (!first) return;
  write.attempts = 1;
  write.stored = false;
  write.absent = write.place != Place::kFound && write.place != Place::kUnsure;
  if (write.place != Place::kFound) write.place = Place::kUnderWay;
  write.order = next_order_++;
  write.accepted.assign(asked.commits.size(), std::nullopt);
  for (size_t i = 0; i < asked.commits.size(); ++i) {
    const AskedCommit& commit = asked.commits[i];
    commits_[{commit.group, commit.partition}].push_back(
        {.order = write.order, .write = asked.id, .index = i});
  }
  if (asked.stamp) producers_[asked.stamp->producer].writes[asked.stamp->sequence] = asked.id;
}

void HistoryChecker::AnswerWrite(int64_t id, Durability durability,
                                 const absl::StatusOr<storage::WriteResult>& result) {
  const std::lock_guard lock(mutex_);
  Write& write = writes_.at(id);
  if (!result.ok()) return AnswerRefused(write, result.status());
  if (write.asked.stamp) {
    const Producer& producer = producers_[write.asked.stamp->producer];
    if (write.asked.stamp->epoch < producer.epoch) {
      Add(Violation::kFenceLost, Name(id) + " was taken of an older epoch of its producer");
    }
  }
  if (result->duplicate) return AnswerRepeated(write, durability, *result);
  AnswerStored(write, durability, *result);
}

void HistoryChecker::AnswerStored(Write& write, Durability durability,
                                  const storage::WriteResult& result) {
  const std::string name = Name(write.asked.id);
  // The answer to a repetition may come first.
  if (write.place == Place::kFound || std::exchange(write.stored, true)) {
    Add(Violation::kRepeatStored, name + " was stored, and stored again when it was repeated");
  }
  bool fits = result.ranges.size() == write.asked.appends.size() &&
              result.commits.size() == write.asked.commits.size();
  write.bases.clear();
  for (size_t i = 0; fits && i < result.ranges.size(); ++i) {
    const AskedAppend& append = write.asked.appends[i];
    fits = result.ranges[i].partition == append.partition &&
           result.ranges[i].record_count == append.count;
    write.bases.push_back(result.ranges[i].base_offset);
  }
  if (!fits) {
    write.bases.clear();
    return Add(Violation::kAnswerWrong, name + ": ranges or commits do not fit the request");
  }
  if (write.place != Place::kAnswered || durability == Durability::kSynced) {
    write.durability = durability;
  }
  write.place = Place::kAnswered;
  NoteCommits(write, result);
}

void HistoryChecker::NoteCommits(Write& write, const storage::WriteResult& result) {
  for (size_t i = 0; i < result.commits.size(); ++i) {
    const auto& committed = result.commits[i];
    write.accepted[i] = committed.ok() && *committed == write.asked.commits[i].next_offset;
  }
}

void HistoryChecker::AnswerRepeated(Write& write, Durability durability,
                                    const storage::WriteResult& result) {
  const std::string name = Name(write.asked.id);
  if (write.place == Place::kUnderWay && write.absent && write.attempts == 1) {
    return Add(Violation::kRepeatWithoutRecords,
               name + " is not in the log, which calls it a duplicate");
  }
  if (result.result_expired) {
    const Producer& producer = producers_[write.asked.stamp->producer];
    const int64_t newest = producer.writes.empty() ? 0 : producer.writes.rbegin()->first;
    if (write.asked.stamp->sequence > newest - producer_window_) {
      Add(Violation::kProducerForgotten, "the outcome of " + name + " was forgotten too early");
    }
    return;
  }
  bool same = result.ranges.size() == write.asked.appends.size();
  for (size_t i = 0; same && i < write.bases.size(); ++i) {
    same = result.ranges[i].base_offset == write.bases[i] &&
           result.ranges[i].record_count == write.asked.appends[i].count &&
           result.ranges[i].partition == write.asked.appends[i].partition;
  }
  if (!same || result.annotation != AnnotationOf(write.asked.id)) {
    return Add(Violation::kRepeatAnsweredOtherwise,
               name + " was answered otherwise when it was repeated");
  }
  if (write.place == Place::kUnderWay) {
    write.place = Place::kAnswered;
    write.bases.clear();
    for (const auto& range : result.ranges) write.bases.push_back(range.base_offset);
    write.durability = durability;
  } else if (durability == Durability::kSynced) {
    write.durability = durability;
  }
}

void HistoryChecker::AnswerRefused(Write& write, const absl::Status& status) {
  if (LeavesOpen(status)) return;
  const std::string name = Name(write.asked.id);
  const auto reason = storage::ReasonOf(status);
  const bool stored = write.place == Place::kFound || write.place == Place::kAnswered;
  if (write.asked.stamp) {
    const AskedStamp& stamp = *write.asked.stamp;
    const Producer& producer = producers_[stamp.producer];
    const bool current = stamp.epoch == producer.epoch && stamp.epoch == producer.newest_epoch;
    if (current && (reason == Reason::kProducerUnknown || reason == Reason::kProducerFenced)) {
      return Add(Violation::kProducerForgotten, name + ": " + std::string(status.message()));
    }
    const Write* before = WriteOf(stamp.producer, stamp.sequence - 1);
    const bool follows = stamp.sequence == 1 ||
                         (before != nullptr && before->place == Place::kFound) ||
                         (before != nullptr && before->place == Place::kAnswered);
    if (reason == Reason::kSequenceGap && (follows || stored)) {
      return Add(Violation::kProducerForgotten, name + ": " + std::string(status.message()));
    }
  }
  if (stored || write.attempts > 1) return;
  write.place = Place::kRefused;
  write.accepted.assign(write.asked.commits.size(), false);
}

const HistoryChecker::Write* HistoryChecker::WriteOf(const std::string& producer,
                                                     int64_t sequence) const {
  const auto found = producers_.find(producer);
  if (found == producers_.end()) return nullptr;
  const auto write = found->second.writes.find(sequence);
  return write == found->second.writes.end() ? nullptr : &writes_.at(write->second);
}

std::vector<AskedWrite> HistoryChecker::Missing(const std::string& producer) const {
  const std::lock_guard lock(mutex_);
  std::vector<AskedWrite> missing;
  const auto found = producers_.find(producer);
  if (found == producers_.end()) return missing;
  for (const auto& [sequence, id] : found->second.writes) {
    const Write& write = writes_.at(id);
    if (write.place == Place::kGone || write.place == Place::kUnsure) {
      missing.push_back(write.asked);
    }
  }
  return missing;
}

bool HistoryChecker::IsRepeatable(int64_t id) const {
  const std::lock_guard lock(mutex_);
  const Write& write = writes_.at(id);
  const AskedStamp& stamp = *write.asked.stamp;
  // The number of a write that was refused is given to another.
  return producers_.at(stamp.producer).writes.at(stamp.sequence) == id &&
         (write.place == Place::kFound || write.place == Place::kAnswered ||
          (write.place == Place::kUnderWay && write.attempts > 0));
}

// ---- Changes

void HistoryChecker::AskChange(const AskedChange& change) {
  using Kind = AskedChange::Kind;
  const std::lock_guard lock(mutex_);
  change_ = change;
  switch (change.kind) {
    case Kind::kCreateTopic: {
      TopicState& topic = topics_[change.name];
      topic.may_be_present = true;
      topic.may_have = change.partitions;
      topic.has_retention = topic.has_retention || change.has_retention;
      break;
    }
    case Kind::kUpdateTopic: {
      TopicState& topic = topics_[change.name];
      topic.may_have = std::max(topic.may_have, change.partitions);
      if (change.has_retention) {
        topic.has_retention = true;
        for (const PartitionId id : topic.partitions) partitions_[id].starts_before = kAnywhere;
      }
      break;
    }
    case Kind::kDeleteTopic: {
      TopicState& topic = topics_[change.name];
      topic.may_be_absent = true;
      EraseCommits(std::nullopt, topic.partitions, false);
      break;
    }
    case Kind::kTruncate: {
      PartitionState& partition = partitions_[change.partition];
      partition.starts_before = std::max(partition.starts_before, change.before);
      break;
    }
    case Kind::kDeleteGroup:
      AddGroupState(change.name, "");
      EraseCommits(change.name, {}, false);
      break;
    case Kind::kPutGroupState:
      AddGroupState(change.name, change.state);
      break;
    case Kind::kOpenProducer: {
      Producer& producer = producers_[change.name];
      ++producer.newest_epoch;
      break;
    }
    case Kind::kClose:
      end_ = End::kClosing;
      break;
  }
}

void HistoryChecker::AddGroupState(const std::string& group, const std::string& state) {
  std::vector<std::string>& states = group_states_[group];
  if (states.empty()) states.emplace_back();  // What it has that was given none.
  states.push_back(state);
}

void HistoryChecker::NoteOpenCut() {
  const std::lock_guard lock(mutex_);
  opened_ = true;
}

void HistoryChecker::AnswerChange(const absl::Status& status, const storage::TopicPtr& topic,
                                  const storage::ProducerState& producer) {
  using Kind = AskedChange::Kind;
  const std::lock_guard lock(mutex_);
  if (!status.ok()) {
    if (!LeavesOpen(status)) change_.reset();
    return;
  }
  const AskedChange change = *std::exchange(change_, std::nullopt);
  switch (change.kind) {
    case Kind::kCreateTopic:
    case Kind::kUpdateTopic:
      if (static_cast<int32_t>(topic->partitions.size()) < change.partitions) {
        Add(Violation::kAnswerWrong, "topic " + change.name + " has too few partitions");
      }
      TakeTopic(*topic);
      break;
    case Kind::kDeleteTopic:
      EraseCommits(std::nullopt, topics_[change.name].partitions, true);
      for (const PartitionId id : topics_[change.name].partitions) partitions_.erase(id);
      topics_.erase(change.name);
      break;
    case Kind::kTruncate: {
      PartitionState& partition = partitions_[change.partition];
      partition.earliest = std::max(partition.earliest, change.before);
      break;
    }
    case Kind::kDeleteGroup:
      group_states_[change.name] = {""};
      EraseCommits(change.name, {}, true);
      break;
    case Kind::kPutGroupState:
      group_states_[change.name] = {change.state};
      break;
    case Kind::kOpenProducer:
      change_ = change;
      AnswerOpenProducer(producer);
      change_.reset();
      break;
    case Kind::kClose:
      end_ = End::kClosed;
      break;
  }
}

void HistoryChecker::TakeTopic(const storage::Topic& topic) {
  TopicState& state = topics_[topic.name];
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    const PartitionId id = topic.partitions[i];
    if (i < state.partitions.size()) {
      if (state.partitions[i] != id) {
        Add(Violation::kTopicLost, "topic " + topic.name + " has other partitions than before");
      }
      continue;
    }
    if (!used_partitions_.insert(id).second) {
      Add(Violation::kPartitionReused, "topic " + topic.name + " has partition id " +
                                           std::to_string(id.value()) + ", which another one had");
    }
    partitions_[id].topic = topic.name;
    if (state.has_retention) partitions_[id].starts_before = kAnywhere;
  }
  state.partitions = topic.partitions;
  state.present = true;
  state.may_be_present = state.may_be_absent = false;
  state.may_have = static_cast<int32_t>(topic.partitions.size());
}

void HistoryChecker::EraseCommits(const std::optional<std::string>& group,
                                  const std::vector<PartitionId>& partitions, bool answered) {
  const auto concerned = [&](const ObservedLog::CommitKey& key) {
    if (group) return key.first == *group;
    return std::find(partitions.begin(), partitions.end(), key.second) != partitions.end();
  };
  // The step is there since it was asked, or is new.
  for (const auto& [key, step] : found_commits_) {
    if (concerned(key)) commits_.try_emplace(key);
  }
  if (!answered) ++next_order_;
  for (auto& [key, steps] : commits_) {
    if (!concerned(key)) continue;
    if (answered && !steps.empty() && steps.back().write == 0) {
      steps.back().answered = true;
    } else {
      steps.push_back({.order = next_order_, .write = 0, .index = 0, .answered = answered});
    }
  }
}

void HistoryChecker::AnswerOpenProducer(const storage::ProducerState& state) {
  Producer& producer = producers_[change_->name];
  if (state.epoch <= producer.epoch) {
    Add(Violation::kFenceLost, "producer " + change_->name + " was opened under an old epoch");
  }
  producer.epoch = producer.newest_epoch = state.epoch;
  for (const auto& [sequence, id] : producer.writes) {
    const Write& write = writes_.at(id);
    const bool stored = write.place == Place::kFound || write.place == Place::kAnswered;
    if (stored && sequence > state.last_sequence) {
      return Add(Violation::kProducerForgotten, Name(id) + " is stored, its sequence is forgotten");
    }
    const bool absent = write.place == Place::kGone || write.place == Place::kRefused;
    if (absent && sequence == state.last_sequence) {
      return Add(Violation::kRepeatWithoutRecords, Name(id) + " is not stored, its sequence is");
    }
  }
}

// ---- What readers see

void HistoryChecker::NoteLogEpoch(storage::LogEpoch epoch) {
  const std::lock_guard lock(mutex_);
  log_epoch_ = std::max(log_epoch_, epoch);
}

void HistoryChecker::NotePosition(const Position& position) {
  constexpr size_t kMostPositions = 30;
  const std::lock_guard lock(mutex_);
  if (positions_.size() >= kMostPositions) positions_.erase(positions_.begin());
  positions_.push_back(position);
}

std::vector<std::string> HistoryChecker::groups() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> groups;
  for (const auto& [group, states] : group_states_) groups.insert(group);
  for (const auto& [key, step] : found_commits_) groups.insert(key.first);
  for (const auto& [key, steps] : commits_) groups.insert(key.first);
  return {groups.begin(), groups.end()};
}

std::vector<Position> HistoryChecker::positions() const {
  const std::lock_guard lock(mutex_);
  return positions_;
}

}  // namespace millrace::fault
