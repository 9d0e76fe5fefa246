// What is done again and again, and no more once it has been ended.
#include "storage/periodic_task.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace millrace::storage {
namespace {

TEST(PeriodicTask, IsDoneAgainAndAgainInAThreadOfItsOwn) {
  const std::thread::id here = std::this_thread::get_id();
  std::thread::id there = here;
  int times = 0;
  absl::Notification thrice;
  const PeriodicTask task("thrice", absl::Microseconds(1), [&] {
    there = std::this_thread::get_id();
    if (++times == 3) thrice.Notify();
  });
  thrice.WaitForNotification();
  EXPECT_NE(there, here);
}

TEST(PeriodicTask, EndsAtOnceHoweverLongItsInterval) {
  std::atomic<int> times = 0;
  {
    const PeriodicTask task("never", absl::Hours(24), [&] { ++times; });
  }
  EXPECT_EQ(times, 0);
}

TEST(PeriodicTask, WaitsAtItsEndForTheCallThatIsOn) {
  absl::Notification begun;
  absl::Notification may_end;
  std::atomic<bool> on = false;
  std::optional<PeriodicTask> task;
  task.emplace("slow", absl::Microseconds(1), [&] {
    on = true;
    if (!begun.HasBeenNotified()) begun.Notify();
    may_end.WaitForNotification();
    on = false;
  });
  begun.WaitForNotification();
  std::atomic<bool> ended = false;
  bool on_at_the_end = true;
  std::thread ender([&] {
    task.reset();
    ended = true;
    on_at_the_end = on;
  });
  EXPECT_FALSE(ended);
  may_end.Notify();
  ender.join();
  EXPECT_FALSE(on_at_the_end);
}

}  // namespace
}  // namespace millrace::storage
