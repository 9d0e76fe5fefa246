// Which refused connections are told of, and that all are counted.
#include "server/contract/refused_connections.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace millrace::server {
namespace {

constexpr absl::Duration kNow = absl::Hours(1);

TEST(TellingRate, TellsSoOftenInASecondAndAfterwardsHowMuchWasLeftOut) {
  TellingRate rate(2);
  EXPECT_EQ(rate.Next(kNow), 0);
  EXPECT_EQ(rate.Next(kNow), 0);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(rate.Next(kNow + absl::Milliseconds(999)), std::nullopt);
  EXPECT_EQ(rate.Next(kNow + absl::Seconds(1)), 5);
  EXPECT_EQ(rate.Next(kNow + absl::Seconds(1)), 0);
  EXPECT_EQ(rate.Next(kNow + absl::Seconds(1)), std::nullopt);
}

TEST(RefusedConnections, AreCountedByReasonWhetherToldOfOrNot) {
  std::atomic<int64_t> told{0};
  std::atomic<int64_t> left_out{0};
  RefusedConnections refused("grpc", [&](const RefusedConnection& connection) {
    EXPECT_EQ(connection.listener, "grpc");
    EXPECT_EQ(connection.address, "192.0.2.1");
    EXPECT_EQ(connection.reason, ConnectionRefusal::kAddressLimit);
    ++told;
    left_out += connection.left_out;
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1'000; ++n) refused.Note(ConnectionRefusal::kAddressLimit, "192.0.2.1");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused.count(ConnectionRefusal::kAddressLimit), 4'000u);
  EXPECT_EQ(refused.count(ConnectionRefusal::kLimit), 0u);
  EXPECT_GE(told, 1);
  EXPECT_LE(told + left_out, 4'000);
}

TEST(RefusedConnections, OfOneReasonDoNotHideThoseOfAnother) {
  std::vector<std::string> told;
  RefusedConnections refused("web", [&](const RefusedConnection& connection) {
    told.emplace_back(NameOf(connection.reason));
  });
  refused.Note(ConnectionRefusal::kLimit, "192.0.2.1");
  refused.Note(ConnectionRefusal::kAddressLimit, "192.0.2.1");
  refused.Note(ConnectionRefusal::kAttack, "");
  EXPECT_EQ(told, (std::vector<std::string>{"limit", "address_limit", "attack"}));
}

TEST(RefusedConnections, AreCountedWithoutALog) {
  RefusedConnections refused("grpc", nullptr);
  refused.Note(ConnectionRefusal::kAttack, "");
  EXPECT_EQ(refused.count(ConnectionRefusal::kAttack), 1u);
}

}  // namespace
}  // namespace millrace::server
