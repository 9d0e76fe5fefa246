// Engine::Read, Status and OffsetAtTime.
#include "tests/storage/contract/engine_contract.h"

namespace millrace::storage {
namespace {

TEST_P(EngineContract, ReadsNothingAtTheEnd) {
  const PartitionId partition = CreatePartition();
  for (const int64_t end : {0, 2}) {
    const auto result = Read(partition, Offset(end));
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE(result->batches.empty());
    EXPECT_EQ(result->next_offset, Offset(end));
    EXPECT_EQ(result->earliest, Offset(0));
    EXPECT_EQ(result->high_watermark, Offset(end));
    AppendValues(partition, {"a", "b"});
  }
}

TEST_P(EngineContract, StartsInsideABatch) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b", "c"});
  AppendValues(partition, {"d"});
  const auto result = Read(partition, Offset(1));
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_FALSE(result->batches.empty());
  EXPECT_EQ(result->batches[0].base_offset, Offset(1));
  EXPECT_EQ(RecordsOf(*result), (std::vector<ReadRecord>{{1, "b"}, {2, "c"}, {3, "d"}}));
  EXPECT_EQ(result->next_offset, Offset(4));
  EXPECT_EQ(ReadAll(partition, Offset(2)), (std::vector<ReadRecord>{{2, "c"}, {3, "d"}}));
  EXPECT_EQ(ReadAll(partition, Offset(3)), (std::vector<ReadRecord>{{3, "d"}}));
}

TEST_P(EngineContract, EndsBeforeTheBatchThatDoesNotFitAndCutsTheFirst) {
  const PartitionId partition = CreatePartition();
  const std::string value(100, 'v');
  AppendValues(partition, {value, value, value, value});
  AppendValues(partition, {value, value});
  const int64_t record_bytes = EncodeValues({value}).entries.bytes.size();
  const auto count_with = [&](int64_t max_bytes) {
    const auto result = Read(partition, Offset(0), {.max_bytes = max_bytes});
    EXPECT_TRUE(result.ok()) << result.status();
    const auto records = static_cast<int64_t>(RecordsOf(*result).size());
    EXPECT_EQ(result->next_offset, Offset(records));
    EXPECT_EQ(result->high_watermark, Offset(6));
    return records;
  };
  EXPECT_EQ(count_with(record_bytes * 2), 2);
  EXPECT_EQ(count_with(record_bytes * 3 - 1), 2);
  EXPECT_EQ(count_with(record_bytes * 5), 4);
  EXPECT_EQ(count_with(record_bytes * 6), 6);
  EXPECT_EQ(count_with(1 << 20), 6);
}

TEST_P(EngineContract, GivesTheFirstRecordWhateverItsSize) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {std::string(100'000, 'x'), "small"});
  for (const int64_t max_bytes : {1, 0, 5000}) {
    const auto result = Read(partition, Offset(0), {.max_bytes = max_bytes});
    ASSERT_TRUE(result.ok()) << result.status();
    const std::vector<ReadRecord> records = RecordsOf(*result);
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].value.size(), 100'000u);
    EXPECT_EQ(result->next_offset, Offset(1));
  }
}

TEST_P(EngineContract, DoesNotGiveALargeRecordBehindAnother) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"small"});
  AppendValues(partition, {std::string(100'000, 'x')});
  const auto result = Read(partition, Offset(0), {.max_bytes = 1000});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(RecordsOf(*result), (std::vector<ReadRecord>{{0, "small"}}));
}

TEST_P(EngineContract, ReadsEverythingInSmallSteps) {
  const PartitionId partition = CreatePartition();
  std::vector<ReadRecord> expected;
  for (int i = 0; i < 60; ++i) {
    std::vector<std::string> values;
    for (int j = 0; j <= i % 7; ++j) {
      values.push_back(std::string(static_cast<size_t>(i * j % 300), 'a' + j));
      expected.push_back({static_cast<int64_t>(expected.size()), values.back()});
    }
    AppendValues(partition, values);
  }
  for (const int64_t max_bytes : {1, 250, 1000, 100'000}) {
    EXPECT_EQ(ReadAll(partition, Offset(0), {.max_bytes = max_bytes}), expected) << max_bytes;
  }
}

TEST_P(EngineContract, RefusesToReadOutsideOfThePartition) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b", "c"});
  ASSERT_TRUE(engine().Truncate(partition, Offset(1)).ok());
  for (const int64_t from : {-1, 0, 4}) {
    const auto result = Read(partition, Offset(from));
    ASSERT_EQ(ReasonWord(result), "OFFSET_OUT_OF_RANGE") << from;
    EXPECT_EQ(MetadataOf(result.status())["earliest"], "1");
    EXPECT_EQ(MetadataOf(result.status())["latest"], "3");
  }
  EXPECT_EQ(ReasonWord(Read(partition, Offset(1))), "OK");
  EXPECT_EQ(ReasonWord(Read(partition, Offset(3))), "OK");
}

TEST_P(EngineContract, RefusesToReadAPartitionThatIsGone) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a"});
  ASSERT_TRUE(engine().DeleteTopic("topic").ok());
  EXPECT_EQ(ReasonWord(Read(partition, Offset(0))), "TOPIC_NOT_FOUND");
  EXPECT_EQ(ReasonWord(engine().Status(partition)), "TOPIC_NOT_FOUND");
  EXPECT_EQ(ReasonWord(engine().OffsetAtTime(partition, clock_.Now())), "TOPIC_NOT_FOUND");
  EXPECT_EQ(ReasonWord(engine().ValidatePosition(partition, Offset(0), LogEpoch(1))),
            "TOPIC_NOT_FOUND");
  EXPECT_EQ(ReasonWord(engine().Truncate(partition, Offset(0))), "TOPIC_NOT_FOUND");
}

TEST_P(EngineContract, KeepsWhatWasReadWhenItIsDeleted) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a", "b"});
  const auto result = Read(partition, Offset(0));
  ASSERT_TRUE(result.ok());
  ASSERT_TRUE(engine().DeleteTopic("topic").ok());
  EXPECT_EQ(RecordsOf(*result), (std::vector<ReadRecord>{{0, "a"}, {1, "b"}}));
}

TEST_P(EngineContract, TellsHowAPartitionStands) {
  const PartitionId partition = CreatePartition();
  const auto empty = engine().Status(partition);
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty->earliest, Offset(0));
  EXPECT_EQ(empty->high_watermark, Offset(0));
  EXPECT_EQ(empty->size_bytes, 0);
  EXPECT_EQ(empty->last_append_time, kNoTime);
  AppendValues(partition, {"a", "b"});
  const auto filled = engine().Status(partition);
  EXPECT_EQ(filled->high_watermark, Offset(2));
  EXPECT_GT(filled->size_bytes, 0);
  EXPECT_EQ(filled->last_append_time, absl::ToUnixMillis(clock_.Now()));
}

TEST_P(EngineContract, FindsOffsetsByTime) {
  const PartitionId partition = CreatePartition();
  const absl::Time start = clock_.Now();
  EXPECT_EQ(*engine().OffsetAtTime(partition, start), Offset(0));
  for (int i = 0; i < 5; ++i) {
    AppendValues(partition, {"a", "b"});
    clock_.Advance(absl::Minutes(1));
  }
  EXPECT_EQ(*engine().OffsetAtTime(partition, absl::InfinitePast()), Offset(0));
  EXPECT_EQ(*engine().OffsetAtTime(partition, start), Offset(0));
  EXPECT_EQ(*engine().OffsetAtTime(partition, start + absl::Milliseconds(1)), Offset(2));
  EXPECT_EQ(*engine().OffsetAtTime(partition, start + absl::Minutes(3)), Offset(6));
  EXPECT_EQ(*engine().OffsetAtTime(partition, start + absl::Minutes(4)), Offset(8));
  EXPECT_EQ(*engine().OffsetAtTime(partition, start + absl::Minutes(5)), Offset(10));
  EXPECT_EQ(*engine().OffsetAtTime(partition, absl::InfiniteFuture()), Offset(10));
}

TEST_P(EngineContract, FindsOffsetsByTimeAmongManyBatches) {
  const PartitionId partition = CreatePartition();
  const absl::Time start = clock_.Now();
  for (int i = 0; i < 100; ++i) {
    AppendValues(partition, {std::string(1000, 'v')});
    clock_.Advance(absl::Seconds(1));
  }
  for (int i = 0; i < 100; i += 9) {
    EXPECT_EQ(*engine().OffsetAtTime(partition, start + absl::Seconds(i)), Offset(i));
  }
  ASSERT_TRUE(engine().Truncate(partition, Offset(50)).ok());
  EXPECT_EQ(*engine().OffsetAtTime(partition, start), Offset(50));
  EXPECT_EQ(*engine().OffsetAtTime(partition, start + absl::Seconds(70)), Offset(70));
}

}  // namespace
}  // namespace millrace::storage
