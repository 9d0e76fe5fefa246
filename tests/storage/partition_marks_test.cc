#include "storage/commit/partition_marks.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace::storage {
namespace {

constexpr PartitionMarks::Spacing kSpacing{.bytes = 1000, .time_ms = 100};

// Appends a batch of one record, as an engine does.
void AppendOne(PartitionMarks& marks, UnixMillis time, int64_t bytes) {
  if (auto mark = marks.DueMark(time)) marks.AddMark(*mark);
  marks.Append(marks.end() + 1, time, bytes);
}

TEST(PartitionMarks, SetsAMarkAfterSoManyBytes) {
  PartitionMarks marks(kSpacing);
  for (int i = 0; i < 7; ++i) AppendOne(marks, 50, 400);
  EXPECT_EQ(marks.marks(),
            (std::vector<PartitionMark>{{Offset(3), 50, 1200}, {Offset(6), 50, 2400}}));
}

TEST(PartitionMarks, SetsAMarkAfterSomeTime) {
  PartitionMarks marks(kSpacing);
  for (const UnixMillis time : {1000, 1050, 1099, 1100, 1150, 1200}) AppendOne(marks, time, 1);
  EXPECT_EQ(marks.marks(),
            (std::vector<PartitionMark>{{Offset(3), 1099, 3}, {Offset(5), 1150, 5}}));
}

TEST(PartitionMarks, DropsByAgeOnlyWhatIsOlder) {
  PartitionMarks marks(kSpacing);
  for (UnixMillis time = 0; time < 10'000; time += 200) AppendOne(marks, time, 1);
  for (UnixMillis cutoff = 0; cutoff <= 9800; cutoff += 40) {
    // With a mark before every batch the answer is exact.
    EXPECT_EQ(marks.StartByAge(cutoff), Offset((cutoff + 199) / 200)) << cutoff;
    EXPECT_EQ(marks.SearchStart(cutoff), Offset((cutoff + 199) / 200)) << cutoff;
  }
}

TEST(PartitionMarks, DropsEverythingOfAnIdlePartition) {
  PartitionMarks marks(kSpacing);
  for (const UnixMillis time : {10, 20, 30}) AppendOne(marks, time, 1);
  EXPECT_EQ(marks.StartByAge(30), Offset(0));
  EXPECT_EQ(marks.StartByAge(31), Offset(3));
  EXPECT_EQ(PartitionMarks(kSpacing).StartByAge(0), Offset(0));
}

TEST(PartitionMarks, DropsByBytesDownToTheLimit) {
  PartitionMarks marks(kSpacing);
  for (int i = 0; i < 20; ++i) AppendOne(marks, 0, 500);
  EXPECT_EQ(marks.StartByBytes(10'000), Offset(0));
  EXPECT_EQ(marks.StartByBytes(9'999), Offset(2));
  EXPECT_EQ(marks.StartByBytes(5'000), Offset(10));
  EXPECT_EQ(marks.StartByBytes(4'500), Offset(12));
  EXPECT_EQ(marks.StartByBytes(1), Offset(18));  // What came since the last mark stays.
  EXPECT_EQ(PartitionMarks(kSpacing).StartByBytes(1), Offset(0));
}

TEST(PartitionMarks, CountsTheBytesThatAreKept) {
  PartitionMarks marks(kSpacing);
  for (int i = 0; i < 6; ++i) AppendOne(marks, 0, 500);
  EXPECT_EQ(marks.BytesFrom(Offset(0)), 3000);
  EXPECT_EQ(marks.BytesFrom(Offset(1)), 3000);  // From the mark before.
  EXPECT_EQ(marks.BytesFrom(Offset(2)), 2000);
  EXPECT_EQ(marks.BytesFrom(Offset(5)), 1000);
  EXPECT_EQ(marks.BytesFrom(Offset(6)), 0);
}

TEST(PartitionMarks, ForgetsMarksBeforeTheStart) {
  PartitionMarks marks(kSpacing);
  for (int i = 0; i < 20; ++i) AppendOne(marks, 0, 500);
  EXPECT_EQ(marks.marks().size(), 9u);  // At 2, 4 .. 18.
  EXPECT_EQ(marks.DropBefore(Offset(1)), 0u);
  EXPECT_EQ(marks.DropBefore(Offset(7)), 2u);
  EXPECT_EQ(marks.marks().front().offset, Offset(6));
  EXPECT_EQ(marks.BytesFrom(Offset(8)), 6000);
  EXPECT_EQ(marks.StartByBytes(5'000), Offset(10));
}

TEST(PartitionMarks, CountsAnewAfterEverythingWent) {
  PartitionMarks marks(kSpacing);
  for (int i = 0; i < 5; ++i) AppendOne(marks, 0, 300);
  EXPECT_EQ(marks.DropBefore(Offset(5)), 1u);
  EXPECT_EQ(marks.BytesFrom(Offset(5)), 0);
  AppendOne(marks, 0, 70);
  EXPECT_EQ(marks.BytesFrom(Offset(5)), 70);
  EXPECT_EQ(marks.marks().front().offset, Offset(5));
}

TEST(PartitionMarks, GoesOnFromWhatWasReadBack) {
  PartitionMarks before(kSpacing);
  for (int i = 0; i < 7; ++i) AppendOne(before, 40 * i, 500);
  PartitionMarks after(kSpacing);
  for (const PartitionMark& mark : before.marks()) after.AddMark(mark);
  after.Restore(before.end(), before.last_append_time(), 500);
  EXPECT_EQ(after.end(), before.end());
  for (int64_t offset = 0; offset <= 7; ++offset) {
    EXPECT_EQ(after.BytesFrom(Offset(offset)), before.BytesFrom(Offset(offset)));
  }
  AppendOne(before, 250, 600);
  AppendOne(after, 250, 600);
  AppendOne(before, 250, 600);
  AppendOne(after, 250, 600);
  EXPECT_EQ(after.marks(), before.marks());
}

}  // namespace
}  // namespace millrace::storage
