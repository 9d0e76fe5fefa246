// What clients of a hub saw while it was killed over and over.
//
// Values are unique within a topic, so a number stands for one. Safe from any thread until it is
// handed to the checker.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace millrace::kills {

using Partition = std::pair<std::string, int32_t>;  // Topic and number.

// A value: its producer's number in the upper 16 bits, the number of its Send in the others, so
// that the values of one producer grow in the order of its Sends. 0: bytes that nobody sent.
using Value = uint64_t;
inline Value MakeValue(int producer, int64_t number) {
  return static_cast<Value>(producer) << 48 | static_cast<Value>(number);
}
inline int ProducerOf(Value value) { return static_cast<int>(value >> 48); }
inline int64_t NumberOf(Value value) {
  return static_cast<int64_t>(value & ((Value{1} << 48) - 1));
}

// A record's bytes, of a length that depends on the value; and back. 0 where they differ from what
// was sent in any place.
std::string BytesOf(Value value);
Value ParseBytes(const std::string& bytes);

enum class Outcome {
  kUnknown,       // No answer, or one that leaves it open.
  kAcknowledged,  // Stored.
  kFailed,        // Surely not stored.
};

struct Send {
  Value value = 0;
  std::string topic = {};
  Outcome outcome = Outcome::kUnknown;
  int32_t partition = -1;  // -1: the answer did not say.
  int64_t offset = -1;
  bool synced = true;
  int64_t answered = 0;  // The step at which the answer came.
};

struct Seen {
  int64_t offset = 0;
  Value value = 0;
  int64_t log_epoch = 0;
};

// What one reader got of one partition: the records of one poll, or where it begins anew.
struct Poll {
  int reader = 0;
  Partition partition = {};
  // The reader begins here: its partition was assigned. Then there are no records.
  std::optional<int64_t> start = {};
  std::vector<Seen> records = {};
};

// A reader's commit, or the one inside a transaction.
struct Commit {
  int reader = 0;
  std::string group = {};
  Partition partition = {};
  int64_t next_offset = 0;
  Outcome outcome = Outcome::kUnknown;
  int64_t asked = 0;     // Steps.
  int64_t answered = 0;  // 0: never.
};

// What a group had committed, said the hub.
struct CommitSeen {
  std::string group = {};
  Partition partition = {};
  int64_t next_offset = 0;
  int64_t asked = 0;     // Steps: whatever was answered before the first
  int64_t answered = 0;  // and was asked before the second.
};

// The hub was started.
struct Life {
  int64_t log_epoch = 0;
  int64_t step = 0;  // After its predecessor had ended.
  bool after_kill = true;
};

class History {
 public:
  // Numbers everything that is asked or answered.
  int64_t Step();

  // Answers what to give to Answer.
  size_t Ask(Send send);
  void Answer(size_t send, Outcome outcome, int32_t partition, int64_t offset);
  void Add(Poll poll);
  size_t Ask(Commit commit);
  void Answer(size_t commit, Outcome outcome);
  void Add(CommitSeen seen);
  void Add(Life life);

  // A line each.
  void WriteTo(std::ostream& out) const;

  // To be read, and in tests filled, once no other thread is there.
  std::vector<Send> sends;
  std::vector<Poll> polls;
  std::vector<Commit> commits;
  std::vector<CommitSeen> commits_seen;
  std::vector<Life> lives;

 private:
  mutable std::mutex mutex_;
  int64_t step_ = 0;
};

}  // namespace millrace::kills
