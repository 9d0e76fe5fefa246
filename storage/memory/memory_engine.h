// The log in memory, for tests of everything above it: it keeps every promise of storage/engine.h
// but durability. What it holds is gone with it.
//
// Reads complete inside the call; writes are stored inside the call and completed by a thread of
// the engine, in their order. Any thread may call anything; one mutex guards all. The engine never
// answers OVERLOADED, DISK_FULL or DATA_LOSS. After Close whatever would change it answers
// DRAINING.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "storage/clock.h"
#include "storage/commit/producer_window.h"
#include "storage/commit/write_rules.h"
#include "storage/engine.h"
#include "storage/memory/callback_thread.h"
#include "storage/memory/memory_partition.h"

namespace millrace::storage {

struct MemoryOptions {
  const Clock* clock = &Clock::System();  // Outlives the engine.
  int32_t producer_window = 128;          // Outcomes kept per producer.
  std::string hub_id;                     // Empty: made up at random.
  absl::Duration retention_interval = absl::Seconds(30);
};

class MemoryEngine final : public Engine, private LogState {
 public:
  explicit MemoryEngine(MemoryOptions options = {});
  ~MemoryEngine() override;

  std::string_view name() const override { return "memory"; }
  Capabilities capabilities() const override;
  std::string hub_id() const override { return options_.hub_id; }
  LogEpoch log_epoch() const override;
  int32_t producer_window() const override { return options_.producer_window; }

  void Write(WriteSet set, WriteCompletion done) override;
  bool write_queue_full() const override { return false; }
  absl::StatusOr<ProducerState> OpenProducer(std::string_view producer_id) override;
  absl::Status ExpireProducers(absl::Duration idle) override;

  void Read(PartitionId partition, Offset from, ReadLimits limits, ReadCompletion done) override;
  void NotifyWhenReadable(PartitionId partition, Offset from,
                          std::weak_ptr<ReadWaiter> waiter) override;
  absl::StatusOr<PartitionStatus> Status(PartitionId partition) const override;
  absl::StatusOr<Offset> OffsetAtTime(PartitionId partition, absl::Time time) override;
  absl::Status ValidatePosition(PartitionId partition, Offset offset,
                                LogEpoch epoch) const override;

  absl::StatusOr<std::vector<CommittedOffset>> CommittedOffsets(
      std::string_view group) const override;
  std::vector<std::string> Groups() const override;
  absl::Status DeleteGroup(std::string_view group) override;
  absl::Status PutGroupState(std::string_view group, std::string_view state) override;
  absl::StatusOr<std::string> GroupState(std::string_view group) const override;

  TopicPtr FindTopic(std::string_view name) const override;
  std::vector<TopicPtr> Topics() const override;
  absl::StatusOr<TopicPtr> CreateTopic(std::string_view name, int32_t partition_count,
                                       RetentionPolicy retention) override;
  absl::StatusOr<TopicPtr> UpdateTopic(std::string_view name, const TopicChange& change) override;
  absl::Status DeleteTopic(std::string_view name) override;
  absl::Status Truncate(PartitionId partition, Offset before) override;
  absl::Status EnforceRetention() override;
  absl::StatusOr<int64_t> CreateCheckpoint(const std::string& directory) override;
  EngineStats Stats() const override { return {}; }
  std::vector<WorkStatus> Work() const override { return {}; }
  absl::Status Close() override;

 private:
  struct Producer {
    ProducerWindow window;
    absl::Time last_use;
  };
  using GroupOffsets = std::map<PartitionId, CommittedOffset>;

  // LogState, for the judgement of a write; under mutex_.
  std::optional<Bounds> FindPartition(PartitionId partition) const override;
  const ProducerWindow* FindProducer(std::string_view producer_id) const override;
  std::optional<StoredCommit> FindCommit(std::string_view group,
                                         PartitionId partition) const override;

  // The rest of this section: under mutex_.
  absl::Status CheckOpen() const;
  absl::StatusOr<MemoryPartition*> Find(PartitionId partition) const;
  absl::StatusOr<TopicPtr> FindTopicOrError(std::string_view name) const;
  void Store(const WriteSet& set, const WriteDecision& decision);
  void PostWaiters(PartitionId id, MemoryPartition& partition);
  void AddPartitions(Topic& topic, int32_t count);
  void DropOffsets(const Topic& topic);

  const MemoryOptions options_;
  mutable std::mutex mutex_;  // Guards what follows, but for callbacks_.
  bool closed_ = false;
  LogEpoch log_epoch_{1};
  PartitionId next_partition_{1};
  std::map<std::string, TopicPtr, std::less<>> topics_;
  absl::flat_hash_map<PartitionId, std::unique_ptr<MemoryPartition>> partitions_;
  absl::flat_hash_map<std::string, Producer> producers_;
  std::map<std::string, GroupOffsets, std::less<>> groups_;
  std::map<std::string, std::string, std::less<>> group_states_;
  CallbackThread callbacks_;  // Last: its thread uses all of the above.
};

}  // namespace millrace::storage
