#include "server/hub/stall_watch.h"

#include <gtest/gtest.h>

#include <future>

#include "absl/strings/str_cat.h"

namespace millrace::hub {
namespace {

class NotesStalls : public HubObserver {
 public:
  void OnStalled(std::string_view worker, absl::Duration stuck_for) override {
    notes.push_back(absl::StrCat(std::string(worker), " stuck ", absl::FormatDuration(stuck_for)));
  }
  void OnStallOver(std::string_view worker, absl::Duration stuck_for) override {
    notes.push_back(absl::StrCat(std::string(worker), " over ", absl::FormatDuration(stuck_for)));
  }

  std::vector<std::string> notes;
};

class StallJudgeTest : public testing::Test {
 protected:
  // One worker's state at a second.
  Progress Look(int second, int64_t waiting, uint64_t done) {
    judge_.Look(absl::Seconds(second), {{"committer", waiting, done}});
    return judge_.progress().at(0);
  }

  NotesStalls observer_;
  StallJudge judge_{absl::Seconds(5), observer_};
};

TEST_F(StallJudgeTest, TakesNothingToDoForNoStall) {
  Look(0, 0, 7);
  EXPECT_EQ(Look(1000, 0, 7).stuck_for, absl::ZeroDuration());
  // What came just now has not waited since then.
  EXPECT_EQ(Look(1001, 3, 7).stuck_for, absl::Seconds(1));
  EXPECT_TRUE(observer_.notes.empty());
}

TEST_F(StallJudgeTest, TakesBusyForNoStallWhileSomethingIsFinished) {
  for (int second = 0; second < 100; ++second) {
    EXPECT_EQ(Look(second, 50, static_cast<uint64_t>(second)).stuck_for, absl::ZeroDuration());
  }
  EXPECT_EQ(judge_.progress()[0].stalls, 0);
}

TEST_F(StallJudgeTest, TellsOnceOfAStallAndOfItsEnd) {
  Look(0, 1, 7);
  EXPECT_EQ(Look(4, 1, 7).stalls, 0);
  EXPECT_EQ(Look(5, 1, 7).stalls, 1);
  EXPECT_EQ(Look(60, 9, 7).stuck_for, absl::Seconds(60));
  EXPECT_EQ(Look(61, 9, 8).stuck_for, absl::ZeroDuration());
  EXPECT_EQ(observer_.notes,
            (std::vector<std::string>{"committer stuck 5s", "committer over 1m1s"}));
  Look(70, 9, 8);
  EXPECT_EQ(judge_.progress()[0].stalls, 2);
}

TEST_F(StallJudgeTest, JudgesEachWorkerByItself) {
  judge_.Look(absl::Seconds(0), {{"committer", 1, 0}, {"syncer", 1, 0}});
  judge_.Look(absl::Seconds(9), {{"committer", 1, 5}, {"syncer", 1, 0}});
  const auto progress = judge_.progress();
  EXPECT_EQ(progress[0].stuck_for, absl::ZeroDuration());
  EXPECT_EQ(progress[1].stuck_for, absl::Seconds(9));
  EXPECT_EQ(observer_.notes, (std::vector<std::string>{"syncer stuck 9s"}));
}

// Says when the watch has told of a stall.
class AwaitsStall : public HubObserver {
 public:
  void OnStalled(std::string_view worker, absl::Duration) override {
    stalled.set_value(std::string(worker));
  }

  std::promise<std::string> stalled;
};

TEST(StallWatch, LooksByItself) {
  AwaitsStall observer;
  StallWatch watch(absl::Milliseconds(1), absl::Milliseconds(5), observer, [] {
    return std::vector<storage::WorkStatus>{{"syncer", 1, 3}};
  });
  EXPECT_EQ(observer.stalled.get_future().get(), "syncer");
  EXPECT_EQ(watch.Look()[0].stalls, 1);
}

}  // namespace
}  // namespace millrace::hub
