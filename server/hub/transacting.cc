#include "server/hub/transacting.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/error.h"

namespace millrace::hub {

using storage::Error;
using storage::Reason;

// The commit of a transaction while the log has it.
struct Transacting::JudgedCommit {
  std::vector<CommitEntry> entries;
  std::vector<std::optional<size_t>> places;  // Of each entry in the set's commits.
  std::optional<BegunCommit> begun;           // Absent: refused.
};

// What is to be told of a transaction once the log has judged it.
struct Transacting::Underway {
  std::vector<Placement> placements;              // Of each append.
  absl::flat_hash_set<storage::TopicPtr> topics;  // Of the appends.
  JudgedCommit commit;
};

namespace {

absl::Status NotInAppend(size_t index, std::string_view field) {
  const std::string name(field);
  return OfAppend(
      index, Error(Reason::kInvalidConfig,
                   absl::StrCat(name, " is the transaction's: its appends have none of their own"),
                   {{"field", name}}));
}

absl::Status Check(const TransactCommand& command) {
  if (!command.producer) {
    return Error(Reason::kSequenceRequired, "a transaction needs a sequence: OpenProducer first",
                 {{"field", "sequence"}});
  }
  for (size_t i = 0; i < command.appends.size(); ++i) {
    if (command.appends[i].producer) return NotInAppend(i, "sequence");
    if (command.appends[i].durability) return NotInAppend(i, "durability");
  }
  if (command.appends.empty() && (!command.commit || command.commit->entries.empty())) {
    return Error(Reason::kEmptyRequest, "there is nothing to append and nothing to commit",
                 {{"field", "appends"}});
  }
  return absl::OkStatus();
}

// The first reason why nothing of a transaction may be stored.
void Refuse(storage::WriteSet& set, const absl::Status& why) {
  if (set.refusal.ok()) set.refusal = why;
}

// The placements whose ranges the result has: those of the first time, for topics may have grown
// since. None have ranges any more where the result has expired.
absl::StatusOr<std::vector<Placement>> PlacementsOf(const storage::WriteResult& result,
                                                    std::vector<Placement> present) {
  if (result.result_expired) return std::vector<Placement>(present.size());
  if (result.duplicate) return DecodePlacements(result.annotation);
  return present;
}

std::vector<ProduceOutcome> NameAppends(const storage::WriteResult& result,
                                        std::vector<Placement> placements) {
  std::vector<ProduceOutcome> outcomes;
  absl::Span<const storage::AppendedRange> ranges(result.ranges);
  for (Placement& placement : placements) {
    const size_t count = std::min(placement.size(), ranges.size());
    outcomes.push_back({.ranges = NameRanges(ranges.first(count), std::move(placement)),
                        .duplicate = result.duplicate,
                        .result_expired = result.result_expired});
    ranges.remove_prefix(count);
  }
  return outcomes;
}

}  // namespace

absl::Status OfAppend(size_t index, const absl::Status& error) {
  const std::optional<Reason> reason = storage::ReasonOf(error);
  if (!reason) return error;
  storage::ErrorMetadata metadata = storage::MetadataOf(error);
  metadata["append_index"] = absl::StrCat(index);
  if (const auto field = metadata.find("field"); field != metadata.end()) {
    field->second = absl::StrCat("appends[", index, "].", field->second);
  }
  return Error(*reason, absl::StrCat("append ", index, ": ", error.message()), metadata);
}

Transacting::Transacting(storage::Engine& engine, Topics& topics, Groups& groups, Executor& workers,
                         storage::Durability default_durability)
    : engine_(engine),
      topics_(topics),
      groups_(groups),
      workers_(workers),
      default_durability_(default_durability) {}

void Transacting::Transact(TransactCommand command, TransactCompletion done) {
  if (absl::Status status = Check(command); !status.ok()) return std::move(done)(status);
  FoundTopics topics = Find(command.appends);
  if (!MayCreate(topics)) return Store(std::move(command), topics, std::move(done));
  workers_.Post([this, command = std::move(command), topics = std::move(topics),
                 done = std::move(done)]() mutable {
    for (size_t i = 0; i < topics.size(); ++i) {
      if (!topics[i].ok()) topics[i] = topics_.FindOrAutoCreate(command.appends[i].topic);
    }
    Store(std::move(command), topics, std::move(done));
  });
}

Transacting::FoundTopics Transacting::Find(const std::vector<ProduceCommand>& appends) const {
  FoundTopics topics;
  topics.reserve(appends.size());
  for (const ProduceCommand& append : appends) topics.push_back(topics_.Find(append.topic));
  return topics;
}

bool Transacting::MayCreate(const FoundTopics& topics) const {
  return topics_.options().auto_create_partitions > 0 &&
         std::any_of(topics.begin(), topics.end(), [](const auto& topic) {
           return storage::ReasonOf(topic.status()) == Reason::kTopicNotFound;
         });
}

void Transacting::Store(TransactCommand command, const FoundTopics& topics,
                        TransactCompletion done) {
  storage::WriteSet set{.producer = std::move(command.producer),
                        .durability = command.durability.value_or(default_durability_)};
  Underway underway{.placements = std::vector<Placement>(command.appends.size())};
  if (auto placed = Place(command.appends, topics, set); placed.ok()) {
    underway.placements = *std::move(placed);
    set.producer->annotation = EncodePlacements(underway.placements);
  } else {
    set.appends.clear();
    Refuse(set, placed.status());
  }
  for (const auto& topic : topics) {
    if (topic.ok()) underway.topics.insert(*topic);
  }
  if (command.commit) underway.commit = Judge(*std::move(command.commit), set);
  engine_.Write(std::move(set), [this, underway = std::move(underway), done = std::move(done)](
                                    absl::StatusOr<storage::WriteResult> result) mutable {
    if (underway.commit.begun) Groups::EndCommit(*underway.commit.begun, result);
    if (!result.ok()) return std::move(done)(NamePartition(result.status(), underway));
    std::move(done)(Finish(*std::move(result), std::move(underway)));
  });
}

absl::StatusOr<TransactOutcome> Transacting::Finish(storage::WriteResult result,
                                                    Underway underway) {
  auto placements = PlacementsOf(result, std::move(underway.placements));
  if (!placements.ok()) return placements.status();
  TransactOutcome outcome{.appended = NameAppends(result, *std::move(placements)),
                          .duplicate = result.duplicate,
                          .result_expired = result.result_expired};
  JudgedCommit& commit = underway.commit;
  for (size_t i = 0; i < commit.entries.size(); ++i) {
    CommittedPosition position{.topic = std::move(commit.entries[i].topic),
                               .partition = commit.entries[i].partition};
    if (commit.places[i] && result.commits[*commit.places[i]].ok()) {
      position.next_offset = *result.commits[*commit.places[i]];
    }
    outcome.committed.push_back(std::move(position));
  }
  return outcome;
}

absl::Status Transacting::NamePartition(const absl::Status& error, const Underway& underway) const {
  storage::ErrorMetadata metadata = storage::MetadataOf(error);
  const auto id = metadata.find("partition_id");
  uint32_t number = 0;
  if (id == metadata.end() || !absl::SimpleAtoi(id->second, &number)) return error;
  absl::flat_hash_set<storage::TopicPtr> topics = underway.topics;
  for (const CommitEntry& entry : underway.commit.entries) {
    if (auto topic = engine_.FindTopic(entry.topic)) topics.insert(std::move(topic));
  }
  for (const storage::TopicPtr& topic : topics) {
    const auto& ids = topic->partitions;
    const auto found = std::find(ids.begin(), ids.end(), storage::PartitionId(number));
    if (found == ids.end()) continue;
    const std::string partition = absl::StrCat(found - ids.begin());
    metadata.erase(id);
    metadata["topic"] = topic->name;
    metadata["partition"] = partition;
    return Error(
        *storage::ReasonOf(error),
        absl::StrCat("partition ", partition, " of \"", topic->name, "\": ", error.message()),
        metadata);
  }
  return error;
}

absl::StatusOr<std::vector<Placement>> Transacting::Place(std::vector<ProduceCommand>& appends,
                                                          const FoundTopics& topics,
                                                          storage::WriteSet& set) {
  std::vector<Placement> placements;
  placements.reserve(appends.size());
  for (size_t i = 0; i < appends.size(); ++i) {
    if (!topics[i].ok()) return OfAppend(i, topics[i].status());
    const storage::Topic& topic = **topics[i];
    auto placement = placer_.Place(topic, appends[i].partition, std::move(appends[i].records));
    if (!placement.ok()) return OfAppend(i, placement.status());
    AddAppends(topic, *placement, appends[i].expected_next_offset, set);
    placements.push_back(*std::move(placement));
  }
  return placements;
}

Transacting::JudgedCommit Transacting::Judge(CommitCommand command, storage::WriteSet& set) {
  if (command.entries.empty()) return {};
  auto begun = groups_.BeginCommit(command);
  if (!begun.ok()) {
    Refuse(set, begun.status());
    return NameOnly(std::move(command), set);
  }
  const auto refusal = std::find_if(begun->refusals.begin(), begun->refusals.end(),
                                    [](const absl::Status& status) { return !status.ok(); });
  if (refusal != begun->refusals.end()) {
    Refuse(set, *refusal);
    Groups::EndCommit(*begun, *refusal);
    return NameOnly(std::move(command), set);
  }
  set.commits = begun->commits;
  JudgedCommit commit{.entries = std::move(command.entries)};
  for (size_t i = 0; i < commit.entries.size(); ++i) commit.places.emplace_back(i);
  commit.begun = *std::move(begun);
  return commit;
}

// For a repetition, which is told what the group has committed by now.
Transacting::JudgedCommit Transacting::NameOnly(CommitCommand command,
                                                storage::WriteSet& set) const {
  JudgedCommit commit{.entries = std::move(command.entries)};
  for (const CommitEntry& entry : commit.entries) {
    commit.places.emplace_back();
    const auto topic = topics_.Find(entry.topic);
    if (!topic.ok()) continue;
    const auto partition = Topics::PartitionOf(**topic, entry.partition);
    if (!partition.ok()) continue;
    commit.places.back() = set.commits.size();
    set.commits.push_back(
        {.group = command.group, .partition = *partition, .next_offset = entry.next_offset});
  }
  return commit;
}

}  // namespace millrace::hub
