// What the RocksDB engine does with its directory and its disk.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "storage/error.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "tests/storage/contract/engine_contract.h"
#include "tests/storage/rocksdb_engine_factory.h"

namespace millrace::storage {
namespace {

namespace fs = std::filesystem;

int64_t BytesUnder(const fs::path& path) {
  int64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) bytes += static_cast<int64_t>(entry.file_size());
  }
  return bytes;
}

absl::StatusOr<WriteResult> WriteTo(Engine& engine, PartitionId partition,
                                    const std::vector<std::string>& values,
                                    Durability durability = Durability::kBuffered) {
  WriteSet set{.durability = durability};
  set.appends.push_back({.partition = partition, .records = EncodeValues(values)});
  std::promise<absl::StatusOr<WriteResult>> done;
  engine.Write(std::move(set),
               [&](absl::StatusOr<WriteResult> result) { done.set_value(std::move(result)); });
  return done.get_future().get();
}

absl::StatusOr<ReadResult> ReadFrom(Engine& engine, PartitionId partition, Offset from,
                                    ReadLimits limits = {}) {
  std::promise<absl::StatusOr<ReadResult>> done;
  engine.Read(partition, from, limits,
              [&](absl::StatusOr<ReadResult> result) { done.set_value(std::move(result)); });
  return done.get_future().get();
}

class RocksDbDiskTest : public testing::Test {
 protected:
  RocksDbDiskTest() { Open(OptionsFor(data_dir_)); }

  void Open(RocksDbOptions options) {
    engine_.reset();
    auto engine = RocksDbEngine::Open(std::move(options));
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }

  PartitionId CreateTopic(const std::string& name, RetentionPolicy retention = {}) {
    const auto topic = engine_->CreateTopic(name, 1, retention);
    EXPECT_TRUE(topic.ok()) << topic.status();
    return (*topic)->partitions[0];
  }

  // That the group has read the first record.
  void Commit(const std::string& group, PartitionId partition) {
    WriteSet set{.durability = Durability::kBuffered};
    set.commits.push_back({.group = group, .partition = partition, .next_offset = Offset(1)});
    std::promise<absl::StatusOr<WriteResult>> done;
    engine_->Write(std::move(set),
                   [&](absl::StatusOr<WriteResult> result) { done.set_value(std::move(result)); });
    const auto result = done.get_future().get();
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_TRUE(result->commits[0].ok()) << result->commits[0].status();
  }

  // So many values of 100 KiB that no compression could shrink.
  void Fill(PartitionId partition, int count) {
    for (int i = 0; i < count; ++i) {
      std::string value(100 << 10, '\0');
      for (char& c : value) c = static_cast<char>(random_());
      ASSERT_TRUE(WriteTo(*engine_, partition, {value}).ok());
    }
  }

  TemporaryDirectory directory_;
  const fs::path data_dir_ = directory_.path() / "data";
  std::minstd_rand random_{1};
  std::unique_ptr<RocksDbEngine> engine_;
};

TEST_F(RocksDbDiskTest, FreesTheDiskOfAnIdlePartitionThatIsTooLarge) {
  const PartitionId partition = CreateTopic("idle", {.max_partition_bytes = 4 << 20});
  Fill(partition, 400);  // 40 MB
  ASSERT_GE(BytesUnder(data_dir_), 400 * (100 << 10));
  ASSERT_TRUE(engine_->EnforceRetention().ok());
  EXPECT_LT(BytesUnder(data_dir_), 16 << 20);
  const auto status = engine_->Status(partition);
  EXPECT_GT(status->earliest, Offset(300));
  EXPECT_EQ(status->high_watermark, Offset(400));
  EXPECT_TRUE(ReadFrom(*engine_, partition, status->earliest).ok());
}

TEST_F(RocksDbDiskTest, FreesTheDiskOfADeletedTopic) {
  const PartitionId kept = CreateTopic("kept");
  const PartitionId gone = CreateTopic("gone");
  Fill(kept, 10);
  Fill(gone, 400);
  ASSERT_TRUE(engine_->DeleteTopic("gone").ok());
  ASSERT_TRUE(engine_->EnforceRetention().ok());
  EXPECT_LT(BytesUnder(data_dir_), 16 << 20);
  Open(OptionsFor(data_dir_));
  EXPECT_EQ(engine_->Status(kept)->high_watermark, Offset(10));
  EXPECT_EQ(ReasonOf(engine_->Status(gone).status()), Reason::kTopicNotFound);
}

int FilesUnder(const fs::path& path, std::string_view extension) {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    files += entry.path().extension() == extension ? 1 : 0;
  }
  return files;
}

// A reopening writes out what the memtables held.
TEST_F(RocksDbDiskTest, KeepsFewFilesHoweverOftenGroupsAndTopicsComeAndGo) {
  constexpr int kReopenings = 60;
  constexpr int kFamilies = 4;
  constexpr int kFilesOfAFamily = 8;
  const PartitionId kept = CreateTopic("kept");
  for (int i = 0; i < kReopenings; ++i) {
    ASSERT_TRUE(WriteTo(*engine_, kept, {"a"}).ok());
    const std::string name = std::to_string(1000 + i);
    const PartitionId partition = CreateTopic("topic-" + name);
    ASSERT_TRUE(WriteTo(*engine_, partition, {"a"}).ok());
    Commit("group-" + name, partition);
    ASSERT_TRUE(engine_->DeleteGroup("group-" + name).ok());
    ASSERT_TRUE(engine_->DeleteTopic("topic-" + name).ok());
    Open(OptionsFor(data_dir_));
  }
  EXPECT_LE(FilesUnder(data_dir_, ".sst"), kFamilies * kFilesOfAFamily);
}

TEST_F(RocksDbDiskTest, FreesTheDiskOfATruncatedTopicAfterAReopen) {
  const PartitionId partition = CreateTopic("topic");
  Fill(partition, 400);
  ASSERT_TRUE(engine_->Truncate(partition, Offset(400)).ok());
  Open(OptionsFor(data_dir_));
  ASSERT_TRUE(engine_->EnforceRetention().ok());
  EXPECT_LT(BytesUnder(data_dir_), 16 << 20);
  EXPECT_EQ(engine_->Status(partition)->earliest, Offset(400));
  EXPECT_EQ(WriteTo(*engine_, partition, {"next"})->ranges[0].base_offset, Offset(400));
}

TEST_F(RocksDbDiskTest, FreesTheDiskOfATopicThatSharedItsFilesWithAnother) {
  const PartitionId kept = CreateTopic("kept");
  const PartitionId gone = CreateTopic("gone");
  for (int i = 0; i < 200; ++i) {
    Fill(kept, 1);
    Fill(gone, 1);
  }
  ASSERT_TRUE(engine_->DeleteTopic("gone").ok());
  ASSERT_TRUE(engine_->EnforceRetention().ok());
  EXPECT_LT(BytesUnder(data_dir_), 30 << 20);
  Open(OptionsFor(data_dir_));
  for (int64_t offset = 0; offset < 200; ++offset) {
    ASSERT_TRUE(ReadFrom(*engine_, kept, Offset(offset)).ok()) << offset;
  }
}

TEST_F(RocksDbDiskTest, HoldsItsDirectoryAlone) {
  const auto second = RocksDbEngine::Open(OptionsFor(data_dir_));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(second.status().message().find(data_dir_.string()), std::string::npos);
  engine_.reset();
  EXPECT_TRUE(RocksDbEngine::Open(OptionsFor(data_dir_)).ok());
}

TEST_F(RocksDbDiskTest, RefusesADirectoryOfANewerVersion) {
  engine_.reset();
  std::string format;
  std::getline(std::ifstream(data_dir_ / "format"), format, '\0');
  ASSERT_NE(format.find('1'), std::string::npos);
  std::ofstream(data_dir_ / "format") << format.replace(format.find('1'), 1, "999");
  const auto engine = RocksDbEngine::Open(OptionsFor(data_dir_));
  ASSERT_FALSE(engine.ok());
  EXPECT_EQ(engine.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_NE(engine.status().message().find("999"), std::string::npos);
}

TEST_F(RocksDbDiskTest, RefusesAPathThatIsNoDirectory) {
  const fs::path file = directory_.path() / "file";
  std::ofstream(file) << "not a directory";
  for (const fs::path& path : {file, file / "below"}) {
    const auto engine = RocksDbEngine::Open(OptionsFor(path));
    ASSERT_FALSE(engine.ok());
    EXPECT_EQ(engine.status().code(), absl::StatusCode::kPermissionDenied);
    EXPECT_NE(engine.status().message().find(path.string()), std::string::npos);
  }
}

TEST_F(RocksDbDiskTest, RefusesADirectoryThatCannotBeWritten) {
  const fs::path mount_point = directory_.path() / "read-only";
  fs::create_directory(mount_point);
  if (mount("tmpfs", mount_point.c_str(), "tmpfs", MS_RDONLY, "size=1m") != 0) {
    GTEST_SKIP() << "a read-only file system cannot be mounted here: that takes root";
  }
  for (const fs::path& path : {mount_point, mount_point / "data"}) {
    const auto engine = RocksDbEngine::Open(OptionsFor(path));
    EXPECT_EQ(engine.status().code(), absl::StatusCode::kPermissionDenied);
    EXPECT_NE(engine.status().message().find(path.string()), std::string::npos);
  }
  EXPECT_EQ(umount(mount_point.c_str()), 0);
}

TEST_F(RocksDbDiskTest, ReadsFromDiskWhatItReadsFromMemory) {
  const PartitionId partition = CreateTopic("topic");
  std::vector<std::string> values;
  for (int i = 0; i < 300; ++i) {
    // Batches on both sides of the size from which they lie in blob files.
    const std::string value = std::to_string(i) + std::string(i % 7 * 2000, 'v');
    values.push_back(value + "a");
    values.push_back(value + "b");
    ASSERT_TRUE(WriteTo(*engine_, partition, {values[values.size() - 2], values.back()}).ok());
  }
  const auto expect_all_from = [&](int64_t from) {
    Offset next(from);
    while (next < Offset(600)) {
      const auto read = ReadFrom(*engine_, partition, next, {.max_bytes = 30'000});
      ASSERT_TRUE(read.ok()) << read.status();
      for (const ReadRecord& record : RecordsOf(*read)) {
        ASSERT_EQ(record.offset, next.value());
        ASSERT_EQ(record.value, values[static_cast<size_t>(record.offset)]);
        ++next;
      }
    }
  };
  for (const int64_t from : {0, 1, 298, 299}) expect_all_from(from);
  RocksDbOptions nothing_in_memory = OptionsFor(data_dir_);
  nothing_in_memory.tail_cache_bytes = 0;
  Open(nothing_in_memory);
  for (const int64_t from : {0, 1, 298, 299}) expect_all_from(from);
}

TEST_F(RocksDbDiskTest, RefusesRecordsButNotCommitsWhileItsQueueIsFull) {
  RocksDbOptions options = OptionsFor(data_dir_);
  options.write_queue_bytes = 64 << 10;
  Open(options);
  const PartitionId partition = CreateTopic("topic");
  // A completion that does not return holds the committer up, so that the queue fills.
  std::promise<void> held;
  std::promise<void> release;
  WriteSet first{.durability = Durability::kBuffered};
  first.appends.push_back({.partition = partition, .records = EncodeValues({"first"})});
  engine_->Write(std::move(first), [&](absl::StatusOr<WriteResult>) {
    held.set_value();
    release.get_future().wait();
  });
  held.get_future().wait();
  std::atomic<int> stored = 0;
  std::atomic<int> refused = 0;
  const auto count = [&](absl::StatusOr<WriteResult> result) {
    if (result.ok()) ++stored;
    if (ReasonOf(result.status()) == Reason::kOverloaded) ++refused;
  };
  for (int i = 0; i < 20; ++i) {
    WriteSet set{.durability = Durability::kBuffered};
    set.appends.push_back(
        {.partition = partition, .records = EncodeValues({std::string(8 << 10, 'v')})});
    engine_->Write(std::move(set), count);
  }
  EXPECT_GT(refused, 10);
  const int refused_of_records = refused;
  WriteSet commit{.durability = Durability::kBuffered};
  commit.commits.push_back({.group = "group", .partition = partition, .next_offset = Offset(0)});
  engine_->Write(std::move(commit), count);
  WriteSet always{.durability = Durability::kBuffered, .admission = Admission::kAlways};
  always.appends.push_back(
      {.partition = partition, .records = EncodeValues({std::string(90 << 10, 'v')})});
  engine_->Write(std::move(always), count);
  EXPECT_TRUE(engine_->write_queue_full());
  EXPECT_EQ(refused, refused_of_records);
  release.set_value();
  ASSERT_TRUE(engine_->Close().ok());
  EXPECT_EQ(stored + refused, 22);
  EXPECT_FALSE(engine_->write_queue_full());
}

TEST_F(RocksDbDiskTest, AnswersDataLossForDamagedRecordsAndServesTheRest) {
  const PartitionId partition = CreateTopic("topic");
  const PartitionId other = CreateTopic("other");
  Fill(partition, 200);
  Fill(other, 5);
  // Nothing in memory, and everything out of the write-ahead log: reads go to the files.
  RocksDbOptions options = OptionsFor(data_dir_);
  options.tail_cache_bytes = 0;
  Open(options);
  fs::path blob;
  for (const auto& entry : fs::recursive_directory_iterator(data_dir_)) {
    if (entry.path().extension() == ".blob" && entry.file_size() > (10 << 20)) blob = entry.path();
  }
  ASSERT_FALSE(blob.empty());
  {
    std::fstream file(blob, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5 << 20);
    file.put('\xa5');
    file.put('\x5a');
    file.put('\xa5');
  }
  int lost = 0;
  int served = 0;
  for (int64_t offset = 0; offset < 200; ++offset) {
    const auto read = ReadFrom(*engine_, partition, Offset(offset));
    if (read.ok()) {
      ++served;
    } else {
      EXPECT_EQ(ReasonOf(read.status()), Reason::kDataLoss) << read.status();
      ++lost;
    }
  }
  EXPECT_GE(lost, 1);
  EXPECT_LE(lost, 10);
  EXPECT_GT(served, 180);
  EXPECT_TRUE(ReadFrom(*engine_, other, Offset(0)).ok());
}

TEST_F(RocksDbDiskTest, RefusesWritesOnAFullDiskAndGoesOnWhenThereIsRoom) {
  engine_.reset();
  const fs::path mount_point = directory_.path() / "small";
  fs::create_directory(mount_point);
  if (mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=64m") != 0) {
    GTEST_SKIP() << "a small file system cannot be mounted here: that takes root";
  }
  {
    RocksDbOptions options = OptionsFor(mount_point / "data");
    options.disk_reserve_bytes = 16 << 20;
    Open(options);
    const PartitionId partition = CreateTopic("topic");
    const std::string value(64 << 10, 'v');
    int64_t stored = 0;
    absl::Status refused;
    while (refused.ok() && stored < 5000) {
      refused = WriteTo(*engine_, partition, {value}, Durability::kSynced).status();
      stored += refused.ok();
    }
    EXPECT_EQ(ReasonOf(refused), Reason::kDiskFull) << refused;
    EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(engine_->Status(partition)->high_watermark, Offset(stored));
    EXPECT_TRUE(ReadFrom(*engine_, partition, Offset(0)).ok());
    ASSERT_EQ(mount("tmpfs", mount_point.c_str(), "tmpfs", MS_REMOUNT, "size=256m"), 0);
    absl::Status again = refused;
    for (int i = 0; i < 600 && !again.ok(); ++i) {
      again = WriteTo(*engine_, partition, {value}, Durability::kSynced).status();
      if (!again.ok()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_TRUE(again.ok()) << again;
    Open(options);
    EXPECT_EQ(engine_->Status(partition)->high_watermark, Offset(stored + 1));
    engine_.reset();
  }
  EXPECT_EQ(umount(mount_point.c_str()), 0);
}

TEST_F(RocksDbDiskTest, ServesManyWritersAndReadersAtOnce) {
  constexpr int kPartitions = 4;
  constexpr int kWrites = 500;
  const auto topic = engine_->CreateTopic("topic", kPartitions, {});
  std::vector<std::thread> threads;
  for (int p = 0; p < kPartitions; ++p) {
    const PartitionId partition = (*topic)->partitions[p];
    threads.emplace_back([&, partition, p] {
      for (int i = 0; i < kWrites; ++i) {
        const auto result = WriteTo(*engine_, partition, {std::to_string(i)},
                                    p % 2 == 0 ? Durability::kBuffered : Durability::kSynced);
        ASSERT_TRUE(result.ok()) << result.status();
        ASSERT_EQ(result->ranges[0].base_offset, Offset(i));
      }
    });
    threads.emplace_back([&, partition] {
      Offset next(0);
      while (next < Offset(kWrites)) {
        const auto read = ReadFrom(*engine_, partition, next);
        ASSERT_TRUE(read.ok()) << read.status();
        for (const FetchedBatch& batch : read->batches) {
          ASSERT_EQ(batch.base_offset, next);
          next += batch.record_count;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace millrace::storage
