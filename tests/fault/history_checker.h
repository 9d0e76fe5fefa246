// Judges a log by its history: what clients asked of it, what it answered, and what is found in it
// after each cut.
//
// A history is a sequence of lives. In one, clients ask and are answered; it ends with a cut, or
// with a close; the log is opened again, read, and judged. What is found then is durable from then
// on: later lives have to keep it, and what is gone is not to come back by itself.
//
//   checker.AskWrite(write); ... checker.AnswerWrite(write.id, durability, result);
//   checker.Judge(Observe(...));   // The log was opened again.
//   checker.violations();        // Empty: every promise was kept.
//
// What is promised is in storage/engine.h. Changes are asked one at a time; writes in the order in
// which the log gets them. Safe from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/engine.h"
#include "storage/types.h"
#include "tests/fault/observed_log.h"

namespace millrace::fault {

// What can be wrong. One line: enumerator, its word.
#define MILLRACE_VIOLATIONS(X)                                 \
  X(kNotOpened, "not opened")                                  \
  X(kUnreadable, "unreadable")                                 \
  X(kLost, "acknowledged record lost")                         \
  X(kOverwritten, "answered offset holds another record")      \
  X(kMangled, "bytes that nobody wrote")                       \
  X(kDuplicated, "record stored twice")                        \
  X(kRefusedStored, "refused write stored")                    \
  X(kResurrected, "lost write came back")                      \
  X(kReordered, "records in another order than written")       \
  X(kTornWrite, "part of a write")                             \
  X(kGap, "offsets not dense")                                 \
  X(kDeleted, "records gone that nobody deleted")              \
  X(kUndeleted, "deleted records came back")                   \
  X(kCommitLost, "commit regressed")                           \
  X(kCommitInvented, "commit that nobody made")                \
  X(kCommitBeyondEnd, "commit beyond the end")                 \
  X(kGroupStateLost, "state of a group lost")                  \
  X(kTopicLost, "topic or its settings lost")                  \
  X(kTopicInvented, "topic that nobody made")                  \
  X(kPartitionReused, "partition id used twice")               \
  X(kProducerForgotten, "state of a producer lost")            \
  X(kFenceLost, "older producer not fenced")                   \
  X(kRepeatStored, "repetition stored again")                  \
  X(kRepeatWithoutRecords, "repetition of what is not there")  \
  X(kRepeatAnsweredOtherwise, "repetition answered otherwise") \
  X(kAnswerWrong, "answer does not fit the request")           \
  X(kEpochNotRaised, "log epoch not raised")                   \
  X(kEpochOrder, "log epochs of batches fall")                 \
  X(kPositionAccepted, "position accepted in another log")     \
  X(kPositionRefused, "position refused in the same log")      \
  X(kHubIdChanged, "hub id changed")

enum class Violation {
#define MILLRACE_VIOLATION_ENUMERATOR(enumerator, word) enumerator,
  MILLRACE_VIOLATIONS(MILLRACE_VIOLATION_ENUMERATOR)
#undef MILLRACE_VIOLATION_ENUMERATOR
};
std::string_view WordOf(Violation violation);

struct Finding {
  Violation violation;
  std::string text;
};

struct AskedAppend {
  storage::PartitionId partition;
  int32_t count = 0;
};

// Its metadata is MetadataOf(write, index).
struct AskedCommit {
  std::string group;
  storage::PartitionId partition;
  storage::Offset next_offset;
  std::optional<storage::PositionEpoch> position_epoch;
};
std::string MetadataOf(int64_t write, size_t commit);

struct AskedStamp {
  std::string producer;
  storage::ProducerEpoch epoch;
  int64_t sequence = 0;
};

// Records have the values ValueOf(id, value_bytes), and its annotation is AnnotationOf.
struct AskedWrite {
  int64_t id = 0;
  size_t value_bytes = 0;
  std::vector<AskedAppend> appends;
  std::vector<AskedCommit> commits;
  std::optional<AskedStamp> stamp;
};

std::string AnnotationOf(int64_t write);

// Something that is durable once it is answered.
struct AskedChange {
  enum class Kind {
    kCreateTopic,
    kUpdateTopic,
    kDeleteTopic,
    kTruncate,
    kDeleteGroup,
    kPutGroupState,
    kOpenProducer,
    kClose,
  };
  Kind kind;
  std::string name;        // Of the topic, group or producer.
  int32_t partitions = 0;  // kCreateTopic, kUpdateTopic.
  bool has_retention = false;
  storage::PartitionId partition;  // kTruncate.
  storage::Offset before;          // kTruncate.
  std::string state;               // kPutGroupState.
};

class HistoryChecker {
 public:
  explicit HistoryChecker(int32_t producer_window) : producer_window_(producer_window) {}

  // ---- What is asked and answered. Ask before the call; a repetition of a write has its id.

  void AskWrite(const AskedWrite& write);
  void AnswerWrite(int64_t id, storage::Durability durability,
                   const absl::StatusOr<storage::WriteResult>& result);

  void AskChange(const AskedChange& change);
  // `topic`: of a creation or update; `producer`: of kOpenProducer.
  void AnswerChange(const absl::Status& status, const storage::TopicPtr& topic = nullptr,
                    const storage::ProducerState& producer = {});

  void NoteLogEpoch(storage::LogEpoch epoch);
  // A reader was given records and will ask whether it may go on.
  void NotePosition(const Position& position);
  // Something that only the caller sees.
  void Report(Violation violation, std::string text);

  // ---- The end of a life, and what is found in the next

  // The log was opened, and cut again before it could be read.
  void NoteOpenCut();

  // After a cut, once all writes are answered or will never be.
  void Judge(const ObservedLog& log);

  std::vector<Finding> violations() const;

  // ---- For clients that go on

  std::vector<std::string> groups() const;
  std::vector<Position> positions() const;
  // The writes of a producer that are not in the log, in the order of their sequences, beginning
  // with the one that the log has to take next. After Judge.
  std::vector<AskedWrite> Missing(const std::string& producer) const;
  // Whether a repetition of the write has to be answered as the first time, for all that is known.
  bool IsRepeatable(int64_t write) const;

 private:
  enum class Place {
    kUnderWay,  // May be there or not.
    kAnswered,  // Stored, said the log.
    kRefused,   // Not stored, said the log.
    kFound,     // Was there when the log was read, and is durable.
    kGone,      // Was not there.
    kUnsure,    // Where it would be, nothing can be seen any more.
  };
  struct Write {
    AskedWrite asked;
    Place place = Place::kUnderWay;
    int64_t order = 0;    // Of its first attempt in this life.
    int attempts = 0;     // In this life.
    bool absent = true;   // When this life began.
    bool stored = false;  // In this life, said the answer to one attempt.
    storage::Durability durability = storage::Durability::kBuffered;
    std::vector<storage::Offset> bases;         // Of its appends, once known.
    std::vector<std::optional<bool>> accepted;  // Of its commits: took effect; absent: not known.
  };
  struct CommitStep {
    int64_t order = 0;
    int64_t write = 0;  // 0: the commit was deleted.
    size_t index = 0;
    bool answered = false;  // Of a deletion.
  };
  struct PartitionState {
    std::string topic;
    storage::Offset earliest;       // At least.
    storage::Offset starts_before;  // At most; of a topic with retention anywhere.
    storage::Offset first;          // Of `found`.
    std::vector<RecordId> found;
    storage::Offset found_end() const { return first + static_cast<int64_t>(found.size()); }
  };
  struct TopicState {
    std::vector<storage::PartitionId> partitions;
    bool present = false;         // Surely.
    bool may_be_present = false;  // Of a creation or deletion without an answer.
    bool may_be_absent = false;
    int32_t may_have = 0;        // Partitions, by an update or creation without an answer.
    bool has_retention = false;  // May have.
  };
  struct Producer {
    storage::ProducerEpoch epoch;         // Answered.
    storage::ProducerEpoch newest_epoch;  // May be open.
    std::map<int64_t, int64_t> writes;    // The last write by sequence.
  };
  // What is known of one write while the log is judged.
  struct Evidence {
    std::map<int32_t, storage::Offset> bases;  // By append.
    bool commit = false;
  };

  void Add(Violation violation, std::string text);

  // Answers.
  void AnswerStored(Write& write, storage::Durability durability,
                    const storage::WriteResult& result);
  void AnswerRepeated(Write& write, storage::Durability durability,
                      const storage::WriteResult& result);
  void AnswerRefused(Write& write, const absl::Status& status);
  void NoteCommits(Write& write, const storage::WriteResult& result);
  void AnswerOpenProducer(const storage::ProducerState& state);
  void AddGroupState(const std::string& group, const std::string& state);
  void TakeTopic(const storage::Topic& topic);
  void EraseCommits(const std::optional<std::string>& group,
                    const std::vector<storage::PartitionId>& partitions, bool answered);
  const Write* WriteOf(const std::string& producer, int64_t sequence) const;

  // Judging, in this order.
  void JudgeTopics(const ObservedLog& log);
  void JudgePartition(storage::PartitionId id, const ObservedPartition& partition);
  void JudgeRecords(storage::PartitionId id, const ObservedPartition& partition);
  void JudgeAnswered(const ObservedLog& log);
  void JudgeCommit(const ObservedLog& log, const ObservedLog::CommitKey& key,
                   const storage::CommittedOffset* found);
  bool MustSurvive(const CommitStep& step) const;
  void JudgeWhole(const ObservedLog& log);
  void JudgeGroups(const ObservedLog& log);
  void JudgeEpoch(const ObservedLog& log);
  void JudgePositions(const ObservedLog& log);
  void Settle(const ObservedLog& log);
  void SettleWrite(const ObservedLog& log, Write& write) const;

  mutable std::mutex mutex_;  // Guards what follows.
  const int32_t producer_window_;
  std::vector<Finding> findings_;
  int64_t next_order_ = 1;
  std::map<int64_t, Write> writes_;
  std::set<int64_t> writes_of_life_;
  std::optional<AskedChange> change_;  // Not answered yet.
  std::map<std::string, TopicState> topics_;
  std::map<storage::PartitionId, PartitionState> partitions_;
  std::set<storage::PartitionId> used_partitions_;
  std::map<ObservedLog::CommitKey, std::vector<CommitStep>> commits_;  // Of this life.
  std::map<ObservedLog::CommitKey, CommitStep> found_commits_;
  std::map<std::string, std::vector<std::string>> group_states_;  // Any of these.
  std::map<std::string, Producer> producers_;
  std::vector<Position> positions_;
  std::string hub_id_;
  storage::LogEpoch log_epoch_;
  enum class End { kCut, kClosing, kClosed } end_ = End::kCut;
  bool opened_ = false;                   // Since then, and cut again before it could be read.
  std::map<int64_t, Evidence> evidence_;  // While the log is judged.
};

}  // namespace millrace::fault
