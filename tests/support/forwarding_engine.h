// An engine that hands every call on to another one: the base of test engines that change one
// thing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/engine.h"

namespace millrace::storage {

class ForwardingEngine : public Engine {
 public:
  // `next` outlives this object.
  explicit ForwardingEngine(Engine& next) : next_(next) {}

  std::string_view name() const override { return next_.name(); }
  Capabilities capabilities() const override { return next_.capabilities(); }
  std::string hub_id() const override { return next_.hub_id(); }
  LogEpoch log_epoch() const override { return next_.log_epoch(); }
  int32_t producer_window() const override { return next_.producer_window(); }

  void Write(WriteSet set, WriteCompletion done) override {
    next_.Write(std::move(set), std::move(done));
  }
  bool write_queue_full() const override { return next_.write_queue_full(); }
  absl::StatusOr<ProducerState> OpenProducer(std::string_view producer_id) override {
    return next_.OpenProducer(producer_id);
  }
  absl::Status ExpireProducers(absl::Duration idle) override { return next_.ExpireProducers(idle); }

  void Read(PartitionId partition, Offset from, ReadLimits limits, ReadCompletion done) override {
    next_.Read(partition, from, limits, std::move(done));
  }
  void NotifyWhenReadable(PartitionId partition, Offset from,
                          std::weak_ptr<ReadWaiter> waiter) override {
    next_.NotifyWhenReadable(partition, from, std::move(waiter));
  }
  absl::StatusOr<PartitionStatus> Status(PartitionId partition) const override {
    return next_.Status(partition);
  }
  absl::StatusOr<Offset> OffsetAtTime(PartitionId partition, absl::Time time) override {
    return next_.OffsetAtTime(partition, time);
  }
  absl::Status ValidatePosition(PartitionId partition, Offset offset,
                                LogEpoch epoch) const override {
    return next_.ValidatePosition(partition, offset, epoch);
  }

  absl::StatusOr<std::vector<CommittedOffset>> CommittedOffsets(
      std::string_view group) const override {
    return next_.CommittedOffsets(group);
  }
  std::vector<std::string> Groups() const override { return next_.Groups(); }
  absl::Status DeleteGroup(std::string_view group) override { return next_.DeleteGroup(group); }
  absl::Status PutGroupState(std::string_view group, std::string_view state) override {
    return next_.PutGroupState(group, state);
  }
  absl::StatusOr<std::string> GroupState(std::string_view group) const override {
    return next_.GroupState(group);
  }

  TopicPtr FindTopic(std::string_view name) const override { return next_.FindTopic(name); }
  std::vector<TopicPtr> Topics() const override { return next_.Topics(); }
  absl::StatusOr<TopicPtr> CreateTopic(std::string_view name, int32_t partition_count,
                                       RetentionPolicy retention) override {
    return next_.CreateTopic(name, partition_count, std::move(retention));
  }
  absl::StatusOr<TopicPtr> UpdateTopic(std::string_view name, const TopicChange& change) override {
    return next_.UpdateTopic(name, change);
  }
  absl::Status DeleteTopic(std::string_view name) override { return next_.DeleteTopic(name); }
  absl::Status Truncate(PartitionId partition, Offset before) override {
    return next_.Truncate(partition, before);
  }
  absl::Status EnforceRetention() override { return next_.EnforceRetention(); }
  absl::StatusOr<int64_t> CreateCheckpoint(const std::string& directory) override {
    return next_.CreateCheckpoint(directory);
  }
  EngineStats Stats() const override { return next_.Stats(); }
  std::vector<WorkStatus> Work() const override { return next_.Work(); }
  absl::Status Close() override { return next_.Close(); }

 private:
  Engine& next_;
};

}  // namespace millrace::storage
