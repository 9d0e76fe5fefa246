// The fixture of the contract suite: what storage/engine.h promises, tried on any engine. See
// tests/storage/contract/engine_factory.h for how an engine joins.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/engine.h"
#include "storage/error.h"
#include "tests/storage/contract/engine_factory.h"
#include "tests/storage/contract/manual_clock.h"

namespace millrace::storage {

// Records with these values and nothing else, in stored form.
EncodedRecords EncodeValues(const std::vector<std::string>& values);

// A record's value and where it was read.
struct ReadRecord {
  int64_t offset = 0;
  std::string value;

  friend bool operator==(const ReadRecord&, const ReadRecord&) = default;
};
std::ostream& operator<<(std::ostream& os, const ReadRecord& record);

// The records of a batch or of an answer, in order. Fails the test where a batch contradicts
// itself.
std::vector<ReadRecord> RecordsOf(const FetchedBatch& batch);
std::vector<ReadRecord> RecordsOf(const ReadResult& result);

// The reason of an error, as its word; "OK" for none.
template <typename T>
std::string ReasonWord(const absl::StatusOr<T>& result);
std::string ReasonWord(const absl::Status& status);

// Counts how often it was told.
class CountingWaiter : public ReadWaiter {
 public:
  void OnReadable(PartitionId partition) override;

  // Waits until it was told so often in all. False after a long time.
  bool WaitForCalls(int calls);
  int calls() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int calls_ = 0;
};

class EngineContract : public testing::TestWithParam<EngineFactoryMaker> {
 protected:
  void SetUp() override;
  void TearDown() override;

  Engine& engine() { return *engine_; }

  // Starts a write and answers a function that waits for its result.
  class PendingWrite;
  PendingWrite StartWrite(WriteSet set);

  absl::StatusOr<WriteResult> Write(WriteSet set);

  // Appends and answers the base offset. Fails the test on an error.
  Offset AppendValues(PartitionId partition, const std::vector<std::string>& values,
                      Durability durability = Durability::kBuffered);

  absl::StatusOr<ReadResult> Read(PartitionId partition, Offset from, ReadLimits limits = {});

  // Reads from `from` to the end, answer by answer. Fails the test on an error.
  std::vector<ReadRecord> ReadAll(PartitionId partition, Offset from = Offset(0),
                                  ReadLimits limits = {});

  // Creates a topic. Fails the test on an error.
  TopicPtr CreateTopic(std::string_view name, int32_t partitions = 1,
                       RetentionPolicy retention = {});
  PartitionId CreatePartition() { return CreateTopic("topic")->partitions[0]; }

  // A set that commits one offset.
  static WriteSet CommitOf(std::string group, PartitionId partition, int64_t next_offset,
                           std::optional<int64_t> epoch = std::nullopt, std::string metadata = "");

  // A set that appends to one partition.
  static WriteSet AppendOf(PartitionId partition, const std::vector<std::string>& values);

  // A set that appends to one partition under a producer's number.
  static WriteSet NumberedOf(PartitionId partition, const std::vector<std::string>& values,
                             const ProducerState& producer, int64_t sequence);

  // Opens the producer that NumberedOf writes for. Fails the test on an error.
  ProducerState OpenProducer(std::string_view id = "producer");

  // What the group committed in the partition; absent for nothing.
  std::optional<CommittedOffset> CommittedBy(std::string_view group, PartitionId partition);

  EngineSettings settings() const { return {.clock = &clock_, .producer_window = 4}; }

  ManualClock clock_;
  std::unique_ptr<EngineFactory> factory_;
  std::unique_ptr<Engine> engine_;
};

// Shares its result with the completion, so that either may go first.
class EngineContract::PendingWrite {
 public:
  // Waits for the completion. Fails the test after a long time.
  absl::StatusOr<WriteResult> Wait();
  bool done() const;

 private:
  friend class EngineContract;
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    int completions = 0;
    absl::StatusOr<WriteResult> result = absl::UnknownError("no completion");
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

// Appends, commits and a producer's number in one write. Input has three records; output and other
// are empty.
class TransactionContract : public EngineContract {
 protected:
  void SetUp() override;

  // Commits input up to `next_offset`, appends two values to output and one to other.
  WriteSet TransactionOf(int64_t sequence, int64_t next_offset,
                         std::optional<int64_t> epoch = std::nullopt);
  void ExpectNothingStored();

  PartitionId input_;
  PartitionId output_;
  PartitionId other_;
  ProducerState producer_;
};

// What holds over a restart besides. Only for engines that keep their data.
class DurableEngineContract : public EngineContract {
 protected:
  void ReopenAfterClose();
  void ReopenAfterKill();
};

template <typename T>
std::string ReasonWord(const absl::StatusOr<T>& result) {
  return ReasonWord(result.status());
}

}  // namespace millrace::storage
