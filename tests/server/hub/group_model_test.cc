// Random schedules of everything that can happen to a consumer group (group_model.h). A failure
// prints its seed and what happened; to see one again:
//
//     MILLRACE_MODEL_SEED=17 build/bin/group_model_test
//
// MILLRACE_MODEL_SCHEDULES sets how many schedules are run (100,000).
#include "tests/server/hub/group_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace millrace::hub {
namespace {

std::optional<uint64_t> Setting(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

// Empty, or what went wrong.
std::string RunSchedule(uint64_t seed) {
  GroupModel model(seed);
  try {
    model.Run();
  } catch (const Violation& violation) {
    return "seed " + std::to_string(seed) + ": broken rule: " + violation.rule + "\n" +
           model.trace();
  }
  return "";
}

TEST(GroupSchedules, KeepTheRulesWhateverHappens) {
  if (const auto seed = Setting("MILLRACE_MODEL_SEED")) {
    EXPECT_EQ(RunSchedule(*seed), "");
    return;
  }
  const uint64_t schedules = Setting("MILLRACE_MODEL_SCHEDULES").value_or(100'000);
  std::atomic<uint64_t> next = 1;
  std::mutex mutex;
  std::string first_failure;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back([&] {
      for (uint64_t seed = next++; seed <= schedules; seed = next++) {
        const std::string failure = RunSchedule(seed);
        if (failure.empty()) continue;
        std::lock_guard lock(mutex);
        if (first_failure.empty()) first_failure = failure;
        next = schedules + 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(first_failure, "");
}

}  // namespace
}  // namespace millrace::hub
