// What is fetched in advance, and for whom. The disk is a function here that is told when to
// answer.
#include "storage/rocksdb/read_ahead.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/error.h"
#include "storage/rocksdb/reader_pool.h"

namespace millrace::storage {
namespace {

constexpr int64_t kEnd = 1'000;
constexpr int kRecordsARead = 10;

// A partition whose records, 0 to kEnd, are all on the disk.
PartitionPtr PartitionOnDisk(int id) {
  auto partition = std::make_shared<Partition>(PartitionId(id), LogEpoch(1));
  partition->Restore({.earliest = Offset(0), .first_batch = Offset(0), .end = Offset(kEnd)}, {},
                     {});
  return partition;
}

// Answers ten records a read, notes which reads there were, and holds back those it is told to.
class FakeDisk {
 public:
  ReadAhead::Reader reader() {
    return [this](const Partition& partition, Offset from, ReadLimits) {
      return Read(partition, from);
    };
  }

  void HoldBack(int64_t from) {
    const std::lock_guard lock(mutex_);
    held_.insert(from);
  }
  void LetGo() {
    const std::lock_guard lock(mutex_);
    held_.clear();
    changed_.notify_all();
  }
  void FailOnce(int64_t from) {
    const std::lock_guard lock(mutex_);
    failing_.insert(from);
  }
  // Waits until so many reads have begun at an offset.
  void WaitForRead(int64_t from, int times = 1) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_[from] >= times; });
  }
  // Waits until so many reads are done; gives how many have begun.
  int WaitForReads(int done) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_ >= done; });
    int begun = 0;
    for (const auto& [from, times] : begun_) begun += times;
    return begun;
  }
  int ReadsAt(int64_t from) {
    const std::lock_guard lock(mutex_);
    return begun_[from];
  }

 private:
  absl::StatusOr<ReadResult> Read(const Partition& partition, Offset from) {
    std::unique_lock lock(mutex_);
    ++begun_[from.value()];
    const Offset high_watermark = partition.Status().high_watermark;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_.contains(from.value()); });
    ++done_;
    changed_.notify_all();
    if (failing_.erase(from.value()) > 0) return Error(Reason::kStorageFailed, "a bad sector");
    ReadResult result{.next_offset = from + kRecordsARead,
                      .earliest = Offset(0),
                      .high_watermark = high_watermark};
    result.batches.push_back({.base_offset = from, .record_count = kRecordsARead});
    return result;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<int64_t> held_;
  std::set<int64_t> failing_;
  std::map<int64_t, int> begun_;
  int done_ = 0;
};

class ReadAheadTest : public testing::Test {
 protected:
  ~ReadAheadTest() override {
    disk_.LetGo();
    pool_.Stop();
  }

  std::future<absl::StatusOr<ReadResult>> Begin(const PartitionPtr& partition, int64_t from,
                                                ReadLimits limits = {}) {
    auto promise = std::make_shared<std::promise<absl::StatusOr<ReadResult>>>();
    auto future = promise->get_future();
    ahead_.Read(partition, Offset(from), limits, [promise](absl::StatusOr<ReadResult> result) {
      promise->set_value(std::move(result));
    });
    return future;
  }

  // Where the answer begins.
  std::optional<int64_t> Read(const PartitionPtr& partition, int64_t from, ReadLimits limits = {}) {
    const auto result = Begin(partition, from, limits).get();
    if (!result.ok()) return std::nullopt;
    return result->batches.front().base_offset.value();
  }

  FakeDisk disk_;
  ReaderPool pool_{2};
  ReadAhead ahead_{disk_.reader(), pool_};
  PartitionPtr partition_ = PartitionOnDisk(1);
};

TEST_F(ReadAheadTest, FetchesTheNextForWhoeverGoesOnWhereAReadHasEnded) {
  EXPECT_EQ(Read(partition_, 0), 0);
  EXPECT_EQ(Read(partition_, 10), 10);
  disk_.WaitForRead(20);  // Nobody has asked for it.
  EXPECT_EQ(Read(partition_, 20), 20);
  EXPECT_EQ(disk_.ReadsAt(20), 1);
}

TEST_F(ReadAheadTest, FetchesNothingAfterASingleRead) {
  EXPECT_EQ(Read(partition_, 0), 0);
  EXPECT_EQ(Read(partition_, 500), 500);
  EXPECT_EQ(Read(partition_, 0), 0);
  pool_.Stop();  // Runs what was posted.
  EXPECT_EQ(disk_.ReadsAt(10), 0);
  EXPECT_EQ(disk_.ReadsAt(510), 0);
}

TEST_F(ReadAheadTest, GivesWhatIsBeingFetchedToWhoeverAsksMeanwhile) {
  EXPECT_EQ(Read(partition_, 0), 0);
  disk_.HoldBack(20);
  EXPECT_EQ(Read(partition_, 10), 10);
  disk_.WaitForRead(20);
  auto third = Begin(partition_, 20);
  EXPECT_EQ(third.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  disk_.LetGo();
  EXPECT_EQ(third.get()->batches.front().base_offset, Offset(20));
  disk_.WaitForRead(30);
  EXPECT_EQ(disk_.ReadsAt(20), 1);
}

TEST_F(ReadAheadTest, ReadsAllOfAPartitionOnceAndInOrder) {
  for (int64_t from = 0; from < kEnd; from += kRecordsARead) {
    ASSERT_EQ(Read(partition_, from), from);
  }
  pool_.Stop();
  EXPECT_EQ(disk_.WaitForReads(0), kEnd / kRecordsARead) << "and nothing behind its end";
}

TEST_F(ReadAheadTest, TellsTwoReadersOfOnePlaceTheSame) {
  Read(partition_, 0);
  Read(partition_, 10);
  disk_.WaitForReads(3);
  EXPECT_EQ(Read(partition_, 20), 20);
  EXPECT_EQ(Read(partition_, 20), 20);
}

TEST_F(ReadAheadTest, KeepsPartitionsApart) {
  const PartitionPtr other = PartitionOnDisk(2);
  EXPECT_EQ(Read(partition_, 0), 0);
  EXPECT_EQ(Read(other, 10), 10);
  EXPECT_EQ(Read(other, 20), 20);
  disk_.WaitForRead(30);
  pool_.Stop();
  EXPECT_EQ(disk_.ReadsAt(10), 1) << "the first has gone on nowhere";
}

TEST_F(ReadAheadTest, AsksAgainWhereFetchingFailed) {
  disk_.FailOnce(20);
  Read(partition_, 0);
  Read(partition_, 10);
  disk_.WaitForReads(3);
  EXPECT_EQ(Read(partition_, 20), 20);
  EXPECT_EQ(disk_.ReadsAt(20), 2);
}

TEST_F(ReadAheadTest, AsksAgainForWhoeverWaitedWhereFetchingFailed) {
  disk_.FailOnce(20);
  disk_.HoldBack(20);
  Read(partition_, 0);
  Read(partition_, 10);
  disk_.WaitForRead(20);
  auto third = Begin(partition_, 20);
  disk_.LetGo();
  EXPECT_EQ(third.get()->batches.front().base_offset, Offset(20));
  EXPECT_EQ(disk_.ReadsAt(20), 2);
}

TEST_F(ReadAheadTest, TellsAnErrorOfTheReadItself) {
  disk_.FailOnce(0);
  EXPECT_EQ(ReasonOf(Begin(partition_, 0).get().status()), Reason::kStorageFailed);
}

TEST_F(ReadAheadTest, GivesNobodyMoreThanWasAskedFor) {
  Read(partition_, 0);
  Read(partition_, 10);
  disk_.WaitForReads(3);
  EXPECT_EQ(Read(partition_, 20, {.max_bytes = 100}), 20);
  EXPECT_EQ(disk_.ReadsAt(20), 2);
}

TEST_F(ReadAheadTest, KnowsWhatHasBecomeVisibleSinceItWasFetched) {
  Read(partition_, 0);
  Read(partition_, 10);
  disk_.WaitForReads(3);
  partition_->MakeVisible(Offset(kEnd + 5));
  partition_->RaiseEarliest(Offset(5));
  const auto result = Begin(partition_, 20).get();
  EXPECT_EQ(disk_.ReadsAt(20), 1);
  EXPECT_EQ(result->high_watermark, Offset(kEnd + 5));
  EXPECT_EQ(result->earliest, Offset(5));
}

TEST_F(ReadAheadTest, KnowsWhatHasBecomeVisibleWhileItWasFetched) {
  Read(partition_, 0);
  disk_.HoldBack(20);
  Read(partition_, 10);
  disk_.WaitForRead(20);
  auto waiting = Begin(partition_, 20);
  partition_->MakeVisible(Offset(kEnd + 5));
  disk_.LetGo();
  const auto result = waiting.get();
  EXPECT_EQ(result->high_watermark, Offset(kEnd + 5));
}

TEST_F(ReadAheadTest, FollowsFewAndReadsForAllOthersAtOnce) {
  constexpr int kReaders = 20;
  std::vector<PartitionPtr> partitions;
  for (int i = 0; i < kReaders; ++i) partitions.push_back(PartitionOnDisk(i));
  for (int64_t from = 0; from < 100; from += kRecordsARead) {
    for (const PartitionPtr& partition : partitions) ASSERT_EQ(Read(partition, from), from);
  }
  pool_.Stop();
  EXPECT_LE(disk_.WaitForReads(0), kReaders * 10 + 8) << "nothing is fetched twice";
}

TEST_F(ReadAheadTest, IsDrainedWithItsThreads) {
  Read(partition_, 0);
  pool_.Stop();
  EXPECT_EQ(ReasonOf(Begin(partition_, 10).get().status()), Reason::kDraining);
}

}  // namespace
}  // namespace millrace::storage
