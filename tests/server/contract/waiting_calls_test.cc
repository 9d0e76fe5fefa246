// Calls that wait for a worker.
#include "server/contract/waiting_calls.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "server/hub/executor.h"

namespace millrace::server {
namespace {

// Workers that run a task when they are told to.
class IdleWorkers final : public hub::TaskRunner {
 public:
  void Post(absl::AnyInvocable<void() &&> task) override { tasks_.push_back(std::move(task)); }

  void RunOne() {
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    std::move(task)();
  }

 private:
  std::deque<absl::AnyInvocable<void() &&>> tasks_;
};

class WaitingCallsTest : public testing::Test {
 protected:
  absl::Status Post(const std::string& peer) {
    return calls_.Post(workers_, peer, [this] { ++ran_; });
  }

  IdleWorkers workers_;
  WaitingCalls calls_;
  int ran_ = 0;
};

TEST_F(WaitingCallsTest, AreSoManyOfAnAddressWhateverItsPorts) {
  for (int i = 0; i < WaitingCalls::kMost; ++i) {
    ASSERT_TRUE(Post("ipv4:192.0.2.1:" + std::to_string(i)).ok()) << i;
  }
  EXPECT_EQ(Post("ipv4:192.0.2.1:9").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(Post("ipv4:192.0.2.2:9").ok());
  EXPECT_TRUE(Post("ipv6:%5B2001:db8::1%5D:9").ok());
  EXPECT_TRUE(Post("ipv6:%5B2001:db8::2%5D:9").ok());
  EXPECT_EQ(ran_, 0);
  workers_.RunOne();
  workers_.RunOne();
  EXPECT_EQ(ran_, 2);
  EXPECT_TRUE(Post("ipv4:192.0.2.1:9").ok());
  EXPECT_TRUE(Post("ipv4:192.0.2.1:9").ok());
  EXPECT_FALSE(Post("ipv4:192.0.2.1:9").ok());
}

TEST_F(WaitingCallsTest, WaitNoLongerOnceTheirTaskBegins) {
  absl::Status from_within;
  ASSERT_TRUE(
      calls_.Post(workers_, "ipv4:192.0.2.1:1", [&] { from_within = Post("ipv4:192.0.2.1:1"); })
          .ok());
  for (int i = 1; i < WaitingCalls::kMost; ++i) ASSERT_TRUE(Post("ipv4:192.0.2.1:1").ok()) << i;
  ASSERT_FALSE(Post("ipv4:192.0.2.1:1").ok());
  workers_.RunOne();
  EXPECT_TRUE(from_within.ok()) << from_within;
}

}  // namespace
}  // namespace millrace::server
