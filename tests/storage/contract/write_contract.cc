// Engine::Write: offsets, order, visibility, atomic sets, expected offsets.
#include <future>
#include <thread>

#include "tests/storage/contract/engine_contract.h"

namespace millrace::storage {
namespace {

TEST_P(EngineContract, GivesDenseOffsetsFromZero) {
  const PartitionId partition = CreatePartition();
  EXPECT_EQ(AppendValues(partition, {"a", "b", "c"}), Offset(0));
  EXPECT_EQ(AppendValues(partition, {"d"}, Durability::kSynced), Offset(3));
  EXPECT_EQ(AppendValues(partition, {"e", "f"}), Offset(4));
  EXPECT_EQ(ReadAll(partition),
            (std::vector<ReadRecord>{{0, "a"}, {1, "b"}, {2, "c"}, {3, "d"}, {4, "e"}, {5, "f"}}));
}

TEST_P(EngineContract, CountsOffsetsOfEachPartitionByItself) {
  const TopicPtr topic = CreateTopic("topic", 2);
  EXPECT_EQ(AppendValues(topic->partitions[0], {"a", "b"}), Offset(0));
  EXPECT_EQ(AppendValues(topic->partitions[1], {"c"}), Offset(0));
  EXPECT_EQ(ReadAll(topic->partitions[1]), (std::vector<ReadRecord>{{0, "c"}}));
}

TEST_P(EngineContract, CountsWhatIsAppended) {
  const TopicPtr topic = CreateTopic("topic", 2);
  AppendValues(topic->partitions[0], {"a", "b"});
  AppendValues(topic->partitions[0], {"c"}, Durability::kSynced);
  const auto status = engine().Status(topic->partitions[0]);
  EXPECT_EQ(status->appended_records, 3);
  EXPECT_EQ(status->appended_bytes,
            static_cast<int64_t>(EncodeValues({"a", "b", "c"}).entries.bytes.size()));
  EXPECT_EQ(engine().Status(topic->partitions[1])->appended_records, 0);
  ASSERT_EQ(ReasonWord(engine().Truncate(topic->partitions[0], Offset(3))), "OK");
  EXPECT_EQ(engine().Status(topic->partitions[0])->appended_records, 3);
}

TEST_P(EngineContract, StoresRecordsByteForByte) {
  const PartitionId partition = CreatePartition();
  // A record with an unknown field (15, varint 1) and an entry with a length longer than needed.
  static constexpr std::string_view kEntries(
      "\x1a\x03\x12\x01x"
      "\x1a\x85\x00\x12\x01y\x78\x01",
      13);
  WriteSet set;
  set.appends.push_back({.partition = partition, .records = {{nullptr, kEntries}, 2}});
  ASSERT_EQ(ReasonWord(Write(std::move(set))), "OK");
  const auto result = Read(partition, Offset(0));
  ASSERT_TRUE(result.ok()) << result.status();
  std::string read;
  for (const FetchedBatch& batch : result->batches) {
    for (const SharedSlice& slice : batch.entries) read += slice.bytes;
  }
  EXPECT_EQ(read, kEntries);
}

TEST_P(EngineContract, KeepsEmptyValuesAndTombstonesApart) {
  const PartitionId partition = CreatePartition();
  static constexpr std::string_view kEntries("\x1a\x02\x12\x00\x1a\x00", 6);
  WriteSet set;
  set.appends.push_back({.partition = partition, .records = {{nullptr, kEntries}, 2}});
  ASSERT_EQ(ReasonWord(Write(std::move(set))), "OK");
  EXPECT_EQ(ReadAll(partition), (std::vector<ReadRecord>{{0, ""}, {1, "(none)"}}));
}

TEST_P(EngineContract, AnswersWhenTheRecordsAreVisible) {
  const PartitionId partition = CreatePartition();
  for (const Durability durability : {Durability::kBuffered, Durability::kSynced}) {
    const Offset base = AppendValues(partition, {"a"}, durability);
    EXPECT_EQ(engine().Status(partition)->high_watermark, base + 1);
    EXPECT_EQ(ReadAll(partition, base).size(), 1u);
  }
}

TEST_P(EngineContract, ShowsRecordsInOrderWhateverTheirDurability) {
  const PartitionId partition = CreatePartition();
  PendingWrite synced_first = StartWrite([&] {
    WriteSet set = AppendOf(partition, {"synced"});
    set.durability = Durability::kSynced;
    return set;
  }());
  PendingWrite buffered_next = StartWrite(AppendOf(partition, {"buffered"}));
  const auto buffered = buffered_next.Wait();
  // The answer to the second implies that the first is visible too.
  EXPECT_EQ(ReadAll(partition), (std::vector<ReadRecord>{{0, "synced"}, {1, "buffered"}}));
  const auto synced = synced_first.Wait();
  ASSERT_TRUE(buffered.ok() && synced.ok());
  EXPECT_EQ(synced->ranges[0].base_offset, Offset(0));
  EXPECT_EQ(buffered->ranges[0].base_offset, Offset(1));
}

TEST_P(EngineContract, CompletesAStoredWriteOutsideOfTheCall) {
  const PartitionId partition = CreatePartition();
  auto done = std::make_shared<std::promise<std::thread::id>>();
  engine().Write(AppendOf(partition, {"a"}), [done](absl::StatusOr<WriteResult>) {
    done->set_value(std::this_thread::get_id());
  });
  EXPECT_NE(done->get_future().get(), std::this_thread::get_id());
}

TEST_P(EngineContract, LetsACompletionUseTheEngine) {
  const PartitionId partition = CreatePartition();
  auto seen = std::make_shared<std::promise<Offset>>();
  engine().Write(AppendOf(partition, {"a"}), [this, seen, partition](absl::StatusOr<WriteResult>) {
    seen->set_value(engine().Status(partition)->high_watermark);
  });
  EXPECT_EQ(seen->get_future().get(), Offset(1));
}

TEST_P(EngineContract, AppendsToSeveralPartitionsAtOnce) {
  const TopicPtr topic = CreateTopic("topic", 3);
  AppendValues(topic->partitions[1], {"before"});
  WriteSet set;
  set.durability = Durability::kSynced;
  for (const PartitionId partition : topic->partitions) {
    set.appends.push_back({.partition = partition, .records = EncodeValues({"x", "y"})});
  }
  // A second append to one partition of the same set goes behind the first.
  set.appends.push_back({.partition = topic->partitions[0], .records = EncodeValues({"z"})});
  const auto result = Write(std::move(set));
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->ranges.size(), 4u);
  EXPECT_EQ(result->ranges[0].base_offset, Offset(0));
  EXPECT_EQ(result->ranges[1].base_offset, Offset(1));
  EXPECT_EQ(result->ranges[2].base_offset, Offset(0));
  EXPECT_EQ(result->ranges[3].base_offset, Offset(2));
  EXPECT_EQ(ReadAll(topic->partitions[0]), (std::vector<ReadRecord>{{0, "x"}, {1, "y"}, {2, "z"}}));
}

TEST_P(EngineContract, StoresNothingOfASetWithOneRefusedAppend) {
  const TopicPtr topic = CreateTopic("topic", 2);
  WriteSet set = AppendOf(topic->partitions[0], {"a"});
  set.appends.push_back({.partition = topic->partitions[1],
                         .records = EncodeValues({"b"}),
                         .expected_next_offset = Offset(7)});
  set.commits = CommitOf("group", topic->partitions[0], 0).commits;
  EXPECT_EQ(ReasonWord(Write(std::move(set))), "UNEXPECTED_OFFSET");
  EXPECT_TRUE(ReadAll(topic->partitions[0]).empty());
  EXPECT_FALSE(CommittedBy("group", topic->partitions[0]));
}

TEST_P(EngineContract, AppendsOnlyAtTheExpectedOffset) {
  const PartitionId partition = CreatePartition();
  const auto append_at = [&](int64_t expected) {
    WriteSet set = AppendOf(partition, {"x"});
    set.appends[0].expected_next_offset = Offset(expected);
    return Write(std::move(set));
  };
  EXPECT_EQ(ReasonWord(append_at(0)), "OK");
  const auto refused = append_at(0);
  EXPECT_EQ(ReasonWord(refused), "UNEXPECTED_OFFSET");
  EXPECT_EQ(MetadataOf(refused.status())["next_offset"], "1");
  EXPECT_EQ(ReasonWord(append_at(2)), "UNEXPECTED_OFFSET");
  EXPECT_EQ(ReasonWord(append_at(1)), "OK");
  EXPECT_EQ(ReadAll(partition).size(), 2u);
}

TEST_P(EngineContract, ExpectsTheOffsetAfterTheAppendBeforeInTheSet) {
  const PartitionId partition = CreatePartition();
  WriteSet set = AppendOf(partition, {"a", "b"});
  set.appends.push_back(
      {.partition = partition, .records = EncodeValues({"c"}), .expected_next_offset = Offset(2)});
  EXPECT_EQ(ReasonWord(Write(std::move(set))), "OK");
  EXPECT_EQ(ReadAll(partition).size(), 3u);
}

TEST_P(EngineContract, RefusesToAppendToAPartitionThatIsGone) {
  const PartitionId partition = CreatePartition();
  ASSERT_TRUE(engine().DeleteTopic("topic").ok());
  EXPECT_EQ(ReasonWord(Write(AppendOf(partition, {"a"}))), "TOPIC_NOT_FOUND");
}

TEST_P(EngineContract, NeverLetsAppendTimesGoBackWithinAPartition) {
  const PartitionId partition = CreatePartition();
  AppendValues(partition, {"a"});
  clock_.Advance(-absl::Hours(1));
  AppendValues(partition, {"b"});
  clock_.Advance(absl::Hours(2));
  AppendValues(partition, {"c"});
  const auto result = Read(partition, Offset(0));
  ASSERT_TRUE(result.ok());
  UnixMillis before = kNoTime;
  for (const FetchedBatch& batch : result->batches) {
    EXPECT_GE(batch.append_time, before);
    before = batch.append_time;
  }
  EXPECT_EQ(before, absl::ToUnixMillis(clock_.Now()));
  EXPECT_EQ(engine().Status(partition)->last_append_time, before);
}

TEST_P(EngineContract, RefusesAWriteAfterClose) {
  const PartitionId partition = CreatePartition();
  PendingWrite before = StartWrite(AppendOf(partition, {"a"}));
  ASSERT_TRUE(engine().Close().ok());
  EXPECT_TRUE(before.done());
  EXPECT_EQ(ReasonWord(before.Wait()), "OK");
  EXPECT_EQ(Write(AppendOf(partition, {"b"})).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(engine().Close().ok());
}

TEST_P(EngineContract, KeepsTheOrderOfEachOfManyWritersAndLosesNothing) {
  const TopicPtr topic = CreateTopic("topic", 2);
  constexpr int kWriters = 8;
  constexpr int kWritesEach = 100;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      std::vector<PendingWrite> pending;
      for (int i = 0; i < kWritesEach; ++i) {
        const std::string value = std::to_string(w) + " " + std::to_string(i);
        WriteSet set = AppendOf(topic->partitions[w % 2], {value, value + "'"});
        set.durability = i % 10 == 0 ? Durability::kSynced : Durability::kBuffered;
        set.admission = Admission::kAlways;
        pending.push_back(StartWrite(std::move(set)));
      }
      for (PendingWrite& write : pending) EXPECT_EQ(ReasonWord(write.Wait()), "OK");
    });
  }
  for (std::thread& writer : writers) writer.join();

  std::vector<int> next(kWriters, 0);
  for (const PartitionId partition : topic->partitions) {
    const std::vector<ReadRecord> records = ReadAll(partition);
    ASSERT_EQ(records.size(), size_t{2} * kWritesEach * kWriters / 2);
    for (size_t i = 0; i < records.size(); i += 2) {
      EXPECT_EQ(records[i].offset, static_cast<int64_t>(i));
      const int writer = std::stoi(records[i].value);
      EXPECT_EQ(records[i].value, std::to_string(writer) + " " + std::to_string(next[writer]++));
      EXPECT_EQ(records[i + 1].value, records[i].value + "'");
    }
  }
}

}  // namespace
}  // namespace millrace::storage
