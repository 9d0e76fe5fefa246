// The offsets that consumer groups committed, all of them in memory; their rows are written by the
// committer.
//
// Lookups from any thread; changes from the committer's thread only, once their rows are written.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "storage/commit/offset_commit_rule.h"
#include "storage/engine.h"
#include "storage/rocksdb/database.h"
#include "storage/types.h"

namespace millrace::storage {

class OffsetStore {
 public:
  // Reads all rows. Before anybody else uses the store.
  absl::Status Load(Database& database);

  std::vector<CommittedOffset> Committed(std::string_view group) const;  // Sorted by partition.
  std::vector<std::string> Groups() const;                               // Sorted.
  std::optional<StoredCommit> Find(std::string_view group, PartitionId partition) const;

  void Put(std::string_view group, CommittedOffset offset);
  void DropGroup(std::string_view group);
  void DropPartition(PartitionId partition);

  // The keys of the rows that DropPartition makes useless.
  std::vector<std::string> KeysOf(PartitionId partition) const;

 private:
  using Offsets = std::map<PartitionId, CommittedOffset>;

  mutable std::mutex mutex_;
  std::map<std::string, Offsets, std::less<>> groups_;  // Guarded by mutex_.
};

}  // namespace millrace::storage
