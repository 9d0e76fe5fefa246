// Under which log epochs a partition was written, from where to where: decides whether what a
// reader saw is still what the log holds. The rule is stated at Engine::ValidatePosition.
//
// A plain value without locks: its owner sees to threads, and to what is kept on disk.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "storage/types.h"

namespace millrace::storage {

class LogEpochHistory {
 public:
  // From here on records were written under `epoch`.
  struct Entry {
    LogEpoch epoch;
    Offset first_offset;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  // Of a partition that was created under `first_epoch`.
  explicit LogEpochHistory(LogEpoch first_epoch) : first_epoch_(first_epoch) {}

  LogEpoch first_epoch() const { return first_epoch_; }

  // The entry that a batch makes when it is appended at `offset` under `epoch`; absent if the epoch
  // is that of the batch before.
  std::optional<Entry> EntryFor(LogEpoch epoch, Offset offset) const;

  // Adds an entry: by EntryFor, or read back from disk. Epochs and offsets must ascend.
  void Add(Entry entry) { entries_.push_back(entry); }

  // Forgets entries that only positions below `earliest` could tell apart.
  void DropBefore(Offset earliest);

  // Forgets what was written at and after `end`: the log was cut there.
  void CutAt(Offset end);

  const std::vector<Entry>& entries() const { return entries_; }  // Ascending.

  // OK, or LOG_EPOCH_CHANGED (valid_until: the largest offset that a reader of `epoch` may go on
  // from). `end` is the offset that the next record will get.
  absl::Status Validate(Offset offset, LogEpoch epoch, Offset end) const;

 private:
  LogEpoch first_epoch_;
  std::vector<Entry> entries_;
};

}  // namespace millrace::storage
