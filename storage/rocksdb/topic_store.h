// The catalogue: topics, their partitions, the log epoch, and the rows that these have.
//
// Lookups from any thread. The Make… functions describe changes for CommitQueue::Apply; what they
// describe runs on the committer's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "storage/catalogue.h"
#include "storage/clock.h"
#include "storage/rocksdb/batch_reader.h"
#include "storage/rocksdb/commit_queue.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/drop_filter.h"
#include "storage/rocksdb/offset_store.h"
#include "storage/rocksdb/partition_table.h"
#include "storage/rocksdb/reclaimer.h"
#include "storage/types.h"

namespace millrace::storage {

class TopicStore {
 public:
  // What topics bring along; outlives the store.
  struct Parts {
    Database& database;
    PartitionTable& partitions;
    DropBounds& bounds;
    OffsetStore& offsets;
    Reclaimer& reclaimer;
    const Clock& clock;
  };
  explicit TopicStore(const Parts& parts) : parts_(parts) {}

  // Reads the catalogue and all partitions. After an unclean end the log epoch is raised, and in
  // any case to `floor`. Before anybody else uses the store; errors are for a person.
  absl::Status Load(LogEpoch floor);

  // Says on disk that everything was written and synced.
  absl::Status MarkClean();

  const std::string& hub_id() const { return hub_id_; }
  const std::atomic<int64_t>& log_epoch() const { return log_epoch_; }

  TopicPtr Find(std::string_view name) const;
  std::vector<TopicPtr> All() const;  // Sorted by name.

  // `made` is set once the change is written.
  Change MakeCreation(std::string name, int32_t partition_count, RetentionPolicy retention,
                      TopicPtr* made);
  Change MakeUpdate(std::string name, TopicChange change, TopicPtr* made);
  Change MakeDeletion(std::string name);

 private:
  // A topic with the facts that only its row holds.
  struct Entry {
    TopicPtr topic;
    std::vector<LogEpoch> first_epochs;
  };

  absl::Status LoadFields(LogEpoch floor);
  absl::Status LoadPartitions();
  absl::Status RestorePartition(PartitionId id, LogEpoch first_epoch);
  absl::Status SyncField(std::string_view field, int64_t number);
  void AddField(std::string_view field, int64_t number, rocksdb::WriteBatch& batch);

  const Entry* FindEntry(std::string_view name) const;  // On the committer's thread.
  void GrowTo(rows::TopicRow& row, int32_t partition_count, LogEpoch epoch,
              rocksdb::WriteBatch& batch);
  void AddTopicRow(const rows::TopicRow& row, rocksdb::WriteBatch& batch);
  void Install(const rows::TopicRow& row, TopicPtr* made);
  void AddDeletionRows(const Topic& topic, rocksdb::WriteBatch& batch);

  Parts parts_;
  std::string hub_id_;
  bool was_clean_ = false;
  std::atomic<int64_t> log_epoch_ = 0;
  int64_t next_partition_ = 1;  // The committer's.
  mutable std::shared_mutex mutex_;
  std::map<std::string, Entry, std::less<>>
      topics_;  // Guarded by mutex_; changed by the committer.

  // What was found on disk for one partition.
  struct Found {
    rows::HeadRow head;
    std::vector<LogEpochHistory::Entry> epochs;
    std::vector<PartitionMark> marks;
  };
  absl::flat_hash_map<PartitionId, Found> found_;  // While loading.
};

}  // namespace millrace::storage
