#include "server/contract/stream_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/time/clock.h"

namespace millrace::server {
namespace {

// How streams have ended, in order.
class Ends {
 public:
  // Of the stream that a test calls so.
  std::function<void(StreamEnd)> Of(int stream) {
    return [this, stream](StreamEnd end) {
      std::lock_guard lock(mutex_);
      ends_.push_back({stream, end});
      changed_.notify_all();
    };
  }

  // Waits until so many have ended.
  std::vector<std::pair<int, StreamEnd>> First(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ends_.size() >= count; });
    return ends_;
  }

  size_t count() {
    std::lock_guard lock(mutex_);
    return ends_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<int, StreamEnd>> ends_;
};

using End = std::pair<int, StreamEnd>;

TEST(StreamWatchTest, EndsAStreamThatIsOldAndNotATenthEarlier) {
  constexpr absl::Duration kMaxAge = absl::Milliseconds(300);
  Ends ends;
  StreamWatch watch(kMaxAge);
  const absl::Time opened = absl::Now();
  const auto held = watch.Watch({.end = ends.Of(1)});
  EXPECT_EQ(ends.First(1).front(), End(1, StreamEnd::kMaxAge));
  EXPECT_GE(absl::Now() - opened, 0.9 * kMaxAge);
}

TEST(StreamWatchTest, DoesNotEndThemInTheOrderInWhichTheyWereOpened) {
  constexpr int kStreams = 50;
  Ends ends;
  StreamWatch watch(absl::Milliseconds(500));
  std::vector<std::shared_ptr<const void>> held;
  for (int i = 0; i < kStreams; ++i) held.push_back(watch.Watch({.end = ends.Of(i)}));
  const auto ended = ends.First(kStreams);
  EXPECT_FALSE(std::is_sorted(ended.begin(), ended.end()));
}

TEST(StreamWatchTest, EndsAStreamWhoseCredentialHasExpired) {
  Ends ends;
  StreamWatch watch(absl::Hours(1));
  const auto stays = watch.Watch({.expires = absl::Now() + absl::Hours(2), .end = ends.Of(1)});
  const auto expires =
      watch.Watch({.expires = absl::Now() + absl::Milliseconds(50), .end = ends.Of(2)});
  EXPECT_EQ(ends.First(1).front(), End(2, StreamEnd::kExpired));
  EXPECT_EQ(ends.count(), 1);
}

TEST(StreamWatchTest, EndsWhatMayNotGoOnWhenItLooksAgain) {
  Ends ends;
  std::atomic<bool> first_may = true, second_may = true;
  StreamWatch watch(std::nullopt);
  const auto first =
      watch.Watch({.may_go_on = [&] { return first_may.load(); }, .end = ends.Of(1)});
  const auto second =
      watch.Watch({.may_go_on = [&] { return second_may.load(); }, .end = ends.Of(2)});
  const auto whoever = watch.Watch({.end = ends.Of(3)});
  second_may = false;
  watch.LookAgain();
  EXPECT_EQ(ends.First(1).front(), End(2, StreamEnd::kRefused));
  first_may = false;
  watch.LookAgain();
  EXPECT_EQ(ends.First(2).back(), End(1, StreamEnd::kRefused));
}

TEST(StreamWatchTest, StillEndsByAgeWhatItHasLookedAt) {
  Ends ends;
  std::atomic<int> looks = 0;
  StreamWatch watch(absl::Milliseconds(200));
  const auto held = watch.Watch({.may_go_on = [&] { return ++looks > 0; }, .end = ends.Of(1)});
  watch.LookAgain();
  EXPECT_EQ(ends.First(1).front(), End(1, StreamEnd::kMaxAge));
}

TEST(StreamWatchTest, EndsAtOnceWhatMayNotGoOnWhenItIsFirstWatched) {
  Ends ends;
  StreamWatch watch(std::nullopt);
  const auto held = watch.Watch({.may_go_on = [] { return false; }, .end = ends.Of(1)});
  EXPECT_EQ(ends.First(1), std::vector{End(1, StreamEnd::kRefused)});
  watch.LookAgain();
  const auto other = watch.Watch({.may_go_on = [] { return false; }, .end = ends.Of(2)});
  EXPECT_EQ(ends.First(2).size(), 2) << "nothing ends twice";
}

TEST(StreamWatchTest, LeavesAloneWhatIsNotWatchedAnyMore) {
  Ends ends;
  std::atomic<bool> may = true;
  StreamWatch watch(std::nullopt);
  auto gone = watch.Watch({.may_go_on = [&] { return may.load(); }, .end = ends.Of(1)});
  const auto stays = watch.Watch({.may_go_on = [&] { return may.load(); }, .end = ends.Of(2)});
  gone.reset();
  may = false;
  watch.LookAgain();
  EXPECT_EQ(ends.First(1), std::vector{End(2, StreamEnd::kRefused)});
}

TEST(StreamWatchTest, MayBeLeftWhenTheWatchItselfIsGone) {
  constexpr int kStreams = 100;
  std::vector<std::shared_ptr<const void>> held;
  Ends ends;
  {
    StreamWatch watch(absl::Hours(1));
    for (int i = 0; i < kStreams; ++i) held.push_back(watch.Watch({.end = ends.Of(i)}));
  }
  held.clear();  // A sanitizer sees more than this test.
  EXPECT_EQ(ends.count(), 0u);
}

TEST(StreamWatchTest, MayBeLeftFromInsideOfTheEnd) {
  Ends ends;
  std::mutex mutex;
  std::shared_ptr<const void> held;
  StreamWatch watch(absl::Milliseconds(20));
  {
    std::lock_guard lock(mutex);
    held = watch.Watch({.end = [&, told = ends.Of(1)](StreamEnd end) {
      {
        std::lock_guard lock_inside(mutex);
        held.reset();
      }
      told(end);
    }});
  }
  EXPECT_EQ(ends.First(1), std::vector{End(1, StreamEnd::kMaxAge)});
}

}  // namespace
}  // namespace millrace::server
