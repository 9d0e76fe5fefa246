#include "server/hub/transacting.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/hub/frame_reader.h"
#include "tests/server/hub/hub_fixture.h"

namespace millrace::hub {
namespace {

using storage::Offset;
using storage::PositionEpoch;
using storage::Reason;
using Values = std::vector<std::string>;

// A topic to read from with three records, and two to write to.
class TransactingTest : public HubFixture {
 protected:
  TransactingTest() { Begin({}); }

  void Begin(HubOptions options) {
    Start(std::move(options));
    CreateTopic("input", 2);
    CreateTopic("output", 2);
    CreateTopic("audit");
    ProduceValues("input", 0, {"a", "b", "c"});
    OpenProducer();
  }

  void OpenProducer() {
    const auto opened = hub_->producing().OpenProducer("worker");
    ASSERT_TRUE(opened.ok()) << opened.status();
    epoch_ = opened->state.epoch;
  }

  storage::ProducerStamp StampOf(int64_t sequence) const {
    return {.producer_id = "worker", .epoch = epoch_, .sequence = sequence};
  }

  // Two records to output, one to audit, and input read up to `next_offset` by the group.
  TransactCommand CommandOf(int64_t sequence, int64_t next_offset) const {
    TransactCommand command{.producer = StampOf(sequence)};
    command.appends.push_back(
        {.topic = "output", .partition = 1, .records = EncodeValues({"A", "B"})});
    command.appends.push_back({.topic = "audit", .records = EncodeValues({"seen"})});
    command.commit = CommitCommand{
        .group = "billing", .entries = {{.topic = "input", .next_offset = Offset(next_offset)}}};
    return command;
  }

  absl::StatusOr<TransactOutcome> Transact(TransactCommand command) {
    std::promise<absl::StatusOr<TransactOutcome>> promise;
    hub_->transacting().Transact(std::move(command), [&](absl::StatusOr<TransactOutcome> outcome) {
      promise.set_value(std::move(outcome));
    });
    return promise.get_future().get();
  }

  absl::Status Refusal(TransactCommand command) { return Transact(std::move(command)).status(); }

  Offset EndOf(const std::string& topic, int32_t partition = 0) {
    return engine_->Status(engine_->FindTopic(topic)->partitions[partition])->high_watermark;
  }

  std::optional<Offset> CommittedInInput() {
    const auto entries = hub_->groups().Committed("billing", {{"input", 0}});
    EXPECT_TRUE(entries.ok()) << entries.status();
    if (!entries.ok() || !entries->front().committed) return std::nullopt;
    return entries->front().committed->next_offset;
  }

  void ExpectNothingStored() {
    EXPECT_EQ(EndOf("output", 1), Offset(0));
    EXPECT_EQ(EndOf("audit"), Offset(0));
  }

  // A member of the group with all of input.
  struct Member {
    std::shared_ptr<Subscription> subscription;
    std::unique_ptr<FrameReader> reader;
    std::string member_id;
    int32_t member_epoch = 0;
  };
  Member Join() {
    Member member{.subscription = Subscribe({.topics = {"input"}, .group = "billing"})};
    member.reader = std::make_unique<FrameReader>(member.subscription);
    const auto started = member.reader->Expect<SessionStartedFrame>();
    member.member_id = started.member_id;
    member.member_epoch = started.member_epoch;
    for (size_t assigned = 0; assigned < 2 && !HasFailure();) {
      assigned += member.reader->Await<AssignedFrame>().assignments.size();
    }
    return member;
  }
  static TransactCommand As(const Member& member, TransactCommand command) {
    command.commit->member_id = member.member_id;
    command.commit->member_epoch = member.member_epoch;
    return command;
  }

  storage::ProducerEpoch epoch_;
};

TEST_F(TransactingTest, StoresTheRecordsOfSeveralTopicsAndTheCommitTogether) {
  const auto outcome = Transact(CommandOf(1, 2));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_FALSE(outcome->duplicate);
  ASSERT_EQ(outcome->appended.size(), 2u);
  ASSERT_EQ(outcome->appended[0].ranges.size(), 1u);
  EXPECT_EQ(outcome->appended[0].ranges[0].partition, 1);
  EXPECT_EQ(outcome->appended[0].ranges[0].record_count, 2);
  EXPECT_EQ(outcome->appended[1].ranges[0].base_offset, Offset(0));
  ASSERT_EQ(outcome->committed.size(), 1u);
  EXPECT_EQ(outcome->committed[0].topic, "input");
  EXPECT_EQ(outcome->committed[0].next_offset, Offset(2));

  FrameReader reader(Subscribe({.topics = {"output"}, .start = Earliest{}}));
  EXPECT_EQ(reader.Records(2), (Values{"1/0=A", "1/1=B"}));
  EXPECT_EQ(EndOf("audit"), Offset(1));
  EXPECT_EQ(CommittedInInput(), Offset(2));
}

TEST_F(TransactingTest, NeedsNeitherACommitNorAnAppend) {
  TransactCommand appends = CommandOf(1, 1);
  appends.commit.reset();
  const auto appended = Transact(appends);
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_TRUE(appended->committed.empty());
  TransactCommand commit = CommandOf(2, 3);
  commit.appends.clear();
  for (const bool repeated : {false, true}) {
    const auto committed = Transact(commit);
    ASSERT_TRUE(committed.ok()) << committed.status();
    EXPECT_EQ(committed->duplicate, repeated);
    EXPECT_TRUE(committed->appended.empty());
    EXPECT_EQ(committed->committed[0].next_offset, Offset(3));
  }
}

TEST_F(TransactingTest, AppendsTwiceToOnePartitionInOrder) {
  TransactCommand command = CommandOf(1, 1);
  command.appends.push_back({.topic = "output",
                             .partition = 1,
                             .records = EncodeValues({"C"}),
                             .expected_next_offset = Offset(2)});
  const auto outcome = Transact(command);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->appended[0].ranges[0].base_offset, Offset(0));
  EXPECT_EQ(outcome->appended[2].ranges[0].base_offset, Offset(2));
  FrameReader reader(Subscribe({.topics = {"output"}, .start = Earliest{}}));
  EXPECT_EQ(reader.Records(3), (Values{"1/0=A", "1/1=B", "1/2=C"}));
}

// Records with keys that spread over any number of partitions.
storage::EncodedRecords EncodeKeys() {
  std::string entries;
  for (const char* key : {"a", "b", "c", "d", "e", "f"}) {
    storage::AppendRecordEntry({.key = key, .value = key}, &entries);
  }
  storage::SliceBuffer buffer(entries.size());
  entries.copy(buffer.data(), entries.size());
  return {buffer.Share(0, buffer.size()), 6};
}

TEST_F(TransactingTest, GivesARepetitionItsFirstPlacementThoughTheTopicGrew) {
  const auto command = [this] {
    TransactCommand command = CommandOf(1, 1);
    command.appends.insert(command.appends.begin(), {.topic = "output", .records = EncodeKeys()});
    command.appends.push_back({.topic = "output", .records = EncodeKeys()});
    return command;
  };
  const auto first = Transact(command());
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->appended.size(), 4u);
  EXPECT_EQ(first->appended[0].ranges.size(), 2u);
  EXPECT_EQ(first->appended[3].ranges.size(), 2u);
  ASSERT_TRUE(hub_->topics().Update("output", {.partition_count = 7}).ok());

  const auto again = Transact(command());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate);
  ASSERT_EQ(again->appended.size(), first->appended.size());
  for (size_t i = 0; i < first->appended.size(); ++i) {
    EXPECT_TRUE(again->appended[i].duplicate);
    ASSERT_EQ(again->appended[i].ranges.size(), first->appended[i].ranges.size());
    for (size_t j = 0; j < first->appended[i].ranges.size(); ++j) {
      const PlacedRange& expected = first->appended[i].ranges[j];
      EXPECT_EQ(again->appended[i].ranges[j].partition, expected.partition);
      EXPECT_EQ(again->appended[i].ranges[j].base_offset, expected.base_offset);
      EXPECT_EQ(again->appended[i].ranges[j].record_indexes, expected.record_indexes);
    }
  }
}

// ---- All or nothing

TEST_F(TransactingTest, StoresNothingWhereTheCommitIsRefused) {
  CreateTopic("fresh");
  const auto commit = [](const CommitEntry& entry) {
    return [entry](CommitCommand& command) { command.entries.push_back(entry); };
  };
  const std::vector<std::pair<Reason, std::function<void(CommitCommand&)>>> cases = {
      {Reason::kOffsetOutOfRange, commit({.topic = "input", .next_offset = Offset(4)})},
      {Reason::kOffsetOutOfRange, commit({.topic = "input", .next_offset = Offset(-1)})},
      {Reason::kPartitionOutOfRange, commit({.topic = "input", .partition = 2})},
      {Reason::kTopicNotFound, commit({.topic = "none"})},
      {Reason::kMetadataTooLarge, commit({.topic = "fresh", .metadata = std::string(5000, 'm')})},
      {Reason::kMemberFenced, [](auto& command) { command.member_id = "nobody"; }},
      {Reason::kInvalidName, [](auto& command) { command.group = "no slash"; }},
  };
  for (const auto& [reason, spoil] : cases) {
    TransactCommand command = CommandOf(1, 2);
    spoil(*command.commit);
    EXPECT_EQ(ReasonOf(Refusal(std::move(command))), reason);
    ExpectNothingStored();
    EXPECT_EQ(CommittedInInput(), std::nullopt);
  }
  const auto stored = Transact(CommandOf(1, 2));  // Its number is still free.
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_FALSE(stored->duplicate);
}

TEST_F(TransactingTest, StoresNothingUnderAnOlderPositionEpoch) {
  const auto under = [this](int64_t position_epoch) {
    TransactCommand command = CommandOf(1, 2);
    command.commit->entries[0].position_epoch = PositionEpoch(position_epoch);
    return command;
  };
  CommitCommand newer{.group = "billing"};
  newer.entries = {
      {.topic = "input", .next_offset = Offset(1), .position_epoch = PositionEpoch(5)}};
  ASSERT_TRUE(Commit(newer).ok());
  const absl::Status refused = Refusal(under(4));
  EXPECT_EQ(ReasonOf(refused), Reason::kSuperseded);
  EXPECT_EQ(storage::MetadataOf(refused)["topic"], "input");
  EXPECT_EQ(storage::MetadataOf(refused)["committed_next_offset"], "1");
  ExpectNothingStored();
  EXPECT_EQ(CommittedInInput(), Offset(1));
  EXPECT_TRUE(Transact(under(5)).ok());
}

TEST_F(TransactingTest, StoresNothingWhereOneAppendIsRefused) {
  TransactCommand command = CommandOf(1, 2);
  command.appends[1].topic = "none";
  absl::Status refused = Refusal(std::move(command));
  EXPECT_EQ(ReasonOf(refused), Reason::kTopicNotFound);
  EXPECT_EQ(storage::MetadataOf(refused)["append_index"], "1");
  EXPECT_EQ(storage::MetadataOf(refused)["topic"], "none");
  command = CommandOf(1, 2);
  command.appends[0].partition = 2;
  refused = Refusal(std::move(command));
  EXPECT_EQ(ReasonOf(refused), Reason::kPartitionOutOfRange);
  EXPECT_EQ(storage::MetadataOf(refused)["append_index"], "0");
  command = CommandOf(1, 2);
  command.appends[1].partition = 0;
  command.appends[1].expected_next_offset = Offset(1);
  refused = Refusal(std::move(command));
  EXPECT_EQ(ReasonOf(refused), Reason::kUnexpectedOffset);
  EXPECT_EQ(storage::MetadataOf(refused)["next_offset"], "0");
  EXPECT_EQ(storage::MetadataOf(refused)["topic"], "audit");
  EXPECT_EQ(storage::MetadataOf(refused)["partition"], "0");
  ExpectNothingStored();
  EXPECT_EQ(CommittedInInput(), std::nullopt);
}

TEST_F(TransactingTest, SaysWhatIsWrongWithACommandBeforeAnythingElse) {
  TransactCommand command = CommandOf(1, 2);
  command.producer.reset();
  EXPECT_EQ(ReasonOf(Refusal(command)), Reason::kSequenceRequired);
  EXPECT_EQ(ReasonOf(Refusal({.producer = StampOf(1)})), Reason::kEmptyRequest);
  EXPECT_EQ(ReasonOf(Refusal({.commit = CommitCommand{.group = "g"}, .producer = StampOf(1)})),
            Reason::kEmptyRequest);
  command = CommandOf(1, 2);
  command.appends[1].producer = StampOf(1);
  absl::Status refused = Refusal(command);
  EXPECT_EQ(ReasonOf(refused), Reason::kInvalidConfig);
  EXPECT_EQ(storage::MetadataOf(refused)["field"], "appends[1].sequence");
  command = CommandOf(1, 2);
  command.appends[0].durability = storage::Durability::kBuffered;
  refused = Refusal(command);
  EXPECT_EQ(ReasonOf(refused), Reason::kInvalidConfig);
  EXPECT_EQ(storage::MetadataOf(refused)["field"], "appends[0].durability");
  ExpectNothingStored();
}

// ---- Members

TEST_F(TransactingTest, CommitsForTheMemberThatHasThePartition) {
  const Member member = Join();
  EXPECT_EQ(ReasonOf(Refusal(CommandOf(1, 2))), Reason::kGroupHasMembers);
  ExpectNothingStored();
  const auto outcome = Transact(As(member, CommandOf(1, 2)));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(CommittedInInput(), Offset(2));
}

TEST_F(TransactingTest, GivesARepetitionItsFirstAnswerThoughTheMemberIsGone) {
  const Member member = Join();
  ASSERT_TRUE(Transact(As(member, CommandOf(1, 2))).ok());
  hub_->subscriptions().Close(member.subscription);
  const Member successor = Join();
  const auto again = Transact(As(member, CommandOf(1, 2)));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate);
  ASSERT_EQ(again->appended.size(), 2u);
  EXPECT_EQ(again->appended[0].ranges[0].record_count, 2);
  ASSERT_EQ(again->committed.size(), 1u);
  EXPECT_EQ(again->committed[0].next_offset, Offset(2));
  EXPECT_EQ(EndOf("output", 1), Offset(2));

  const absl::Status refused = Refusal(As(member, CommandOf(2, 3)));
  EXPECT_EQ(ReasonOf(refused), Reason::kMemberFenced);
  EXPECT_EQ(EndOf("output", 1), Offset(2));
  EXPECT_EQ(CommittedInInput(), Offset(2));
  const auto next = Transact(As(successor, CommandOf(2, 3)));
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_FALSE(next->duplicate);
  EXPECT_EQ(CommittedInInput(), Offset(3));
}

TEST_F(TransactingTest, HoldsNoPartitionAfterARefusal) {
  const Member member = Join();
  TransactCommand command = As(member, CommandOf(1, 2));
  command.commit->entries.push_back({.topic = "audit"});  // Not the group's.
  EXPECT_EQ(ReasonOf(Refusal(command)), Reason::kMemberFenced);
  command = As(member, CommandOf(9, 2));
  EXPECT_EQ(ReasonOf(Refusal(command)), Reason::kSequenceGap);
  CommitCommand leave{
      .group = "billing", .member_id = member.member_id, .member_epoch = member.member_epoch};
  leave.leave = true;
  ASSERT_TRUE(Commit(leave).ok());
  const Member successor = Join();  // Gets both partitions.
  EXPECT_TRUE(Transact(As(successor, CommandOf(1, 2))).ok());
}

// ---- Repetitions

TEST_F(TransactingTest, GivesARepetitionItsFirstAnswerThoughTheTopicsAreGone) {
  ASSERT_TRUE(Transact(CommandOf(1, 2)).ok());
  ASSERT_TRUE(hub_->topics().Delete("output").ok());
  ASSERT_TRUE(hub_->topics().Delete("input").ok());
  const auto again = Transact(CommandOf(1, 2));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->appended[0].ranges[0].partition, 1);
  EXPECT_EQ(again->committed[0].topic, "input");
  EXPECT_EQ(again->committed[0].next_offset, std::nullopt);
  EXPECT_EQ(ReasonOf(Refusal(CommandOf(2, 2))), Reason::kTopicNotFound);
}

TEST_F(TransactingTest, AnswersARepetitionWhoseResultHasExpired) {
  const int64_t last = engine_->producer_window() + 1;
  for (int64_t sequence = 1; sequence <= last; ++sequence) {
    ASSERT_TRUE(Transact(CommandOf(sequence, 2)).ok());
  }
  const auto again = Transact(CommandOf(1, 1));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate);
  EXPECT_TRUE(again->result_expired);
  ASSERT_EQ(again->appended.size(), 2u);
  EXPECT_TRUE(again->appended[0].result_expired);
  EXPECT_TRUE(again->appended[0].ranges.empty());
  EXPECT_EQ(again->committed[0].next_offset, Offset(2));
  EXPECT_EQ(EndOf("output", 1), Offset(2 * last));
}

TEST_F(TransactingTest, FencesZombiesAndTellsTheNextSequence) {
  const TransactCommand zombie = CommandOf(1, 2);
  OpenProducer();
  EXPECT_EQ(ReasonOf(Refusal(zombie)), Reason::kProducerFenced);
  const absl::Status gap = Refusal(CommandOf(3, 2));
  EXPECT_EQ(ReasonOf(gap), Reason::kSequenceGap);
  EXPECT_EQ(storage::MetadataOf(gap)["expected_sequence"], "1");
  TransactCommand stranger = CommandOf(1, 2);
  stranger.producer->producer_id = "stranger";
  EXPECT_EQ(ReasonOf(Refusal(stranger)), Reason::kProducerUnknown);
  ExpectNothingStored();
}

TEST_F(TransactingTest, DoesNotTakeAProduceForItsRepetitionNorTheOtherWayRound) {
  const auto produce = [this](int64_t sequence) {
    return Produce({.topic = "output",
                    .partition = 0,
                    .records = EncodeValues({"p"}),
                    .producer = StampOf(sequence)});
  };
  ASSERT_TRUE(produce(1).ok());
  EXPECT_EQ(ReasonOf(Refusal(CommandOf(1, 2))), Reason::kInvalidSequence);
  ASSERT_TRUE(Transact(CommandOf(2, 2)).ok());
  EXPECT_EQ(ReasonOf(produce(2).status()), Reason::kInvalidSequence);
  ASSERT_TRUE(produce(3).ok());
}

// ---- Missing topics

TEST_F(TransactingTest, CreatesMissingTopicsWhereThatIsAllowed) {
  Begin({.topics = {.auto_create_partitions = 3}});
  TransactCommand command = CommandOf(1, 2);
  command.appends.push_back({.topic = "new-1", .partition = 2, .records = EncodeValues({"x"})});
  command.appends.push_back({.topic = "new-2", .records = EncodeValues({"y"})});
  command.appends.push_back({.topic = "new-1", .partition = 2, .records = EncodeValues({"z"})});
  const auto outcome = Transact(command);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->appended.size(), 5u);
  EXPECT_EQ(outcome->appended[4].ranges[0].base_offset, Offset(1));
  EXPECT_EQ(engine_->FindTopic("new-2")->partitions.size(), 3u);
}

TEST_F(TransactingTest, SaysWhyAMissingTopicCannotBeCreated) {
  Begin({.limits = {.max_topics = 3}, .topics = {.auto_create_partitions = 1}});
  TransactCommand command = CommandOf(1, 2);
  command.appends.push_back({.topic = "new", .records = EncodeValues({"x"})});
  const absl::Status refused = Refusal(command);
  EXPECT_EQ(ReasonOf(refused), Reason::kLimitExceeded);
  EXPECT_EQ(storage::MetadataOf(refused)["append_index"], "2");
  ExpectNothingStored();
}

}  // namespace
}  // namespace millrace::hub
