// The judgement of a write: every condition of Engine::Write in its order, the offsets of its
// appends and the fate of its commits, against the log as the writes before it left it. Engines
// that assign offsets themselves share it, so that they cannot differ.
//
// A pure function over what LogState answers: no I/O, no locks, nothing changed.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/commit/offset_commit_rule.h"
#include "storage/commit/producer_window.h"
#include "storage/engine.h"
#include "storage/types.h"

namespace millrace::storage {

// The log with all writes before the one judged, visible yet or not.
class LogState {
 public:
  virtual ~LogState() = default;

  struct Bounds {
    Offset earliest;  // The first offset still kept.
    Offset end;       // The offset that the next record will get.
  };

  // Absent: there is no such partition (any more).
  virtual std::optional<Bounds> FindPartition(PartitionId partition) const = 0;

  // Null: there is no such producer. Valid until the judgement is over.
  virtual const ProducerWindow* FindProducer(std::string_view producer_id) const = 0;

  // Absent: nothing is committed there.
  virtual std::optional<StoredCommit> FindCommit(std::string_view group,
                                                 PartitionId partition) const = 0;
};

struct WriteDecision {
  // What the completion gets once the rest is stored. With result.duplicate nothing is to be
  // stored. Its ranges hold the offsets of the appends.
  WriteResult result;

  // For each commit in order: what to store; absent where nothing changes. Of two entries for one
  // group and partition both may be present: the later one is what remains.
  std::vector<std::optional<StoredCommit>> commits;

  // What to Store in the producer's window; meaningful if the set has a stamp.
  ProducerOutcome OutcomeFor(const ProducerStamp& stamp) const;
};

// Whether the set is stored as a whole or not at all: with appends or a producer's stamp. Of others
// each commit stands for itself.
bool IsAllOrNothing(const WriteSet& set);

// Judges one write. An error refuses the whole set; result.commits holds the errors of single
// commits. A commit may reach up to the end as this very set leaves it. For a duplicate,
// result.commits tells what is committed now.
//
// Errors, in this order: PRODUCER_UNKNOWN, PRODUCER_FENCED, SEQUENCE_GAP (expected_sequence),
// TOPIC_NOT_FOUND, UNEXPECTED_OFFSET (next_offset), the set's refusal, and per commit
// TOPIC_NOT_FOUND, OFFSET_OUT_OF_RANGE (earliest, latest), SUPERSEDED (committed_next_offset); with
// partition_id where one of several parts refuses the set.
absl::StatusOr<WriteDecision> DecideWrite(const WriteSet& set, const LogState& log);

}  // namespace millrace::storage
