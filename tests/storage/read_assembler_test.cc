#include "storage/commit/read_assembler.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/storage/contract/engine_contract.h"

namespace millrace::storage {
namespace {

// A batch of records "0", "1" .. with the given numbers of records in its slices. An entry takes 6
// bytes up to record 9.
FetchedBatch BatchOf(int64_t base, const std::vector<int>& slices) {
  FetchedBatch batch;
  batch.base_offset = Offset(base);
  for (const int count : slices) {
    std::vector<std::string> values;
    for (int i = 0; i < count; ++i) {
      values.push_back("v" + std::to_string(base + batch.record_count + i));
    }
    batch.entries.push_back(EncodeValues(values).entries);
    batch.entries_bytes += static_cast<int64_t>(batch.entries.back().bytes.size());
    batch.record_count += count;
  }
  return batch;
}

std::string Join(const std::vector<ReadRecord>& records) {
  std::string joined;
  for (const ReadRecord& record : records) {
    EXPECT_EQ(record.value, "v" + std::to_string(record.offset));
    joined += std::to_string(record.offset) + " ";
  }
  return joined;
}

TEST(ReadAssembler, CutsTheFirstBatchAnywhereAndNoOther) {
  for (int64_t from = 0; from < 8; ++from) {
    for (int64_t max_records = 0; max_records < 9; ++max_records) {
      ReadAssembler assembler(Offset(from), {.max_bytes = 6 * max_records + 5});
      for (const FetchedBatch& batch : {BatchOf(0, {2, 1, 2}), BatchOf(5, {1, 2})}) {
        if (!assembler.full()) {
          ASSERT_TRUE(assembler.Add(batch).ok());
        }
      }
      const ReadResult result = std::move(assembler).Finish(Offset(0), Offset(8));
      int64_t end = std::min<int64_t>(8, from + std::max<int64_t>(max_records, 1));
      if (from < 5 && end > 5 && end < 8) end = 5;  // The second does not fit as a whole.
      std::string expected;
      for (int64_t offset = from; offset < end; ++offset) expected += std::to_string(offset) + " ";
      EXPECT_EQ(Join(RecordsOf(result)), expected) << from << " " << max_records;
      EXPECT_EQ(result.next_offset, Offset(end));
      for (const FetchedBatch& batch : result.batches) {
        for (const SharedSlice& slice : batch.entries) EXPECT_FALSE(slice.bytes.empty());
      }
    }
  }
}

TEST(ReadAssembler, SaysWhatItHasRoomFor) {
  ReadAssembler assembler(Offset(0), {.max_bytes = 6 * 6});
  EXPECT_TRUE(assembler.HasRoomFor(1000));  // The first is cut.
  ASSERT_TRUE(assembler.Add(BatchOf(0, {2, 1})).ok());
  EXPECT_TRUE(assembler.HasRoomFor(6 * 3));
  EXPECT_FALSE(assembler.HasRoomFor(6 * 3 + 1));
  ASSERT_TRUE(assembler.Add(BatchOf(3, {3})).ok());
  EXPECT_FALSE(assembler.HasRoomFor(1));
  EXPECT_TRUE(assembler.full());
}

TEST(ReadAssembler, GivesNoMoreRecordsThanAskedFor) {
  for (int64_t from = 0; from < 8; ++from) {
    for (int64_t max_records = 1; max_records < 9; ++max_records) {
      ReadAssembler assembler(Offset(from), {.max_records = max_records});
      for (const FetchedBatch& batch : {BatchOf(0, {2, 1, 2}), BatchOf(5, {1, 2})}) {
        if (!assembler.full()) {
          ASSERT_TRUE(assembler.Add(batch).ok());
        }
      }
      const ReadResult result = std::move(assembler).Finish(Offset(0), Offset(8));
      const int64_t end = std::min<int64_t>(8, from + max_records);
      std::string expected;
      for (int64_t offset = from; offset < end; ++offset) expected += std::to_string(offset) + " ";
      EXPECT_EQ(Join(RecordsOf(result)), expected) << from << " " << max_records;
      EXPECT_EQ(result.next_offset, Offset(end));
    }
  }
}

TEST(ReadAssembler, LeavesGapsBetweenBatches) {
  ReadAssembler assembler(Offset(1), {});
  ASSERT_TRUE(assembler.Add(BatchOf(3, {1})).ok());
  ASSERT_TRUE(assembler.Add(BatchOf(7, {1})).ok());
  const ReadResult result = std::move(assembler).Finish(Offset(0), Offset(9));
  EXPECT_EQ(Join(RecordsOf(result)), "3 7 ");
  EXPECT_EQ(result.next_offset, Offset(8));
}

TEST(ReadAssembler, StaysWhereItIsWithoutBatches) {
  const ReadResult result = ReadAssembler(Offset(4), {}).Finish(Offset(2), Offset(4));
  EXPECT_EQ(result.next_offset, Offset(4));
  EXPECT_EQ(result.earliest, Offset(2));
  EXPECT_EQ(result.high_watermark, Offset(4));
}

TEST(ReadAssembler, TellsDamagedFraming) {
  FetchedBatch batch = BatchOf(0, {3});
  batch.entries[0].bytes.remove_prefix(1);
  ReadAssembler assembler(Offset(2), {});
  const absl::Status status = assembler.Add(batch);
  EXPECT_EQ(ReasonWord(status), "DATA_LOSS");
  EXPECT_EQ(MetadataOf(status)["from"], "2");
  EXPECT_EQ(MetadataOf(status)["to"], "3");
}

}  // namespace
}  // namespace millrace::storage
