// Judges a hub by what its clients saw, by the rules of Jepsen's workload for queues like Kafka
// (jepsen.tests.kafka, https://jepsen-io.github.io/jepsen/jepsen.tests.kafka.html): aborted reads,
// inconsistent offsets, lost writes and unseen ones, duplicates, skips and inversions within a poll
// and between polls, inversions of sends. Beside them stands what Millrace promises more: commits
// that never go back, log epochs, and a copy by transactions that is equal to its source.
//
// A kill loses nothing that is in the page cache: BUFFERED is judged as SYNCED is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/fault/kills/history.h"

namespace millrace::kills {

// What can be wrong. One line: enumerator, its word.
#define MILLRACE_KILL_VIOLATIONS(X)                                              \
  X(kLostWrite, "lost write")                /* Later ones were read. */         \
  X(kUnseen, "acknowledged and never read")  /* By the whole-log reader. */      \
  X(kUnseenByReader, "not seen by a reader") /* That read to the end. */         \
  X(kDuplicate, "one value at two offsets")                                      \
  X(kInconsistentOffset, "two values at one offset")                             \
  X(kAckElsewhere, "not where the answer said")                                  \
  X(kAbortedRead, "failed send was read")                                        \
  X(kPhantom, "value that nobody sent")                                          \
  X(kInternalSkip, "skip within a poll")                                         \
  X(kExternalSkip, "skip between polls")                                         \
  X(kInternalNonmonotonic, "inversion within a poll")                            \
  X(kExternalNonmonotonic, "inversion between polls")                            \
  X(kNonmonotonicSend, "sends of a producer in another order")                   \
  X(kCommitRegressed, "commit regressed")                                        \
  X(kCommitInvented, "commit that nobody made") /* Or a start beyond commits. */ \
  X(kEpochNotRaised, "log epoch not raised")                                     \
  X(kEpochOrder, "log epochs of records disagree or fall")                       \
  X(kCopyDiffers, "copy by transactions differs")

enum class Rule {
#define MILLRACE_KILL_ENUMERATOR(enumerator, word) enumerator,
  MILLRACE_KILL_VIOLATIONS(MILLRACE_KILL_ENUMERATOR)
#undef MILLRACE_KILL_ENUMERATOR
};
std::string_view WordOf(Rule rule);

struct Finding {
  Rule rule;
  std::string text;
};

struct Expectations {
  int final_reader = 0;                    // It read the whole log after the last kill.
  std::vector<int> complete_readers = {};  // They read from the first record to the last.
  // A topic, and the one into which transactions copied it, partition by partition.
  std::string copied_from = {};
  std::string copied_to = {};
};

// At most a few findings of each rule.
std::vector<Finding> Check(const History& history, const Expectations& expected);

}  // namespace millrace::kills
