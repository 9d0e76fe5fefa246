// The rules that engines share: producers, commits, log epochs, the judgement of a write.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "storage/commit/log_epoch_history.h"
#include "storage/commit/offset_commit_rule.h"
#include "storage/commit/producer_window.h"
#include "storage/commit/write_rules.h"
#include "storage/error.h"

namespace millrace::storage {
namespace {

ProducerOutcome OutcomeAt(int64_t offset) {
  return {{{PartitionId(1), Offset(offset), 1}}, std::to_string(offset)};
}

TEST(ProducerWindow, ForgetsOutcomesThatLeaveTheWindow) {
  ProducerWindow window(3);
  const ProducerEpoch epoch = window.OpenEpoch();
  EXPECT_EQ(epoch, ProducerEpoch(1));
  for (int64_t sequence = 1; sequence <= 5; ++sequence) {
    EXPECT_EQ(window.Check(epoch, sequence), SequenceVerdict::kProceed);
    window.Store(OutcomeAt(sequence * 10));
  }
  EXPECT_EQ(window.Check(epoch, 1), SequenceVerdict::kExpired);
  EXPECT_EQ(window.Check(epoch, 2), SequenceVerdict::kExpired);
  for (int64_t sequence = 3; sequence <= 5; ++sequence) {
    EXPECT_EQ(window.Check(epoch, sequence), SequenceVerdict::kDuplicate);
    EXPECT_EQ(window.Find(sequence)->ranges[0].base_offset, Offset(sequence * 10));
  }
  EXPECT_EQ(window.Find(2), nullptr);
  EXPECT_EQ(window.Find(6), nullptr);
  EXPECT_EQ(window.Check(epoch, 7), SequenceVerdict::kGap);
  EXPECT_EQ(window.Check(epoch, 0), SequenceVerdict::kGap);
  EXPECT_EQ(window.Check(epoch, -3), SequenceVerdict::kGap);
}

TEST(ProducerWindow, JudgesTheEpochFirst) {
  ProducerWindow window(3);
  const ProducerEpoch old = window.OpenEpoch();
  window.Store(OutcomeAt(0));
  const ProducerEpoch current = window.OpenEpoch();
  EXPECT_EQ(window.Check(old, 1), SequenceVerdict::kFenced);
  EXPECT_EQ(window.Check(old, 9), SequenceVerdict::kFenced);
  EXPECT_EQ(window.Check(current + 1, 2), SequenceVerdict::kUnknown);
  EXPECT_EQ(window.Check(current, 1), SequenceVerdict::kDuplicate);
  EXPECT_EQ(window.Check(current, 2), SequenceVerdict::kProceed);
}

TEST(ProducerWindow, GoesOnFromWhatWasReadBack) {
  ProducerWindow window(3);
  window.Restore(ProducerEpoch(4), 10);
  window.RestoreOutcome(10, OutcomeAt(100));
  window.RestoreOutcome(8, OutcomeAt(80));
  window.RestoreOutcome(7, OutcomeAt(70));    // Out of the window.
  window.RestoreOutcome(11, OutcomeAt(110));  // Never stored.
  EXPECT_EQ(window.Check(ProducerEpoch(4), 10), SequenceVerdict::kDuplicate);
  EXPECT_EQ(window.Check(ProducerEpoch(4), 8), SequenceVerdict::kDuplicate);
  EXPECT_EQ(window.Check(ProducerEpoch(4), 9), SequenceVerdict::kExpired);
  EXPECT_EQ(window.Check(ProducerEpoch(4), 7), SequenceVerdict::kExpired);
  EXPECT_EQ(window.Check(ProducerEpoch(4), 11), SequenceVerdict::kProceed);
}

OffsetCommit CommitTo(int64_t offset, std::optional<int64_t> epoch = std::nullopt) {
  OffsetCommit commit{.group = "group",
                      .partition = PartitionId(1),
                      .next_offset = Offset(offset),
                      .metadata = "",
                      .position_epoch = std::nullopt};
  if (epoch) commit.position_epoch = PositionEpoch(*epoch);
  return commit;
}

TEST(DecideCommit, FollowsThePositionEpoch) {
  const StoredCommit stored{Offset(5), PositionEpoch(3)};
  struct Case {
    OffsetCommit commit;
    CommitVerdict verdict;
    StoredCommit committed;
  };
  const Case cases[] = {
      {CommitTo(6, 3), CommitVerdict::kStore, {Offset(6), PositionEpoch(3)}},
      {CommitTo(5, 3), CommitVerdict::kStore, stored},
      {CommitTo(4, 3), CommitVerdict::kKeep, stored},
      {CommitTo(1, 4), CommitVerdict::kStore, {Offset(1), PositionEpoch(4)}},
      {CommitTo(9, 2), CommitVerdict::kSuperseded, stored},
      {CommitTo(1), CommitVerdict::kStore, {Offset(1), PositionEpoch(3)}},
  };
  for (const Case& c : cases) {
    const CommitDecision decision = DecideCommit(stored, c.commit);
    EXPECT_EQ(decision.verdict, c.verdict);
    EXPECT_EQ(decision.committed, c.committed);
  }
  EXPECT_EQ(DecideCommit(std::nullopt, CommitTo(2)).committed,
            (StoredCommit{Offset(2), PositionEpoch(0)}));
}

LogEpochHistory HistoryWithGaps() {
  LogEpochHistory history(LogEpoch(2));
  for (const auto& [epoch, offset] :
       {std::pair(2, 0), std::pair(2, 3), std::pair(5, 10), std::pair(5, 12), std::pair(8, 20)}) {
    if (auto entry = history.EntryFor(LogEpoch(epoch), Offset(offset))) history.Add(*entry);
  }
  return history;
}

TEST(LogEpochHistory, NotesOnlyChangesOfTheEpoch) {
  EXPECT_EQ(HistoryWithGaps().entries(),
            (std::vector<LogEpochHistory::Entry>{
                {LogEpoch(2), Offset(0)}, {LogEpoch(5), Offset(10)}, {LogEpoch(8), Offset(20)}}));
}

TEST(LogEpochHistory, AllowsUpToTheFirstOffsetOfALaterEpoch) {
  const LogEpochHistory history = HistoryWithGaps();
  // The largest valid offset of each epoch; -1: none.
  for (const auto& [epoch, last] : {std::pair(1, -1), std::pair(2, 10), std::pair(4, 10),
                                    std::pair(5, 20), std::pair(8, 25), std::pair(9, 25)}) {
    for (int64_t offset = 0; offset <= 26; ++offset) {
      const absl::Status status = history.Validate(Offset(offset), LogEpoch(epoch), Offset(25));
      EXPECT_EQ(status.ok(), offset <= last) << epoch << " " << offset;
      if (status.ok()) continue;
      EXPECT_EQ(ReasonOf(status), Reason::kLogEpochChanged);
      EXPECT_EQ(MetadataOf(status)["valid_until"], std::to_string(std::max(last, 0)));
    }
  }
}

TEST(LogEpochHistory, JudgesWhatIsKeptTheSameAfterDroppingTheRest) {
  for (const int64_t earliest : {0, 5, 10, 11, 20, 21, 25}) {
    const LogEpochHistory whole = HistoryWithGaps();
    LogEpochHistory rest = HistoryWithGaps();
    rest.DropBefore(Offset(earliest));
    EXPECT_EQ(rest.entries().back(), whole.entries().back());
    for (int64_t epoch = 1; epoch < 10; ++epoch) {
      for (int64_t offset = earliest; offset <= 26; ++offset) {
        EXPECT_EQ(rest.Validate(Offset(offset), LogEpoch(epoch), Offset(25)).ok(),
                  whole.Validate(Offset(offset), LogEpoch(epoch), Offset(25)).ok())
            << earliest << " " << epoch << " " << offset;
      }
    }
  }
}

TEST(LogEpochHistory, ForgetsWhatWasCutOff) {
  LogEpochHistory history = HistoryWithGaps();
  history.CutAt(Offset(10));
  EXPECT_EQ(history.entries().size(), 1u);
  EXPECT_FALSE(history.Validate(Offset(11), LogEpoch(5), Offset(10)).ok());
  EXPECT_TRUE(history.Validate(Offset(10), LogEpoch(5), Offset(10)).ok());
}

// A log of one partition and one producer.
class FakeLog : public LogState {
 public:
  std::optional<Bounds> FindPartition(PartitionId partition) const override {
    if (partition != PartitionId(1)) return std::nullopt;
    return Bounds{Offset(5), Offset(10)};
  }
  const ProducerWindow* FindProducer(std::string_view id) const override {
    return id == "producer" ? &producer : nullptr;
  }
  std::optional<StoredCommit> FindCommit(std::string_view group, PartitionId) const override {
    const auto found = commits.find(std::string(group));
    return found == commits.end() ? std::nullopt : std::optional(found->second);
  }

  ProducerWindow producer{3};
  std::map<std::string, StoredCommit> commits;
};

Append AppendTo(uint32_t partition, int32_t count, std::optional<Offset> expected = std::nullopt) {
  return {PartitionId(partition), {{}, count}, expected};
}

std::string WordOf(const absl::Status& status) {
  const auto reason = ReasonOf(status);
  return reason ? std::string(TraitsOf(*reason).word) : status.ToString();
}

TEST(DecideWrite, ChecksInTheOrderOfTheContract) {
  FakeLog log;
  log.producer.OpenEpoch();
  log.producer.OpenEpoch();
  log.producer.Store(OutcomeAt(3));
  // Wrong in every way; each step mends what was found.
  WriteSet set;
  set.appends = {AppendTo(1, 2, Offset(4)), AppendTo(2, 1)};
  set.commits = {CommitTo(13)};
  set.producer = ProducerStamp{"nobody", ProducerEpoch(1), 9, "note"};
  set.refusal = Error(Reason::kMemberFenced, "judged before");
  EXPECT_EQ(WordOf(DecideWrite(set, log).status()), "PRODUCER_UNKNOWN");
  set.producer->producer_id = "producer";
  EXPECT_EQ(WordOf(DecideWrite(set, log).status()), "PRODUCER_FENCED");
  set.producer->epoch = ProducerEpoch(2);
  EXPECT_EQ(WordOf(DecideWrite(set, log).status()), "SEQUENCE_GAP");
  set.producer->sequence = 2;
  EXPECT_EQ(WordOf(DecideWrite(set, log).status()), "TOPIC_NOT_FOUND");
  set.appends.pop_back();
  EXPECT_EQ(WordOf(DecideWrite(set, log).status()), "UNEXPECTED_OFFSET");
  set.appends[0].expected_next_offset = Offset(10);
  EXPECT_EQ(WordOf(DecideWrite(set, log).status()), "MEMBER_FENCED");
  set.refusal = absl::OkStatus();
  EXPECT_EQ(WordOf(DecideWrite(set, log).status()), "OFFSET_OUT_OF_RANGE");
  set.commits[0].next_offset = Offset(12);
  const auto decision = DecideWrite(set, log);
  ASSERT_TRUE(decision.ok()) << decision.status();
  EXPECT_EQ(decision->result.ranges[0].base_offset, Offset(10));
  EXPECT_EQ(decision->commits[0]->next_offset, Offset(12));
  EXPECT_EQ(decision->OutcomeFor(*set.producer).annotation, "note");
}

TEST(DecideWrite, AnswersADuplicateWithTheFirstOutcomeAndPresentCommits) {
  FakeLog log;
  log.producer.OpenEpoch();
  log.producer.Store(OutcomeAt(3));
  log.commits["group"] = {Offset(8), PositionEpoch(0)};
  WriteSet set;
  set.appends = {AppendTo(2, 1)};
  set.commits = {CommitTo(99)};
  set.producer = ProducerStamp{"producer", ProducerEpoch(1), 1, ""};
  set.refusal = Error(Reason::kMemberFenced, "judged before");
  const auto decision = DecideWrite(set, log);
  ASSERT_TRUE(decision.ok()) << decision.status();
  EXPECT_TRUE(decision->result.duplicate);
  EXPECT_EQ(decision->result.ranges[0].base_offset, Offset(3));
  EXPECT_EQ(decision->result.annotation, "3");
  EXPECT_EQ(*decision->result.commits[0], Offset(8));
  EXPECT_FALSE(decision->commits[0]);
}

TEST(DecideWrite, GivesTwoAppendsToOnePartitionOffsetsOneAfterTheOther) {
  FakeLog log;
  WriteSet set;
  set.appends = {AppendTo(1, 2, Offset(10)), AppendTo(1, 3, Offset(12))};
  set.commits = {CommitTo(15)};
  const auto decision = DecideWrite(set, log);
  ASSERT_TRUE(decision.ok()) << decision.status();
  ASSERT_EQ(decision->result.ranges.size(), 2u);
  EXPECT_EQ(decision->result.ranges[0].base_offset, Offset(10));
  EXPECT_EQ(decision->result.ranges[1].base_offset, Offset(12));
  set.appends[1].expected_next_offset = Offset(10);
  EXPECT_EQ(WordOf(DecideWrite(set, log).status()), "UNEXPECTED_OFFSET");
}

TEST(DecideWrite, RefusesEvenCommitsAloneAsAWholeWhereTheCallerDoes) {
  FakeLog log;
  WriteSet set;
  set.commits = {CommitTo(7)};
  set.refusal = Error(Reason::kMemberFenced, "judged before", {{"partition", "3"}});
  const absl::Status refused = DecideWrite(set, log).status();
  EXPECT_EQ(WordOf(refused), "MEMBER_FENCED");
  EXPECT_EQ(MetadataOf(refused)["partition"], "3");
}

TEST(DecideWrite, JudgesCommitsAloneEachForItself) {
  FakeLog log;
  log.commits["group"] = {Offset(8), PositionEpoch(3)};
  WriteSet set;
  set.commits = {CommitTo(9, 2), CommitTo(7, 3), CommitTo(9, 3), CommitTo(8, 3), CommitTo(11)};
  const auto decision = DecideWrite(set, log);
  ASSERT_TRUE(decision.ok()) << decision.status();
  EXPECT_EQ(WordOf(decision->result.commits[0].status()), "SUPERSEDED");
  EXPECT_EQ(*decision->result.commits[1], Offset(8));
  EXPECT_FALSE(decision->commits[1]);
  EXPECT_EQ(decision->commits[2]->next_offset, Offset(9));
  EXPECT_EQ(*decision->result.commits[3], Offset(9));
  EXPECT_FALSE(decision->commits[3]);
  EXPECT_EQ(WordOf(decision->result.commits[4].status()), "OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(MetadataOf(decision->result.commits[4].status())["earliest"], "5");
}

}  // namespace
}  // namespace millrace::storage
