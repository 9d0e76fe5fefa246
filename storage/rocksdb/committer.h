// The first half of a commit, START HERE: one thread at a time takes all writes that wait, judges
// them in their order, assigns offsets, and puts everything that they store into one RocksDB batch,
// in the write-ahead log unsynced. What may be lost in a power cut is visible and answered then;
// the rest goes on to the Syncer.
//
//   Write -> CommitQueue -> Committer -> write-ahead log -> (Syncer ->) visible -> answered
//
// All changes of the log go through whoever commits, so that nobody else changes partitions,
// producers and offsets, and no locks are needed to judge. That is the committer's own thread, or a
// caller that leads for a moment: see commit_queue.h.
#pragma once

#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "storage/clock.h"
#include "storage/commit/write_rules.h"
#include "storage/engine.h"
#include "storage/rocksdb/commit_queue.h"
#include "storage/rocksdb/committed_group.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/disk_space.h"
#include "storage/rocksdb/failure_latch.h"
#include "storage/rocksdb/group_draft.h"
#include "storage/rocksdb/offset_store.h"
#include "storage/rocksdb/partition_table.h"
#include "storage/rocksdb/producer_store.h"
#include "storage/rocksdb/syncer.h"
#include "storage/rocksdb/tail_cache.h"
#include "storage/rocksdb/witness.h"

namespace millrace::storage {

class Committer : private LogState {
 public:
  // What the committer works on; all of it outlives the committer.
  struct Parts {
    Database& database;
    CommitQueue& queue;
    Syncer& syncer;
    Witness& witness;
    FailureLatch& failure;
    PartitionTable& partitions;
    ProducerStore& producers;
    OffsetStore& offsets;
    const std::atomic<int64_t>& log_epoch;  // Changed within a commit only.
    const Clock& clock;
  };

  Committer(const Parts& parts, DiskSpace disk, int64_t tail_cache_bytes);
  ~Committer() override;

  // For a caller whom the queue made its leader: commits what waits, until it leads no more. Runs
  // the completions of what need not wait for a sync. `syncs`: what must wait for one is the
  // caller's to sync, by Syncer::SyncOnCallingThread right afterwards.
  void CommitAsLeader(bool syncs);

  // How long groups took from being taken up until they were in the log.
  LatencyCounts append_times() const { return append_times_.Read(); }
  // Groups and changes that are done with, well or badly.
  uint64_t done() const { return done_.load(std::memory_order_relaxed); }

  // Commits what is queued, ends the thread. The queue must be closed. Idempotent.
  void Stop();

 private:
  void Run();
  void Commit(std::vector<QueuedWrite>& writes);
  void CommitWrites(std::vector<QueuedWrite>::iterator begin,
                    std::vector<QueuedWrite>::iterator end);
  void CommitChange(std::unique_ptr<Change> change);

  // LogState: the log with the group that is being built.
  std::optional<Bounds> FindPartition(PartitionId partition) const override;
  const ProducerWindow* FindProducer(std::string_view producer_id) const override;
  std::optional<StoredCommit> FindCommit(std::string_view group,
                                         PartitionId partition) const override;

  // Judges one write and adds it to the group.
  absl::StatusOr<WriteResult> Judge(const WriteSet& set, absl::Time now);
  void AddToGroup(const WriteSet& set, const WriteDecision& decision, absl::Time now);

  // Writes the batch. After an error nothing in memory has changed.
  absl::Status WriteBatchOut(int64_t record_bytes);
  absl::Status WriteToLog();
  void TellWitness();
  void PublishGroup();
  void DropGroup();
  // Splits the group into what is answered now and what waits for a sync.
  void FinishGroup(std::vector<QueuedWrite>::iterator begin, std::vector<QueuedWrite>::iterator end,
                   std::vector<absl::StatusOr<WriteResult>> results);
  bool MustWait(const WriteSet& set, const absl::StatusOr<WriteResult>& result);

  Parts parts_;
  DiskSpace disk_;
  TailCache tail_;
  LatencyHistogram append_times_;
  std::atomic<uint64_t> done_ = 0;
  bool log_was_cut_ = false;  // The disk refused a write: the write-ahead log has to be changed.
  uint64_t last_group_ = 0;
  uint64_t last_handed_over_ = 0;  // The last group with records that wait for a sync.

  // The group that is being built.
  rocksdb::WriteBatch batch_;
  GroupDraft draft_;
  absl::flat_hash_map<std::pair<std::string, PartitionId>, CommittedOffset> commits_;
  std::vector<std::string> producers_in_group_;
  std::vector<Witness::End> ends_;  // Kept for its memory.
  std::vector<QueuedWrite> led_;    // The same, of a leader.
  bool leader_syncs_ = false;       // Of the commit that is under way.

  std::thread thread_;
};

}  // namespace millrace::storage
