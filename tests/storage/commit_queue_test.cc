// Who commits: the committer's own thread, or a caller that leads.
#include "storage/rocksdb/commit_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "storage/rocksdb/rocksdb_engine.h"
#include "tests/storage/contract/engine_contract.h"
#include "tests/storage/rocksdb_engine_factory.h"

namespace millrace::storage {
namespace {

constexpr int64_t kRoom = 1 << 20;

// Whether the caller leads now.
bool Push(CommitQueue& queue, std::string value, bool on_calling_thread = true,
          Durability durability = Durability::kBuffered, bool sync_is_idle = false) {
  WriteSet set{.durability = durability, .on_calling_thread = on_calling_thread};
  set.appends.push_back({.partition = PartitionId(1), .records = EncodeValues({std::move(value)})});
  WriteCompletion done = [](const absl::StatusOr<WriteResult>&) {};
  const auto leads = queue.Push(set, done, sync_is_idle);
  EXPECT_TRUE(leads.ok()) << leads.status();
  return leads.ok() && *leads;
}

TEST(CommitQueue, LetsTheFirstLeadAndHandsItWhatComesMeanwhile) {
  CommitQueue queue(kRoom);
  std::vector<QueuedWrite> taken;
  EXPECT_TRUE(Push(queue, "a"));
  EXPECT_FALSE(Push(queue, "b"));
  ASSERT_TRUE(queue.TakeAsLeader(taken, true));
  EXPECT_EQ(taken.size(), 2u);
  EXPECT_FALSE(Push(queue, "c"));
  ASSERT_TRUE(queue.TakeAsLeader(taken, true));
  EXPECT_EQ(taken.size(), 1u);
  EXPECT_FALSE(queue.TakeAsLeader(taken, true)) << "nothing is left";
  EXPECT_TRUE(Push(queue, "d"));
}

TEST(CommitQueue, LetsNobodyLeadBehindOthersOrWhileTheThreadCommits) {
  CommitQueue queue(kRoom);
  std::vector<QueuedWrite> taken;
  EXPECT_FALSE(Push(queue, "a", /*on_calling_thread=*/false));
  EXPECT_FALSE(Push(queue, "b"));
  ASSERT_TRUE(queue.TakeAll(taken));
  EXPECT_EQ(taken.size(), 2u);
  EXPECT_FALSE(Push(queue, "c"));
  ASSERT_TRUE(queue.TakeAll(taken));
  EXPECT_EQ(taken.size(), 1u);
}

// What the committer's thread takes next.
size_t TakenByThread(CommitQueue& queue) {
  std::vector<QueuedWrite> taken;
  return std::async(std::launch::async, [&] { return queue.TakeAll(taken) ? taken.size() : 0; })
      .get();
}

TEST(CommitQueue, LetsASyncedWriteLeadWhereNothingIsBeingSynced) {
  CommitQueue queue(kRoom);
  std::vector<QueuedWrite> taken;
  EXPECT_FALSE(Push(queue, "a", /*on_calling_thread=*/true, Durability::kSynced,
                    /*sync_is_idle=*/false));
  ASSERT_TRUE(queue.TakeAll(taken));
  CommitQueue other(kRoom);
  EXPECT_FALSE(Push(other, "a", /*on_calling_thread=*/false, Durability::kSynced,
                    /*sync_is_idle=*/true));
  ASSERT_TRUE(other.TakeAll(taken));
  CommitQueue third(kRoom);
  EXPECT_TRUE(Push(third, "a", /*on_calling_thread=*/true, Durability::kSynced,
                   /*sync_is_idle=*/true));
}

TEST(CommitQueue, LeavesToTheThreadWhatIsMuch) {
  CommitQueue queue(kRoom);
  EXPECT_FALSE(Push(queue, std::string(100 << 10, 'x')));
  EXPECT_EQ(TakenByThread(queue), 1u);
}

TEST(CommitQueue, LeavesToTheThreadWhatCameAndIsMuch) {
  CommitQueue queue(kRoom);
  std::vector<QueuedWrite> taken;
  ASSERT_TRUE(Push(queue, "small"));
  ASSERT_TRUE(queue.TakeAsLeader(taken, true));
  EXPECT_FALSE(Push(queue, std::string(100 << 10, 'x')));
  EXPECT_FALSE(queue.TakeAsLeader(taken, true));
  EXPECT_EQ(TakenByThread(queue), 1u);
}

TEST(CommitQueue, LeavesToTheThreadWhatALeaderHasNoTimeFor) {
  CommitQueue queue(kRoom);
  std::vector<QueuedWrite> taken;
  ASSERT_TRUE(Push(queue, "first"));
  ASSERT_TRUE(queue.TakeAsLeader(taken, true));
  EXPECT_FALSE(Push(queue, "second"));
  EXPECT_FALSE(queue.TakeAsLeader(taken, false));
  EXPECT_EQ(TakenByThread(queue), 1u);
}

TEST(CommitQueue, LeavesChangesToTheThread) {
  CommitQueue queue(kRoom);
  std::vector<QueuedWrite> taken;
  ASSERT_TRUE(Push(queue, "first"));
  ASSERT_TRUE(queue.TakeAsLeader(taken, true));
  std::jthread changing(
      [&] { EXPECT_TRUE(queue.Apply({.prepare = [](auto&) { return absl::OkStatus(); }}).ok()); });
  std::jthread thread([&] {
    std::vector<QueuedWrite> of_thread;
    ASSERT_TRUE(queue.TakeAll(of_thread));
    ASSERT_EQ(of_thread.size(), 1u);
    ASSERT_NE(of_thread[0].change, nullptr);
    std::move(of_thread[0].change->done)(absl::OkStatus());
  });
  while (queue.TakeAsLeader(taken, true)) {
  }
}

TEST(CommitQueue, EndsTheThreadOnlyAfterTheLeader) {
  CommitQueue queue(kRoom);
  std::vector<QueuedWrite> taken;
  ASSERT_TRUE(Push(queue, "first"));
  ASSERT_TRUE(queue.TakeAsLeader(taken, true));
  queue.Close();
  auto ended = std::async(std::launch::async, [&] {
    std::vector<QueuedWrite> of_thread;
    return queue.TakeAll(of_thread);
  });
  EXPECT_EQ(ended.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  EXPECT_FALSE(queue.TakeAsLeader(taken, true));
  EXPECT_FALSE(ended.get());
}

// ---- In the engine

class LeadingTest : public testing::Test {
 protected:
  LeadingTest() {
    auto engine = RocksDbEngine::Open(OptionsFor(directory_.path()));
    EXPECT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    partition_ = engine_->CreateTopic("orders", 1, {}).value()->partitions[0];
  }

  void Write(std::string value, Durability durability,
             std::function<void(absl::StatusOr<WriteResult>)> done) {
    WriteSet set{.durability = durability, .on_calling_thread = true};
    set.appends.push_back({.partition = partition_, .records = EncodeValues({std::move(value)})});
    engine_->Write(std::move(set), std::move(done));
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Engine> engine_;
  PartitionId partition_;
};

TEST_F(LeadingTest, AnswersALoneWriteInsideTheCall) {
  for (const Durability durability : {Durability::kBuffered, Durability::kSynced}) {
    // The committer's thread may still be at work for the topic, or the other sync what was
    // BUFFERED.
    bool inside = false;
    for (int i = 0; i < 1000 && !inside; ++i) {
      std::promise<std::thread::id> done;
      Write("value", durability, [&](const absl::StatusOr<WriteResult>& result) {
        EXPECT_TRUE(result.ok()) << result.status();
        done.set_value(std::this_thread::get_id());
      });
      inside = done.get_future().get() == std::this_thread::get_id();
    }
    EXPECT_TRUE(inside) << static_cast<int>(durability);
  }
}

TEST_F(LeadingTest, SyncsWhatManyThreadsWriteAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kWrites = 200;
  std::atomic<int> stored = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kWrites; ++i) {
          std::promise<bool> done;
          Write("value", Durability::kSynced,
                [&](const absl::StatusOr<WriteResult>& result) { done.set_value(result.ok()); });
          stored += done.get_future().get() ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(stored, kThreads * kWrites);
  EXPECT_EQ(engine_->Status(partition_)->high_watermark, Offset(kThreads * kWrites));
}

TEST_F(LeadingTest, GivesEveryWriteOfManyThreadsAnOffsetOfItsOwnInTheirOrder) {
  constexpr int kThreads = 4;
  constexpr int kWrites = 500;
  std::vector<std::vector<int64_t>> offsets(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kWrites; ++i) {
          std::promise<int64_t> done;
          Write(std::to_string(i), i % 50 == 0 ? Durability::kSynced : Durability::kBuffered,
                [&](const absl::StatusOr<WriteResult>& result) {
                  done.set_value(result.ok() ? result->ranges.at(0).base_offset.value() : -1);
                });
          offsets[t].push_back(done.get_future().get());
        }
      });
    }
  }
  std::set<int64_t> all;
  for (const auto& of_thread : offsets) {
    EXPECT_TRUE(std::is_sorted(of_thread.begin(), of_thread.end()));
    all.insert(of_thread.begin(), of_thread.end());
  }
  EXPECT_EQ(all.size(), static_cast<size_t>(kThreads * kWrites));
  EXPECT_EQ(*all.begin(), 0);
  EXPECT_EQ(engine_->Status(partition_)->high_watermark, Offset(kThreads * kWrites));
}

}  // namespace
}  // namespace millrace::storage
