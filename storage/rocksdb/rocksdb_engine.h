// The log on one machine's disk, in RocksDB: the engine that the hub runs on by default.
//
// Where to read on, in the order of a record's way: Write puts it into commit_queue; committer
// judges it and writes it; syncer makes it durable and visible; partition keeps its newest batches
// in memory and batch_reader finds the older ones; retention and reclaimer let it go.
#pragma once

#include <rocksdb/file_system.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "storage/clock.h"
#include "storage/engine.h"
#include "storage/periodic_task.h"
#include "storage/rocksdb/batch_reader.h"
#include "storage/rocksdb/commit_queue.h"
#include "storage/rocksdb/committer.h"
#include "storage/rocksdb/data_directory.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/drop_filter.h"
#include "storage/rocksdb/failure_latch.h"
#include "storage/rocksdb/lost_range.h"
#include "storage/rocksdb/offset_store.h"
#include "storage/rocksdb/partition_table.h"
#include "storage/rocksdb/producer_store.h"
#include "storage/rocksdb/read_ahead.h"
#include "storage/rocksdb/reader_pool.h"
#include "storage/rocksdb/reclaimer.h"
#include "storage/rocksdb/retention.h"
#include "storage/rocksdb/syncer.h"
#include "storage/rocksdb/topic_store.h"
#include "storage/rocksdb/witness.h"

namespace millrace::storage {

struct RocksDbOptions {
  std::string data_dir;
  const Clock* clock = &Clock::System();  // Outlives the engine.
  // Under everything but the files `lock` and `format`; null: that of the operating system. For
  // tests of what a disk can do.
  std::shared_ptr<rocksdb::FileSystem> file_system;
  int32_t producer_window = 128;         // Outcomes kept per producer.
  int64_t tail_cache_bytes = 64 << 20;   // Of the newest batches, of all partitions together.
  int64_t write_queue_bytes = 32 << 20;  // Beyond this, writes are OVERLOADED.
  int64_t min_blob_bytes = 8 << 10;      // Stored batches from this size on lie in blob files.
  // New batches are written out of memory in pieces of about this size; up to four are in memory.
  int64_t records_memtable_bytes = 32 << 20;
  // Writes stop with DISK_FULL while less is free. 0: not before the disk refuses one, which
  // RocksDB does not always survive.
  int64_t disk_reserve_bytes = 64 << 20;
  absl::Duration retention_interval = absl::Seconds(30);  // Zero: only EnforceRetention.
  // Opens a log that is damaged, or that has lost what was acknowledged, without what is missing:
  // as storage/rocksdb/log_repair.h says. Reads all of the log.
  bool accept_data_loss = false;
  // Called once, from an engine thread or one that writes, when the log has failed for good: a sync
  // or write that the disk refused for anything but a lack of space. Nothing in memory may be
  // believed then; the process should exit, and a restart recovers from disk.
  std::function<void(absl::Status)> on_failure;
};

// One engine per data directory, over all processes. Read old records from a pool of threads; all
// else is as storage/engine.h says.
class RocksDbEngine final : public Engine {
 public:
  // Errors are sentences for a person: those of DataDirectory::Open, Database::Open and
  // CheckAgainstWitness.
  static absl::StatusOr<std::unique_ptr<RocksDbEngine>> Open(RocksDbOptions options);
  ~RocksDbEngine() override;

  // What is missing or damaged, where data loss was accepted.
  absl::Span<const LostRange> lost() const { return lost_; }

  std::string_view name() const override { return "rocksdb"; }
  Capabilities capabilities() const override;
  std::string hub_id() const override { return topics_.hub_id(); }
  LogEpoch log_epoch() const override;
  int32_t producer_window() const override { return options_.producer_window; }

  void Write(WriteSet set, WriteCompletion done) override;
  bool write_queue_full() const override { return queue_.full(); }
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
  EngineStats Stats() const override;
  std::vector<WorkStatus> Work() const override;
  absl::Status Close() override;

 private:
  RocksDbEngine(RocksDbOptions options, std::unique_ptr<DataDirectory> directory,
                std::shared_ptr<DropBounds> bounds, std::unique_ptr<Database> database,
                std::shared_ptr<std::atomic<bool>> records_flushed, WitnessFiles witness);

  absl::Status Load();
  absl::Status StartWitness();
  void StartThreads();
  absl::Status ForgetProducers(absl::Span<const ProducerStore::IdleProducer> idle);
  void KeepHouse();

  const RocksDbOptions options_;
  std::unique_ptr<DataDirectory> directory_;
  std::shared_ptr<DropBounds> bounds_;
  std::shared_ptr<std::atomic<bool>> records_flushed_;  // Since housekeeping last looked.
  std::unique_ptr<Database> database_;
  FailureLatch failure_;
  PartitionTable partitions_;
  ProducerStore producers_;
  OffsetStore offsets_;
  CommitQueue queue_;
  Reclaimer reclaimer_;
  TopicStore topics_;
  Retention retention_;
  BatchReader batch_reader_;
  Witness witness_;
  std::vector<LostRange> lost_;

  std::mutex close_mutex_;
  bool closed_ = false;  // Guarded by close_mutex_.

  // Threads; null until Load has succeeded.
  std::unique_ptr<ReaderPool> readers_;
  std::unique_ptr<ReadAhead> read_ahead_;
  std::unique_ptr<Syncer> syncer_;
  std::unique_ptr<Committer> committer_;
  std::optional<PeriodicTask> housekeeping_;
};

}  // namespace millrace::storage
