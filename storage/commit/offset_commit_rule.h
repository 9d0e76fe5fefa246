// Which of two commits of a group in one partition counts.
//
// A pure function, safe from any thread.
#pragma once

#include <optional>

#include "storage/engine.h"
#include "storage/types.h"

namespace millrace::storage {

// The part of a stored commit that the next one is judged by.
struct StoredCommit {
  Offset next_offset;
  PositionEpoch position_epoch;

  friend bool operator==(const StoredCommit&, const StoredCommit&) = default;
};

enum class CommitVerdict {
  kStore,       // Store the commit, metadata and all, with `committed`.
  kKeep,        // Of the same epoch and smaller than what is stored: nothing changes, no error.
  kSuperseded,  // Of an older epoch than what is stored: nothing changes.
};

struct CommitDecision {
  CommitVerdict verdict = CommitVerdict::kStore;
  StoredCommit committed;  // What is committed after this.
};

// Judges a commit against what is stored for its group and partition, if anything is. Of the same
// epoch the larger offset wins, and of equal offsets the later commit (for its metadata); a newer
// epoch replaces and may move back; an older one is superseded; a commit without an epoch replaces
// and keeps the stored epoch (the first one has epoch 0).
CommitDecision DecideCommit(const std::optional<StoredCommit>& stored, const OffsetCommit& commit);

}  // namespace millrace::storage
