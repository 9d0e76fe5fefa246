// A disk that refuses one operation after the other: every open, read, write, sync, rename and
// delete of a log's life in turn. What fails is told, a failure that leaves the log in doubt is
// final, and what was acknowledged is there once the disk is whole again.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/error.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "storage/rocksdb/witness_files.h"
#include "tests/storage/contract/engine_contract.h"
#include "tests/storage/failing_file_system.h"
#include "tests/storage/rocksdb_engine_factory.h"

namespace millrace::storage {
namespace {

namespace fs = std::filesystem;

constexpr int kRecords = 24;

std::string ValueOf(int64_t offset) {
  // Some are large, so that they lie in blob files.
  return std::to_string(offset) + std::string(offset % 5 == 4 ? 3000 : 200, 'x');
}

// What one life of a log came to.
struct Life {
  bool opened = false;
  int64_t acknowledged = 0;  // Records, from offset 0 on.
  int64_t committed = 0;     // The largest offset whose commit was acknowledged.
  int failures = 0;          // Calls of on_failure, the most of one opening.
  bool wrote_after_failure = false;
};

class BadDiskTest : public testing::TestWithParam<std::tuple<DiskOperation, bool>> {
 protected:
  RocksDbOptions Options(std::shared_ptr<rocksdb::FileSystem> disk, std::atomic<int>* failures) {
    RocksDbOptions options = OptionsFor(directory_.path() / std::to_string(round_));
    options.min_blob_bytes = 2000;
    options.records_memtable_bytes = 16 << 10;
    options.tail_cache_bytes = 0;
    options.file_system = std::move(disk);
    if (failures != nullptr) options.on_failure = [failures](absl::Status) { ++*failures; };
    return options;
  }

  static absl::StatusOr<WriteResult> Write(Engine& engine, WriteSet set) {
    std::promise<absl::StatusOr<WriteResult>> done;
    engine.Write(std::move(set),
                 [&](absl::StatusOr<WriteResult> result) { done.set_value(std::move(result)); });
    return done.get_future().get();
  }
  static absl::Status Append(Engine& engine, PartitionId partition, int64_t offset) {
    WriteSet set{.durability = Durability::kSynced};
    set.appends.push_back({.partition = partition, .records = EncodeValues({ValueOf(offset)})});
    const auto written = Write(engine, std::move(set));
    if (!written.ok()) return written.status();
    EXPECT_EQ(written->ranges.at(0).base_offset, Offset(offset));
    return absl::OkStatus();
  }
  static absl::Status Commit(Engine& engine, PartitionId partition, int64_t next_offset) {
    WriteSet set{.durability = Durability::kSynced};
    set.commits.push_back(
        {.group = "billing", .partition = partition, .next_offset = Offset(next_offset)});
    return Write(engine, std::move(set)).status();
  }
  static absl::StatusOr<ReadResult> Read(Engine& engine, PartitionId partition, Offset from) {
    std::promise<absl::StatusOr<ReadResult>> done;
    engine.Read(partition, from, {},
                [&](absl::StatusOr<ReadResult> result) { done.set_value(std::move(result)); });
    return done.get_future().get();
  }

  // Reads everything that there is. What is served is right, whatever the disk does.
  static int64_t ReadAll(Engine& engine, PartitionId partition, absl::Status* status) {
    int64_t next = 0;
    while (Offset(next) < engine.Status(partition)->high_watermark) {
      const auto read = Read(engine, partition, Offset(next));
      *status = read.status();
      if (!read.ok()) return next;
      const int64_t before = next;
      for (const ReadRecord& record : RecordsOf(*read)) {
        if (record.offset < next) continue;
        EXPECT_EQ(record.offset, next);
        EXPECT_EQ(record.value, ValueOf(next));
        ++next;
      }
      if (next == before) {
        ADD_FAILURE() << "nothing to read at offset " << next;
        return next;
      }
    }
    return next;
  }

  // Opens a log, twice so that there is something to recover, and writes, commits, reads and
  // deletes in it, for as long as the disk lets it.
  Life Live(const std::shared_ptr<FailingFileSystem>& disk) {
    Life life;
    for (int opening = 0; opening < 2; ++opening) {
      std::atomic<int> failures = 0;
      auto engine = RocksDbEngine::Open(Options(disk, &failures));
      if (!engine.ok()) {
        EXPECT_FALSE(engine.status().message().empty());
        break;
      }
      life.opened = true;
      Use(**engine, opening, failures, life);
      (*engine)->Close().IgnoreError();
      life.failures = std::max<int>(life.failures, failures);
    }
    return life;
  }

  static void Use(Engine& engine, int opening, const std::atomic<int>& failures, Life& life) {
    TopicPtr topic = engine.FindTopic("orders");
    if (topic == nullptr) {
      const auto made = engine.CreateTopic("orders", 1, {});
      if (!made.ok()) return;
      topic = *made;
    }
    const PartitionId partition = topic->partitions[0];
    const int64_t begin = opening * kRecords / 2;
    for (int64_t offset = begin; offset < begin + kRecords / 2; ++offset) {
      if (life.acknowledged != offset) break;  // An earlier one is in doubt.
      const bool failed = failures > 0;
      if (!Append(engine, partition, offset).ok()) break;
      life.acknowledged = offset + 1;
      life.wrote_after_failure |= failed;
      if (Commit(engine, partition, offset).ok()) life.committed = offset;
    }
    absl::Status ignored;
    ReadAll(engine, partition, &ignored);
    if (engine.CreateTopic("short-lived", 1, {}).ok())
      engine.DeleteTopic("short-lived").IgnoreError();
    engine.EnforceRetention().IgnoreError();
  }

  // With the disk whole again, all that was acknowledged is there.
  void ExpectNothingLost(const Life& life) {
    auto engine = RocksDbEngine::Open(Options(nullptr, nullptr));
    ASSERT_TRUE(engine.ok()) << engine.status();
    const TopicPtr topic = (*engine)->FindTopic("orders");
    if (topic == nullptr) {
      EXPECT_EQ(life.acknowledged, 0);
      return;
    }
    absl::Status status;
    EXPECT_GE(ReadAll(**engine, topic->partitions[0], &status), life.acknowledged) << status;
    const auto committed = (*engine)->CommittedOffsets("billing");
    ASSERT_TRUE(committed.ok());
    if (life.committed > 0) {
      ASSERT_EQ(committed->size(), 1u);
      EXPECT_GE(committed->at(0).next_offset, Offset(life.committed));
    }
  }

  TemporaryDirectory directory_{InMemory()};  // Thousands of syncs are of no interest here.
  int round_ = 0;
};

TEST_P(BadDiskTest, LosesNothingThatWasAcknowledged) {
  const auto [operation, for_good] = GetParam();
  // A disk that fails for good ends a life early, wherever it begins: every third beginning will
  // do.
  const int64_t step = for_good ? 3 : 1;
  for (int64_t number = 0;; number += step) {
    SCOPED_TRACE("operation " + std::to_string(number));
    ++round_;
    const auto disk = std::make_shared<FailingFileSystem>();
    disk->FailAt(operation, number, for_good);
    const Life life = Live(disk);
    EXPECT_LE(life.failures, 1) << "A failure is told once.";
    EXPECT_FALSE(life.wrote_after_failure) << "What failed for good goes on.";
    ExpectNothingLost(life);
    fs::remove_all(directory_.path() / std::to_string(round_));
    if (HasFailure()) return;
    if (!disk->failed()) {
      EXPECT_EQ(life.acknowledged, kRecords) << "A disk without a fault is no excuse.";
      EXPECT_EQ(life.failures, 0);
      EXPECT_GT(number, 0) << "The log never asks for this.";
      return;
    }
  }
}

std::string NameOf(const testing::TestParamInfo<std::tuple<DiskOperation, bool>>& info) {
  constexpr const char* kNames[] = {"Open",        "Read",          "Write",  "Sync",
                                    "SyncWitness", "SyncDirectory", "Rename", "Delete"};
  return std::string(kNames[static_cast<size_t>(std::get<0>(info.param))]) +
         (std::get<1>(info.param) ? "FailsForGood" : "FailsOnce");
}

INSTANTIATE_TEST_SUITE_P(Every, BadDiskTest,
                         testing::Combine(testing::ValuesIn(kDiskOperations), testing::Bool()),
                         NameOf);

TEST(FailedSync, IsFinalAndNeverTriedAgain) {
  const TemporaryDirectory directory;
  const auto disk = std::make_shared<FailingFileSystem>();
  std::atomic<int> failures = 0;
  RocksDbOptions options = OptionsFor(directory.path());
  options.file_system = disk;
  options.on_failure = [&](absl::Status status) {
    EXPECT_EQ(ReasonWord(status), "STORAGE_FAILED");
    ++failures;
  };
  auto engine = RocksDbEngine::Open(std::move(options));
  ASSERT_TRUE(engine.ok()) << engine.status();
  const PartitionId partition = (*engine)->CreateTopic("orders", 1, {}).value()->partitions[0];
  const auto write = [&] {
    WriteSet set{.durability = Durability::kSynced};
    set.appends.push_back({.partition = partition, .records = EncodeValues({"a"})});
    std::promise<absl::StatusOr<WriteResult>> done;
    (*engine)->Write(std::move(set), [&](absl::StatusOr<WriteResult> result) {
      done.set_value(std::move(result));
    });
    return done.get_future().get().status();
  };
  ASSERT_TRUE(write().ok());
  disk->FailAt(DiskOperation::kSync, 0, false);
  EXPECT_EQ(ReasonWord(write()), "STORAGE_FAILED");
  // The disk would take a sync now. Nothing in memory may be believed all the same.
  EXPECT_EQ(ReasonWord(write()), "STORAGE_FAILED");
  EXPECT_EQ(ReasonWord((*engine)->CreateTopic("more", 1, {}).status()), "STORAGE_FAILED");
  EXPECT_EQ(failures, 1);
}

// Lets syncs through, or holds them.
class SyncGate {
 public:
  // How many may pass from now on.
  void Let(int64_t syncs) {
    const std::lock_guard lock(mutex_);
    free_ = syncs;
    changed_.notify_all();
  }
  void Hold() { Let(0); }
  void Release() { Let(std::numeric_limits<int64_t>::max()); }
  // Waits until a sync waits.
  void AwaitOne() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }
  void Pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return free_ > 0; });
    --waiting_;
    --free_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  int64_t free_ = std::numeric_limits<int64_t>::max();
};

class SlowSync : public testing::Test {
 protected:
  void SetUp() override {
    disk_->CallBefore([this](DiskOperation operation) {
      if (operation == DiskOperation::kSync) gate_.Pass();
    });
    RocksDbOptions options = OptionsFor(directory_.path());
    options.file_system = disk_;
    auto engine = RocksDbEngine::Open(std::move(options));
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    partitions_ = engine_->CreateTopic("orders", 2, {}).value()->partitions;
  }
  void TearDown() override { gate_.Release(); }

  void Write(PartitionId partition, Durability durability, std::promise<void>& done) {
    WriteSet set{.durability = durability};
    set.appends.push_back({.partition = partition, .records = EncodeValues({"a"})});
    engine_->Write(std::move(set), [&done](const absl::StatusOr<WriteResult>& result) {
      EXPECT_TRUE(result.ok()) << result.status();
      done.set_value();
    });
  }

  const TemporaryDirectory directory_;
  const std::shared_ptr<FailingFileSystem> disk_ = std::make_shared<FailingFileSystem>();
  SyncGate gate_;
  std::unique_ptr<Engine> engine_;
  std::vector<PartitionId> partitions_;
};

TEST_F(SlowSync, KeepsAnswersBackAndHidesWhatWaitsForItAndWhatLiesBehindThat) {
  std::promise<void> synced;
  std::promise<void> committed;
  std::promise<void> behind;
  std::promise<void> elsewhere;
  gate_.Hold();
  Write(partitions_[0], Durability::kSynced, synced);
  WriteSet commit{.durability = Durability::kSynced};
  commit.commits.push_back(
      {.group = "billing", .partition = partitions_[1], .next_offset = Offset(0)});
  engine_->Write(std::move(commit),
                 [&](const absl::StatusOr<WriteResult>&) { committed.set_value(); });
  Write(partitions_[0], Durability::kBuffered, behind);
  Write(partitions_[1], Durability::kBuffered, elsewhere);
  elsewhere.get_future().get();  // Writes are taken in their order.
  EXPECT_EQ(engine_->Status(partitions_[1])->high_watermark, Offset(1));
  EXPECT_EQ(engine_->Status(partitions_[0])->high_watermark, Offset(0)) << "A cut may take it.";
  std::future<void> answers[] = {synced.get_future(), committed.get_future()};
  for (std::future<void>& answer : answers) {
    EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout)
        << "It was answered before it was synced.";
  }
  gate_.Release();
  for (std::future<void>& answer : answers) answer.get();
  behind.get_future().get();
  EXPECT_EQ(engine_->Status(partitions_[0])->high_watermark, Offset(2));
}

TEST_F(SlowSync, IsNotVouchedForBeforeItIsDone) {
  std::promise<void> first;
  std::promise<void> second;
  std::promise<void> elsewhere;
  gate_.Hold();
  Write(partitions_[0], Durability::kSynced, first);
  gate_.AwaitOne();
  Write(partitions_[0], Durability::kSynced, second);
  Write(partitions_[1], Durability::kBuffered, elsewhere);
  elsewhere.get_future().get();  // Writes are taken in their order: the second is written too.
  gate_.Let(1);
  first.get_future().get();
  WitnessFiles files(rocksdb::FileSystem::Default(), directory_.path().string());
  std::optional<WitnessedLog> log;
  do {  // The witness is kept on a thread of its own.
    log = files.Load().value();
  } while (!log.has_value() || !log->ends.contains(partitions_[0]));
  EXPECT_EQ(log->ends.at(partitions_[0]), Offset(1)) << "The second is still to be synced.";
  gate_.Release();
  second.get_future().get();
}

}  // namespace
}  // namespace millrace::storage
