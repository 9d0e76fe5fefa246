// The hub's side of Transact: records for any topics and the offsets that a group commits with
// them, in one write of the log, all or nothing.
//
// Whatever the hub itself finds wrong with a transaction (a topic that is gone, a partition that
// the member has lost) goes along with the write as its refusal instead of being answered at once:
// the log alone knows whether this is the repetition of a transaction that is stored, which gets
// its first answer however the world has changed since.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/hub/executor.h"
#include "server/hub/groups.h"
#include "server/hub/producing.h"
#include "server/hub/record_placement.h"
#include "server/hub/topics.h"
#include "storage/engine.h"

namespace millrace::hub {

struct TransactCommand {
  std::vector<ProduceCommand> appends;  // Without durability and producer.
  // Without released, leave and durability. Without entries it is as absent.
  std::optional<CommitCommand> commit;
  std::optional<storage::ProducerStamp> producer;  // Required. Without annotation.
  std::optional<storage::Durability> durability;   // Absent: the hub's default.
};

// What a group has committed in a partition that the transaction names.
struct CommittedPosition {
  std::string topic;
  int32_t partition = 0;
  std::optional<storage::Offset> next_offset;  // Absent: nothing; of repetitions only.
};

struct TransactOutcome {
  // One for each append, in order. Of a duplicate those of the first time; without ranges where the
  // result has expired.
  std::vector<ProduceOutcome> appended;
  std::vector<CommittedPosition> committed;  // One for each entry, in order, as it is now.
  bool duplicate = false;
  bool result_expired = false;
};

using TransactCompletion = absl::AnyInvocable<void(absl::StatusOr<TransactOutcome>) &&>;

// Threads: any.
class Transacting {
 public:
  // All outlive this object. `workers` runs what blocks: the creation of missing topics.
  Transacting(storage::Engine& engine, Topics& topics, Groups& groups, Executor& workers,
              storage::Durability default_durability);

  // Stores the transaction and calls `done` once: inside the call for a refusal, else from a thread
  // of the engine. Never blocks. The reasons are those of EventHubService.Transact, but for what
  // the walk of the bytes finds.
  void Transact(TransactCommand command, TransactCompletion done);

 private:
  using FoundTopics = std::vector<absl::StatusOr<storage::TopicPtr>>;  // One for each append.
  struct JudgedCommit;
  struct Underway;

  FoundTopics Find(const std::vector<ProduceCommand>& appends) const;
  bool MayCreate(const FoundTopics& topics) const;
  void Store(TransactCommand command, const FoundTopics& topics, TransactCompletion done);
  static absl::StatusOr<TransactOutcome> Finish(storage::WriteResult result, Underway underway);
  // Puts names in the place of the log's number of a partition.
  absl::Status NamePartition(const absl::Status& error, const Underway& underway) const;
  absl::StatusOr<std::vector<Placement>> Place(std::vector<ProduceCommand>& appends,
                                               const FoundTopics& topics, storage::WriteSet& set);
  JudgedCommit Judge(CommitCommand command, storage::WriteSet& set);
  JudgedCommit NameOnly(CommitCommand command, storage::WriteSet& set) const;

  storage::Engine& engine_;
  Topics& topics_;
  Groups& groups_;
  Executor& workers_;
  const storage::Durability default_durability_;
  RecordPlacer placer_;
};

// The error of one append of a request: says which, in the message and as append_index, and puts
// its place before the field that the error names.
absl::Status OfAppend(size_t index, const absl::Status& error);

}  // namespace millrace::hub
