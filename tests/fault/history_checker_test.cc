// A checker that misses something proves nothing: each kind of violation is planted and reported.
#include "tests/fault/history_checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/error.h"

namespace millrace::fault {
namespace {

using storage::Durability;
using storage::LogEpoch;
using storage::Offset;
using storage::PartitionId;
using storage::ProducerEpoch;
using storage::Reason;

constexpr PartitionId kOrders{1};
constexpr PartitionId kBills{2};
constexpr int32_t kWindow = 4;

// A log of one topic with two partitions: what a true one would give back is in `log`, for tests to
// spoil.
class HistoryCheckerTest : public testing::Test {
 protected:
  HistoryCheckerTest() {
    log_.hub_id = "hub";
    log_.log_epoch = LogEpoch(2);
    Create("topic", {kOrders, kBills});
    checker_.NoteLogEpoch(LogEpoch(1));
  }

  void Create(const std::string& name, std::vector<PartitionId> partitions) {
    AskedChange change{.kind = AskedChange::Kind::kCreateTopic, .name = name};
    change.partitions = static_cast<int32_t>(partitions.size());
    auto topic = std::make_shared<storage::Topic>();
    topic->name = name;
    topic->partitions = partitions;
    checker_.AskChange(change);
    checker_.AnswerChange(absl::OkStatus(), topic);
    log_.topics.push_back(topic);
    for (const PartitionId id : partitions) log_.partitions[id];
  }

  static AskedWrite WriteTo(int64_t id, std::vector<AskedAppend> appends) {
    AskedWrite write{.id = id};
    write.appends = std::move(appends);
    return write;
  }

  // Asks, and answers as a log does that puts everything at the end of `log`.
  void Write(const AskedWrite& write, Durability durability = Durability::kSynced) {
    checker_.AskWrite(write);
    checker_.AnswerWrite(write.id, durability, Store(write));
  }
  storage::WriteResult Store(const AskedWrite& write) {
    storage::WriteResult result;
    for (size_t i = 0; i < write.appends.size(); ++i) {
      const auto& [partition, count] = write.appends[i];
      ObservedPartition& observed = log_.partitions[partition];
      result.ranges.push_back({partition, observed.end, count});
      for (int32_t index = 0; index < count; ++index) {
        observed.records.push_back(
            {observed.end, RecordId{write.id, static_cast<int32_t>(i), index}, LogEpoch(1)});
        ++observed.end;
      }
    }
    for (size_t i = 0; i < write.commits.size(); ++i) {
      const AskedCommit& commit = write.commits[i];
      log_.commits[{commit.group, commit.partition}] = {.partition = commit.partition,
                                                        .next_offset = commit.next_offset,
                                                        .metadata = MetadataOf(write.id, i)};
      result.commits.emplace_back(commit.next_offset);
    }
    return result;
  }
  void Refuse(const AskedWrite& write, Reason reason) {
    checker_.AskWrite(write);
    checker_.AnswerWrite(write.id, Durability::kSynced, storage::Error(reason, "refused"));
  }
  void Change(const AskedChange& change) {
    checker_.AskChange(change);
    checker_.AnswerChange(absl::OkStatus());
  }
  void OpenProducer(int64_t epoch, int64_t last_sequence = 0) {
    checker_.AskChange({.kind = AskedChange::Kind::kOpenProducer, .name = "producer"});
    checker_.AnswerChange(absl::OkStatus(), nullptr,
                          {.epoch = ProducerEpoch(epoch), .last_sequence = last_sequence});
  }
  static AskedWrite Numbered(int64_t id, int64_t sequence, int64_t epoch = 1) {
    AskedWrite write = WriteTo(id, {{kOrders, 1}});
    write.stamp = {"producer", ProducerEpoch(epoch), sequence};
    return write;
  }
  void Repeat(const AskedWrite& write, Offset base, bool duplicate = true) {
    storage::WriteResult result;
    result.duplicate = duplicate;
    result.annotation = AnnotationOf(write.id);
    result.ranges.push_back({kOrders, base, 1});
    checker_.AskWrite(write);
    checker_.AnswerWrite(write.id, Durability::kSynced, result);
  }
  static AskedWrite CommitOf(int64_t id, int64_t next_offset) {
    AskedWrite write{.id = id};
    write.commits.push_back({"group", kOrders, Offset(next_offset), {}});
    return write;
  }

  ObservedPartition& orders() { return log_.partitions[kOrders]; }
  static void DropLast(ObservedPartition& partition) {
    partition.records.pop_back();
    partition.end = partition.end - 1;
  }

  // Judges the log, then one more life in which nothing happened.
  void Judge() {
    checker_.Judge(log_);
    log_.log_epoch = log_.log_epoch + 1;
  }
  void Expect(Violation violation) {
    const std::vector<Finding> findings = checker_.violations();
    const bool found = std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
      return finding.violation == violation;
    });
    EXPECT_TRUE(found) << WordOf(violation) << " was not seen among " << Text();
  }
  void ExpectNone() { EXPECT_TRUE(checker_.violations().empty()) << Text(); }
  std::string Text() const {
    std::string text = "[";
    for (const Finding& finding : checker_.violations()) {
      text += std::string(WordOf(finding.violation)) + " (" + finding.text + ") ";
    }
    return text + "]";
  }

  HistoryChecker checker_{kWindow};
  ObservedLog log_;
};

// ---- What is no violation

TEST_F(HistoryCheckerTest, FindsNothingInALogThatKeptEverything) {
  Write(WriteTo(1, {{kOrders, 2}, {kBills, 1}}));
  Write(CommitOf(2, 1));
  OpenProducer(1);
  Write(Numbered(3, 1));
  Judge();
  Repeat(Numbered(3, 1), Offset(2));
  Judge();
  ExpectNone();
}

TEST_F(HistoryCheckerTest, LetsABufferedTailGo) {
  Write(WriteTo(1, {{kOrders, 2}}));
  Write(WriteTo(2, {{kOrders, 1}}), Durability::kBuffered);
  DropLast(orders());
  Judge();
  ExpectNone();
}

TEST_F(HistoryCheckerTest, LetsAWriteWithoutAnAnswerBeThereOrNot) {
  checker_.AskWrite(WriteTo(1, {{kOrders, 1}}));
  checker_.AskWrite(WriteTo(2, {{kOrders, 1}}));
  Store(WriteTo(1, {{kOrders, 1}}));
  Judge();
  ExpectNone();
}

TEST_F(HistoryCheckerTest, LetsALostWriteBeStoredWhenItIsRepeated) {
  OpenProducer(1);
  Write(Numbered(1, 1), Durability::kBuffered);
  DropLast(orders());
  Judge();
  ASSERT_EQ(checker_.Missing("producer").size(), 1u);
  Write(checker_.Missing("producer")[0]);
  Judge();
  ExpectNone();
}

// ---- Records

TEST_F(HistoryCheckerTest, SeesASyncedRecordLost) {
  Write(WriteTo(1, {{kOrders, 2}}));
  orders() = {};
  Judge();
  Expect(Violation::kLost);
}

TEST_F(HistoryCheckerTest, SeesARecordLostThatWasFoundBefore) {
  Write(WriteTo(1, {{kOrders, 1}}), Durability::kBuffered);
  Judge();
  ExpectNone();
  orders() = {};
  Judge();
  Expect(Violation::kLost);
}

TEST_F(HistoryCheckerTest, SeesABufferedRecordLostAfterAClose) {
  Write(WriteTo(1, {{kOrders, 1}}), Durability::kBuffered);
  Change({.kind = AskedChange::Kind::kClose});
  log_.log_epoch = LogEpoch(1);
  orders() = {};
  Judge();
  Expect(Violation::kLost);
}

TEST_F(HistoryCheckerTest, SeesARecordWithOtherBytes) {
  Write(WriteTo(1, {{kOrders, 1}}));
  orders().records[0].id.reset();
  Judge();
  Expect(Violation::kMangled);
}

TEST_F(HistoryCheckerTest, SeesABufferedRecordGoneFromTheMiddle) {
  Write(WriteTo(1, {{kOrders, 1}}), Durability::kBuffered);
  Write(WriteTo(2, {{kOrders, 1}}), Durability::kBuffered);
  orders().records.erase(orders().records.begin());
  orders().records[0].offset = Offset(0);
  orders().end = Offset(1);
  Judge();
  Expect(Violation::kOverwritten);
}

TEST_F(HistoryCheckerTest, SeesARecordStoredTwice) {
  Write(WriteTo(1, {{kOrders, 1}}));
  Store(WriteTo(1, {{kOrders, 1}}));
  Judge();
  Expect(Violation::kDuplicated);
}

TEST_F(HistoryCheckerTest, SeesAnOldRecordStoredAgain) {
  Write(WriteTo(1, {{kOrders, 1}}));
  Judge();
  orders().earliest = Offset(1);
  orders().records[0].offset = Offset(1);
  orders().end = Offset(2);
  Judge();
  Expect(Violation::kDuplicated);
}

TEST_F(HistoryCheckerTest, SeesARefusedWriteStored) {
  Refuse(WriteTo(1, {{kOrders, 1}}), Reason::kUnexpectedOffset);
  Store(WriteTo(1, {{kOrders, 1}}));
  Judge();
  Expect(Violation::kRefusedStored);
}

TEST_F(HistoryCheckerTest, SeesALostWriteComeBack) {
  checker_.AskWrite(WriteTo(1, {{kOrders, 1}}));
  Judge();
  Store(WriteTo(1, {{kOrders, 1}}));
  Judge();
  Expect(Violation::kResurrected);
}

TEST_F(HistoryCheckerTest, SeesWritesInAnotherOrder) {
  checker_.AskWrite(WriteTo(1, {{kOrders, 1}}));
  checker_.AskWrite(WriteTo(2, {{kOrders, 1}}));
  Store(WriteTo(2, {{kOrders, 1}}));
  Store(WriteTo(1, {{kOrders, 1}}));
  Judge();
  Expect(Violation::kReordered);
}

TEST_F(HistoryCheckerTest, SeesHalfABatch) {
  Write(WriteTo(1, {{kOrders, 2}}), Durability::kBuffered);
  DropLast(orders());
  Judge();
  Expect(Violation::kTornWrite);
}

TEST_F(HistoryCheckerTest, SeesOnePartitionOfAWriteMissing) {
  Write(WriteTo(1, {{kOrders, 1}, {kBills, 1}}), Durability::kBuffered);
  log_.partitions[kBills] = {};
  Judge();
  Expect(Violation::kTornWrite);
}

TEST_F(HistoryCheckerTest, SeesACommitWithoutTheRecordsOfItsTransaction) {
  AskedWrite write = CommitOf(1, 0);
  write.appends.push_back({kBills, 1});
  Write(write, Durability::kBuffered);
  log_.partitions[kBills] = {};
  Judge();
  Expect(Violation::kTornWrite);
}

TEST_F(HistoryCheckerTest, SeesAGapInOffsets) {
  Write(WriteTo(1, {{kOrders, 1}}));
  orders().records[0].offset = Offset(1);
  orders().end = Offset(2);
  Judge();
  Expect(Violation::kGap);
}

TEST_F(HistoryCheckerTest, SeesRecordsGoneThatNobodyDeleted) {
  Write(WriteTo(1, {{kOrders, 1}}));
  orders() = {.earliest = Offset(1), .end = Offset(1), .records = {}, .read = {}};
  Judge();
  Expect(Violation::kDeleted);
}

TEST_F(HistoryCheckerTest, SeesDeletedRecordsComeBack) {
  Write(WriteTo(1, {{kOrders, 1}}));
  AskedChange change{.kind = AskedChange::Kind::kTruncate};
  change.partition = kOrders;
  change.before = Offset(1);
  Change(change);
  Judge();
  Expect(Violation::kUndeleted);
}

TEST_F(HistoryCheckerTest, SeesAPartitionThatCannotBeRead) {
  orders().read = absl::DataLossError("damaged");
  Judge();
  Expect(Violation::kUnreadable);
}

TEST_F(HistoryCheckerTest, TellsWhatItsCallerSaw) {
  checker_.Report(Violation::kNotOpened, "damaged");
  Expect(Violation::kNotOpened);
}

// ---- Commits and groups

TEST_F(HistoryCheckerTest, SeesACommitRegress) {
  Write(WriteTo(1, {{kOrders, 2}}));
  Write(CommitOf(2, 1));
  const auto old = log_.commits;
  Write(CommitOf(3, 2));
  log_.commits = old;
  Judge();
  Expect(Violation::kCommitLost);
}

TEST_F(HistoryCheckerTest, SeesACommitGone) {
  Write(CommitOf(1, 0));
  log_.commits.clear();
  Judge();
  Expect(Violation::kCommitLost);
}

TEST_F(HistoryCheckerTest, SeesADeletedCommitComeBack) {
  Write(CommitOf(1, 0));
  Change({.kind = AskedChange::Kind::kDeleteGroup, .name = "group"});
  Judge();
  Expect(Violation::kCommitLost);
}

TEST_F(HistoryCheckerTest, SeesACommitThatNobodyMade) {
  Write(CommitOf(1, 0));
  log_.commits.begin()->second.metadata = "other";
  Judge();
  Expect(Violation::kCommitInvented);
}

TEST_F(HistoryCheckerTest, SeesACommitBeyondTheEnd) {
  Write(WriteTo(1, {{kOrders, 1}}), Durability::kBuffered);
  Write(CommitOf(2, 1), Durability::kBuffered);
  DropLast(orders());
  Judge();
  Expect(Violation::kCommitBeyondEnd);
}

TEST_F(HistoryCheckerTest, SeesTheStateOfAGroupLost) {
  AskedChange change{.kind = AskedChange::Kind::kPutGroupState, .name = "group"};
  change.state = "state";
  Change(change);
  log_.group_states["group"] = "";
  Judge();
  Expect(Violation::kGroupStateLost);
}

// ---- Topics

TEST_F(HistoryCheckerTest, SeesATopicLost) {
  log_.topics.clear();
  log_.partitions.clear();
  Judge();
  Expect(Violation::kTopicLost);
}

TEST_F(HistoryCheckerTest, SeesATopicThatNobodyMade) {
  auto topic = std::make_shared<storage::Topic>();
  topic->name = "other";
  log_.topics.push_back(topic);
  Judge();
  Expect(Violation::kTopicInvented);
}

TEST_F(HistoryCheckerTest, SeesAPartitionIdUsedTwice) {
  Change({.kind = AskedChange::Kind::kDeleteTopic, .name = "topic"});
  log_.topics.clear();
  Create("other", {kOrders});
  Expect(Violation::kPartitionReused);
}

TEST_F(HistoryCheckerTest, SeesAnotherHub) {
  Judge();
  log_.hub_id = "another";
  Judge();
  Expect(Violation::kHubIdChanged);
}

// ---- Producers

TEST_F(HistoryCheckerTest, SeesARepetitionStoredAgain) {
  OpenProducer(1);
  Write(Numbered(1, 1));
  Judge();
  Repeat(Numbered(1, 1), Offset(1), false);
  Expect(Violation::kRepeatStored);
}

TEST_F(HistoryCheckerTest, SeesADuplicateWhoseRecordsAreNotThere) {
  OpenProducer(1);
  Write(Numbered(1, 1), Durability::kBuffered);
  DropLast(orders());
  Judge();
  Repeat(Numbered(1, 1), Offset(0));
  Expect(Violation::kRepeatWithoutRecords);
}

TEST_F(HistoryCheckerTest, SeesARepetitionAnsweredOtherwise) {
  OpenProducer(1);
  Write(Numbered(1, 1));
  Judge();
  Repeat(Numbered(1, 1), Offset(7));
  Expect(Violation::kRepeatAnsweredOtherwise);
}

TEST_F(HistoryCheckerTest, SeesTheSequenceOfAProducerLost) {
  OpenProducer(1);
  Write(Numbered(1, 1));
  Judge();
  Refuse(Numbered(2, 2), Reason::kSequenceGap);
  Expect(Violation::kProducerForgotten);
}

TEST_F(HistoryCheckerTest, SeesAnOpenedProducerForgotten) {
  OpenProducer(1);
  Judge();
  Refuse(Numbered(1, 1), Reason::kProducerUnknown);
  Expect(Violation::kProducerForgotten);
}

TEST_F(HistoryCheckerTest, SeesALastSequenceBehindItsRecords) {
  OpenProducer(1);
  Write(Numbered(1, 1));
  Judge();
  OpenProducer(2, 0);
  Expect(Violation::kProducerForgotten);
}

TEST_F(HistoryCheckerTest, SeesALastSequenceAheadOfItsRecords) {
  OpenProducer(1);
  Write(Numbered(1, 1), Durability::kBuffered);
  DropLast(orders());
  Judge();
  OpenProducer(2, 1);
  Expect(Violation::kRepeatWithoutRecords);
}

TEST_F(HistoryCheckerTest, SeesAnOlderProducerNotFenced) {
  OpenProducer(1);
  OpenProducer(2);
  Write(Numbered(1, 1, 1));
  Expect(Violation::kFenceLost);
}

TEST_F(HistoryCheckerTest, SeesAnEpochOfAProducerGivenTwice) {
  OpenProducer(1);
  Judge();
  OpenProducer(1);
  Expect(Violation::kFenceLost);
}

TEST_F(HistoryCheckerTest, SeesAnAnswerForAnotherRequest) {
  checker_.AskWrite(WriteTo(1, {{kOrders, 1}}));
  checker_.AnswerWrite(1, Durability::kSynced, storage::WriteResult());
  Expect(Violation::kAnswerWrong);
}

// ---- Epochs and positions

TEST_F(HistoryCheckerTest, SeesALogEpochNotRaised) {
  log_.log_epoch = LogEpoch(1);
  Judge();
  Expect(Violation::kEpochNotRaised);
}

TEST_F(HistoryCheckerTest, SeesALogEpochRaisedAfterAClose) {
  Change({.kind = AskedChange::Kind::kClose});
  Judge();
  Expect(Violation::kEpochNotRaised);
}

TEST_F(HistoryCheckerTest, SeesLogEpochsOfBatchesFall) {
  Write(WriteTo(1, {{kOrders, 2}}));
  orders().records[0].log_epoch = LogEpoch(2);
  Judge();
  Expect(Violation::kEpochOrder);
}

TEST_F(HistoryCheckerTest, SeesAPositionAcceptedInAnotherLog) {
  Write(WriteTo(1, {{kOrders, 1}}), Durability::kBuffered);
  const Position position{kOrders, Offset(1), LogEpoch(1), {1, 0, 0}};
  checker_.NotePosition(position);
  DropLast(orders());
  log_.positions = {{position, absl::OkStatus()}};
  Judge();
  Expect(Violation::kPositionAccepted);
}

TEST_F(HistoryCheckerTest, SeesAPositionRefusedInTheSameLog) {
  Write(WriteTo(1, {{kOrders, 1}}));
  const Position position{kOrders, Offset(1), LogEpoch(1), {1, 0, 0}};
  checker_.NotePosition(position);
  log_.positions = {{position, storage::Error(Reason::kLogEpochChanged, "changed")}};
  Judge();
  Expect(Violation::kPositionRefused);
}

}  // namespace
}  // namespace millrace::fault
