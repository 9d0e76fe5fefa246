#include "storage/commit/offset_commit_rule.h"

namespace millrace::storage {

CommitDecision DecideCommit(const std::optional<StoredCommit>& stored, const OffsetCommit& commit) {
  const PositionEpoch stored_epoch = stored ? stored->position_epoch : PositionEpoch();
  const StoredCommit wanted{commit.next_offset, commit.position_epoch.value_or(stored_epoch)};
  if (!stored || !commit.position_epoch || wanted.position_epoch > stored_epoch) {
    return {CommitVerdict::kStore, wanted};
  }
  if (wanted.position_epoch < stored_epoch) return {CommitVerdict::kSuperseded, *stored};
  if (wanted.next_offset < stored->next_offset) return {CommitVerdict::kKeep, *stored};
  return {CommitVerdict::kStore, wanted};
}

}  // namespace millrace::storage
