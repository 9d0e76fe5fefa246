// Each rule finds what is planted for it, and nothing else.
#include "tests/fault/kills/client_checker.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::kills {
namespace {

constexpr int kReader = 1;
constexpr int kFinal = 2;
constexpr int kMember = 3;
const Partition kIn("in", 0);
const Partition kOut("out", 0);

// Four records that were sent, acknowledged, read and copied as they should be, under two log
// epochs, and a commit of each half.
class ClientCheckerTest : public ::testing::Test {
 protected:
  ClientCheckerTest() {
    history_.Add(Life{.log_epoch = 1, .after_kill = false});
    for (int i = 0; i < 4; ++i) {
      if (i == 2) history_.Add(Life{.log_epoch = 2, .step = history_.Step()});
      for (const char* topic : {"in", "out"}) {
        const size_t send = history_.Ask(Send{.value = MakeValue(1, i + 1), .topic = topic});
        history_.Answer(send, Outcome::kAcknowledged, 0, i);
      }
    }
    for (const int reader : {kReader, kFinal}) {
      for (const Partition& partition : {kIn, kOut}) {
        history_.Add(Poll{.reader = reader, .partition = partition, .records = Records(0, 2)});
        history_.Add(Poll{.reader = reader, .partition = partition, .records = Records(2, 4)});
      }
    }
    history_.Add(Poll{.reader = kMember, .partition = kIn, .start = 0});
    history_.Add(Poll{.reader = kMember, .partition = kIn, .records = Records(0, 4)});
    for (const int64_t next : {2, 4}) {
      history_.Answer(
          history_.Ask(
              Commit{.reader = kMember, .group = "group", .partition = kIn, .next_offset = next}),
          Outcome::kAcknowledged);
      See(next);
    }
  }

  static std::vector<Seen> Records(int from, int to) {
    std::vector<Seen> records;
    for (int i = from; i < to; ++i) {
      records.push_back({.offset = i, .value = MakeValue(1, i + 1), .log_epoch = i < 2 ? 1 : 2});
    }
    return records;
  }
  void See(int64_t next_offset) {
    const int64_t asked = history_.Step();
    history_.Add(CommitSeen{.group = "group",
                            .partition = kIn,
                            .next_offset = next_offset,
                            .asked = asked,
                            .answered = history_.Step()});
  }
  // A poll of `partition` by `reader`: 0 or 1.
  Poll& PollOf(int reader, const Partition& partition, int number) {
    for (Poll& poll : history_.polls) {
      if (poll.reader == reader && poll.partition == partition && number-- == 0) return poll;
    }
    throw std::out_of_range("no such poll");
  }
  void RemoveFromAll(const Partition& partition, size_t index) {
    for (const int reader : {kReader, kFinal}) {
      std::vector<Seen>& records = PollOf(reader, partition, index < 2 ? 0 : 1).records;
      records.erase(records.begin() + static_cast<ptrdiff_t>(index % 2));
    }
  }
  void Finds(Rule rule) {
    bool found = false;
    std::string all;
    for (const Finding& finding : Run()) {
      found |= finding.rule == rule;
      all += finding.text + "\n";
    }
    EXPECT_TRUE(found) << "not found: " << WordOf(rule) << "; but:\n" << all;
  }
  std::vector<Finding> Run() {
    return Check(history_, {.final_reader = kFinal,
                            .complete_readers = {kReader, kFinal},
                            .copied_from = "in",
                            .copied_to = "out"});
  }

  History history_;
};

TEST_F(ClientCheckerTest, FindsNothingWhereNothingIsWrong) {
  for (const Finding& finding : Run()) ADD_FAILURE() << finding.text;
}

TEST_F(ClientCheckerTest, LetsAMemberReadAgainWhatWasNotCommitted) {
  history_.Add(Poll{.reader = 4, .partition = kIn, .start = 2});
  history_.Add(Poll{.reader = 4, .partition = kIn, .records = Records(2, 4)});
  history_.Ask(Commit{.reader = 4, .group = "group", .partition = kIn, .next_offset = 4});
  for (const Finding& finding : Run()) ADD_FAILURE() << finding.text;
}

TEST_F(ClientCheckerTest, LetsAWriteWithoutAnswerBeThereOrNot) {
  history_.sends[6].outcome = Outcome::kUnknown;
  history_.Ask(Send{.value = MakeValue(1, 9), .topic = "in"});
  for (const Finding& finding : Run()) ADD_FAILURE() << finding.text;
}

TEST_F(ClientCheckerTest, FindsALostWrite) {
  RemoveFromAll(kIn, 1);
  Finds(Rule::kLostWrite);
}

TEST_F(ClientCheckerTest, FindsALostBufferedWrite) {
  RemoveFromAll(kIn, 1);
  for (Send& send : history_.sends) send.synced = false;
  Finds(Rule::kLostWrite);
}

TEST_F(ClientCheckerTest, FindsAWriteThatWasOverwritten) {
  for (Poll& poll : history_.polls) {
    for (Seen& seen : poll.records) {
      if (seen.offset == 3) seen.value = MakeValue(1, 9);
    }
  }
  history_.Ask(Send{.value = MakeValue(1, 9), .topic = "in"});
  Finds(Rule::kLostWrite);
}

TEST_F(ClientCheckerTest, FindsALostTail) {
  RemoveFromAll(kIn, 3);
  Finds(Rule::kUnseen);
}

TEST_F(ClientCheckerTest, FindsAReaderThatMissesTheEnd) {
  PollOf(kReader, kIn, 1).records.clear();
  Finds(Rule::kUnseenByReader);
}

TEST_F(ClientCheckerTest, FindsAValueThatIsThereTwice) {
  PollOf(kFinal, kIn, 1).records.push_back({.offset = 4, .value = MakeValue(1, 1), .log_epoch = 2});
  Finds(Rule::kDuplicate);
}

TEST_F(ClientCheckerTest, FindsTwoValuesAtOneOffset) {
  PollOf(kReader, kIn, 0).records[1].value = MakeValue(1, 4);
  Finds(Rule::kInconsistentOffset);
}

TEST_F(ClientCheckerTest, FindsARecordThatIsNotWhereTheAnswerSaid) {
  history_.sends[0].offset = 1;
  Finds(Rule::kAckElsewhere);
}

TEST_F(ClientCheckerTest, FindsAFailedSendThatWasStored) {
  history_.sends[4].outcome = Outcome::kFailed;
  Finds(Rule::kAbortedRead);
}

TEST_F(ClientCheckerTest, FindsWhatNobodySent) {
  PollOf(kFinal, kIn, 1).records.push_back({.offset = 4, .value = 0, .log_epoch = 2});
  Finds(Rule::kPhantom);
}

TEST_F(ClientCheckerTest, FindsASkipWithinAPoll) {
  auto& records = PollOf(kMember, kIn, 1).records;
  records.erase(records.begin() + 1);
  Finds(Rule::kInternalSkip);
}

TEST_F(ClientCheckerTest, FindsASkipBetweenPolls) {
  auto& records = PollOf(kReader, kIn, 1).records;
  records.erase(records.begin());
  Finds(Rule::kExternalSkip);
}

TEST_F(ClientCheckerTest, FindsASkippedBeginning) {
  auto& records = PollOf(kReader, kIn, 0).records;
  records.erase(records.begin());
  Finds(Rule::kExternalSkip);
}

TEST_F(ClientCheckerTest, FindsAnInversionWithinAPoll) {
  auto& records = PollOf(kMember, kIn, 1).records;
  std::swap(records[1], records[2]);
  Finds(Rule::kInternalNonmonotonic);
}

TEST_F(ClientCheckerTest, FindsARecordThatComesAgain) {
  auto& records = PollOf(kReader, kIn, 1).records;
  records.insert(records.begin(), Records(1, 2).front());
  Finds(Rule::kExternalNonmonotonic);
}

TEST_F(ClientCheckerTest, FindsSendsInAnotherOrder) {
  for (Poll& poll : history_.polls) {
    for (Seen& seen : poll.records) {
      if (seen.offset == 2 || seen.offset == 3) seen.value = MakeValue(1, 6 - seen.offset);
    }
  }
  Finds(Rule::kNonmonotonicSend);
}

TEST_F(ClientCheckerTest, FindsACommitThatWentBack) {
  See(2);
  Finds(Rule::kCommitRegressed);
}

TEST_F(ClientCheckerTest, FindsACommitThatNobodyMade) {
  See(5);
  Finds(Rule::kCommitInvented);
}

TEST_F(ClientCheckerTest, FindsAMemberThatBeginsBeyondTheCommit) {
  history_.Add(Poll{.reader = kMember, .partition = kIn, .start = 5});
  Finds(Rule::kCommitInvented);
}

TEST_F(ClientCheckerTest, FindsALogEpochThatIsNotRaised) {
  history_.lives[1].log_epoch = 1;
  Finds(Rule::kEpochNotRaised);
}

TEST_F(ClientCheckerTest, FindsLogEpochsThatFall) {
  for (Poll& poll : history_.polls) {
    for (Seen& seen : poll.records) seen.log_epoch = seen.offset < 2 ? 2 : 1;
  }
  Finds(Rule::kEpochOrder);
}

TEST_F(ClientCheckerTest, FindsALogEpochThatIsNewerThanItsAnswer) {
  for (Poll& poll : history_.polls) {
    for (Seen& seen : poll.records) seen.log_epoch = seen.offset < 1 ? 1 : 2;
  }
  Finds(Rule::kEpochOrder);
}

TEST_F(ClientCheckerTest, FindsACopyThatMissesARecord) {
  for (const int reader : {kReader, kFinal}) PollOf(reader, kOut, 1).records.pop_back();
  Finds(Rule::kCopyDiffers);
}

TEST(Bytes, AreReadBackOnlyAsTheyWereSent) {
  for (int64_t number = 1; number < 1'000; ++number) {
    std::string bytes = BytesOf(MakeValue(3, number));
    EXPECT_EQ(ParseBytes(bytes), MakeValue(3, number));
    bytes += "a";
    EXPECT_EQ(ParseBytes(bytes), 0U);
  }
}

}  // namespace
}  // namespace millrace::kills
