// Where a reader stands in its partitions, frame by frame.
#include "client/cpp/reading.h"

#include <gtest/gtest.h>

namespace millrace::client {
namespace {

v1::Assigned AssignedAt(int64_t start, int64_t position_epoch) {
  v1::Assigned frame;
  v1::Assignment& assignment = *frame.add_assignments();
  assignment.set_topic("orders");
  assignment.set_start_offset(start);
  assignment.set_position_epoch(position_epoch);
  return frame;
}

EncodedBatch BatchAt(int64_t base_offset, int32_t count, int64_t position_epoch) {
  EncodedBatch batch;
  batch.topic = "orders";
  batch.base_offset = base_offset;
  batch.record_count = count;
  batch.position_epoch = position_epoch;
  return batch;
}

// A hub that is killed before its group commits numbers its positions as it did in the life before.
TEST(ReadingTable, TakesUpItsPlaceInANewSessionThatCountsPositionsAsTheLastOneDid) {
  ReadingTable table(/*in_group=*/true);
  table.OnSubscribe();
  table.OnSessionStarted(1);
  table.OnAssigned(AssignedAt(0, 1));
  ASSERT_NE(table.OnBatch(BatchAt(0, 10, 1)).reading, nullptr);

  table.OnSubscribe();
  table.OnSessionStarted(2);
  table.OnAssigned(AssignedAt(0, 2));
  Reading& reading = *table.Find("orders", 0);
  ASSERT_TRUE(reading.resuming);
  // The Seek that resumes is answered before the stream tells of it.
  reading.resuming = false;
  reading.position_epoch = reading.silent_epoch = 3;
  ASSERT_NE(table.OnBatch(BatchAt(10, 2, 3)).reading, nullptr);

  table.OnSubscribe();
  table.OnSessionStarted(3);
  table.OnAssigned(AssignedAt(0, 2));
  ASSERT_TRUE(reading.resuming);
  // This time the stream is quicker.
  v1::Repositioned moved;
  moved.set_topic("orders");
  moved.set_to_offset(12);
  moved.set_position_epoch(3);
  EXPECT_TRUE(table.OnRepositioned(moved).empty());
  EXPECT_NE(table.OnBatch(BatchAt(12, 5, 3)).reading, nullptr) << "dropped, and never sent again";
  EXPECT_EQ(reading.received.offset, 17);
}

// A Seek between the two frames would be taken back by the second, which was written before it.
TEST(ReadingTable, AwaitsTheAssignmentOfANewSessionInAGroupOrNot) {
  for (const bool in_group : {false, true}) {
    ReadingTable table(in_group);
    table.OnSubscribe();
    table.OnSessionStarted(1);
    EXPECT_FALSE(table.awaits_assignment()) << "nothing is known that could be moved";
    table.OnAssigned(AssignedAt(0, 1));
    EXPECT_FALSE(table.awaits_assignment());
    table.OnSubscribe();
    table.OnSessionStarted(2);
    EXPECT_TRUE(table.awaits_assignment());
    table.OnAssigned(AssignedAt(0, 2));
    EXPECT_FALSE(table.awaits_assignment());
  }
}

// Of a buffer that another member committed meanwhile, and of what was returned and is not
// committed, a transaction must take nothing.
TEST(ReadingTable, FollowsAnotherMemberThatCommittedWhatIsStillBufferedHere) {
  ReadingTable table(/*in_group=*/true);
  table.OnSubscribe();
  table.OnSessionStarted(1);
  table.OnAssigned(AssignedAt(0, 1));
  ASSERT_NE(table.OnBatch(BatchAt(0, 10, 1)).reading, nullptr);
  Reading& reading = *table.Find("orders", 0);
  for (const int64_t committed_by_others : {10, 7, 2}) {
    reading.MoveTo(0, std::nullopt);
    reading.committed = 0;
    reading.received.offset = 10;
    reading.returned.offset = 3;
    const int64_t generation = reading.generation;
    table.OnSubscribe();
    table.OnSessionStarted(2);
    EXPECT_EQ(table.OnAssigned(AssignedAt(committed_by_others, 5)).size(), 1U);
    EXPECT_EQ(reading.returned.offset, committed_by_others);
    EXPECT_EQ(reading.voided, 3);
    EXPECT_GT(reading.generation, generation) << "what is buffered is void";
  }
}

TEST(ReadingTable, KnowsWhatWasReturnedOfAPartitionThatItLost) {
  ReadingTable table(/*in_group=*/true);
  table.OnSubscribe();
  table.OnSessionStarted(1);
  table.OnAssigned(AssignedAt(0, 1));
  Reading& reading = *table.Find("orders", 0);
  v1::Lost lost;
  lost.add_partitions()->set_topic("orders");
  table.OnLost(lost);
  EXPECT_FALSE(reading.voided) << "nothing was returned";
  table.OnAssigned(AssignedAt(0, 2));
  reading.returned.offset = 3;
  table.OnLost(lost);
  EXPECT_EQ(reading.voided, 3);
}

// Until then its positions are numbered as the last session's are.
TEST(ReadingTable, AwaitsWhatASessionIsAssignedWhereTheLastOneHadSomething) {
  ReadingTable table(/*in_group=*/true);
  table.OnSessionStarted(1);
  EXPECT_FALSE(table.awaits_assignment());
  table.OnAssigned(AssignedAt(0, 1));
  EXPECT_FALSE(table.awaits_assignment());
  table.OnSubscribe();
  table.OnSessionStarted(2);
  EXPECT_TRUE(table.awaits_assignment());
  table.OnAssigned(AssignedAt(0, 1));
  EXPECT_FALSE(table.awaits_assignment());
  table.OnSubscribe();
  table.OnSessionStarted(3);
  EXPECT_TRUE(table.awaits_assignment());
  table.OnSettled();  // By a heartbeat: it has nothing.
  EXPECT_FALSE(table.awaits_assignment());
}

TEST(ReadingTable, KnowsACommitOfItsOwnWhoseAnswerWasLost) {
  ReadingTable table(/*in_group=*/true);
  table.OnSubscribe();
  table.OnSessionStarted(1);
  table.OnAssigned(AssignedAt(0, 1));
  ASSERT_NE(table.OnBatch(BatchAt(0, 10, 1)).reading, nullptr);
  Reading& reading = *table.Find("orders", 0);
  reading.returned.offset = 8;
  reading.commit_asked = 5;
  table.OnSubscribe();
  table.OnSessionStarted(2);
  EXPECT_TRUE(table.OnAssigned(AssignedAt(5, 2)).empty());
  EXPECT_EQ(reading.committed, 5);
  EXPECT_EQ(reading.returned.offset, 8);
  EXPECT_TRUE(reading.resuming);
}

}  // namespace
}  // namespace millrace::client
