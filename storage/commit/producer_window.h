// What the log remembers of one producer: its epoch, the last sequence stored and the outcomes of
// the last few, so that a repeated request gets the answer of the first.
//
// A plain value without locks: its owner sees to threads, and to what is kept on disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "storage/engine.h"
#include "storage/types.h"

namespace millrace::storage {

// What a numbered write did.
struct ProducerOutcome {
  absl::InlinedVector<AppendedRange, 1> ranges;
  std::string annotation;
};

enum class SequenceVerdict {
  kProceed,    // The next sequence: go on.
  kDuplicate,  // Stored before; its outcome is known.
  kExpired,    // Stored before, so long ago that its outcome is forgotten.
  kFenced,     // Of an epoch that a newer one replaced.
  kUnknown,    // Of an epoch that was never opened, as after accepted data loss.
  kGap,        // Beyond the next sequence, or below 1.
};

class ProducerWindow {
 public:
  // Keeps the outcomes of the last `window` sequences, at least 1.
  explicit ProducerWindow(int32_t window);

  ProducerEpoch epoch() const { return epoch_; }
  int64_t last_sequence() const { return last_sequence_; }  // 0: none was stored.

  // Starts the next epoch; the first one is 1. Sequences go on across epochs.
  ProducerEpoch OpenEpoch();

  // Judges in the order of the enumerators of Engine::Write: fence, duplicate, gap.
  SequenceVerdict Check(ProducerEpoch epoch, int64_t sequence) const;

  // The outcome of a sequence that Check calls kDuplicate; null for any other.
  const ProducerOutcome* Find(int64_t sequence) const;

  // Notes the outcome of the next sequence, and forgets the one that leaves the window.
  void Store(ProducerOutcome outcome);

  // Sets what was read back from disk. Outcomes may follow in any order; those outside of the
  // window are ignored.
  void Restore(ProducerEpoch epoch, int64_t last_sequence);
  void RestoreOutcome(int64_t sequence, ProducerOutcome outcome);

 private:
  // The outcome of `sequence` lies at sequence modulo window; the ring grows up to that.
  std::optional<ProducerOutcome>& Slot(int64_t sequence);

  int32_t window_;
  ProducerEpoch epoch_;
  int64_t last_sequence_ = 0;
  std::vector<std::optional<ProducerOutcome>> ring_;
};

// The error that a write answers: OK for kProceed, kDuplicate and kExpired; PRODUCER_FENCED
// (current_epoch), PRODUCER_UNKNOWN, SEQUENCE_GAP (expected_sequence). A null window is an unknown
// producer.
absl::Status StatusOf(SequenceVerdict verdict, const ProducerStamp& stamp,
                      const ProducerWindow* window);

}  // namespace millrace::storage
