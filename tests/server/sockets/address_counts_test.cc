// Which peers are counted as one, and how many of one are let in, at a time and within a window.
#include "server/sockets/address_counts.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace millrace::server {
namespace {

constexpr absl::Duration kNow = absl::Hours(1);

PeerNetwork From(const std::string& text) {
  sockaddr_storage address{};
  auto& ipv4 = reinterpret_cast<sockaddr_in&>(address);
  auto& ipv6 = reinterpret_cast<sockaddr_in6&>(address);
  if (inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr) == 1) {
    address.ss_family = AF_INET;
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &ipv6.sin6_addr), 1) << text;
    address.ss_family = AF_INET6;
  }
  return PeerNetwork(address);
}

TEST(PeerNetwork, OfIPv4IsTheAddress) {
  EXPECT_EQ(From("192.0.2.1"), From("192.0.2.1"));
  EXPECT_NE(From("192.0.2.1"), From("192.0.2.2"));
}

TEST(PeerNetwork, OfIPv4IsTheSameOnASocketForBoth) {
  EXPECT_EQ(From("192.0.2.1"), From("::ffff:192.0.2.1"));
  EXPECT_NE(From("::ffff:192.0.2.1"), From("::ffff:192.0.2.2"));
}

TEST(PeerNetwork, OfIPv6IsTheFirstHalf) {
  EXPECT_EQ(From("2001:db8:1:2::1"), From("2001:db8:1:2:ffff::9"));
  EXPECT_NE(From("2001:db8:1:2::1"), From("2001:db8:1:3::1"));
  EXPECT_NE(From("::1"), From("0.0.0.0"));
}

TEST(PeerNetwork, IsWrittenAsAPersonWritesIt) {
  EXPECT_EQ(From("192.0.2.1").ToString(), "192.0.2.1");
  EXPECT_EQ(From("::ffff:192.0.2.1").ToString(), "192.0.2.1");
  EXPECT_EQ(From("2001:db8:1:2::9").ToString(), "2001:db8:1:2::/64");
  EXPECT_EQ(PeerNetwork(sockaddr_storage{}).ToString(), "");
}

TEST(PeerNetwork, DoesNotHangOnThePort) {
  sockaddr_storage address{};
  address.ss_family = AF_INET;
  const PeerNetwork first(address);
  reinterpret_cast<sockaddr_in&>(address).sin_port = htons(40'000);
  EXPECT_EQ(first, PeerNetwork(address));
}

TEST(AddressCounts, LetsInSoManyOfEachAddress) {
  AddressCounts counts(2);
  EXPECT_TRUE(counts.Enter(From("192.0.2.1"), kNow));
  EXPECT_TRUE(counts.Enter(From("192.0.2.1"), kNow));
  EXPECT_FALSE(counts.Enter(From("192.0.2.1"), kNow));
  EXPECT_TRUE(counts.Enter(From("192.0.2.2"), kNow));
  counts.Leave(From("192.0.2.1"));
  EXPECT_TRUE(counts.Enter(From("192.0.2.1"), kNow));
  EXPECT_FALSE(counts.Enter(From("192.0.2.1"), kNow));
}

// Opens and closes connections of one address; how many were let in of more than enough.
int OpenAndClose(AddressCounts& counts, const std::string& address, absl::Duration now) {
  int opened = 0;
  for (int i = 0; i < 5'000; ++i) {
    if (!counts.Enter(From(address), now)) continue;
    counts.Leave(From(address));
    ++opened;
  }
  return opened;
}

TEST(AddressCounts, LetsAnAddressOpenSoManyWithinAWindow) {
  AddressCounts counts(100);
  EXPECT_EQ(OpenAndClose(counts, "192.0.2.1", kNow), 1'000);
  EXPECT_EQ(OpenAndClose(counts, "192.0.2.2", kNow), 1'000);
  const absl::Duration before_the_next = kNow + AddressCounts::kWindow - absl::Milliseconds(1);
  EXPECT_EQ(OpenAndClose(counts, "192.0.2.1", before_the_next), 0);
  EXPECT_EQ(OpenAndClose(counts, "192.0.2.1", kNow + AddressCounts::kWindow), 1'000);
}

TEST(AddressCounts, WithASmallLimitStillLetAnAddressComeAgain) {
  AddressCounts counts(2);
  EXPECT_EQ(OpenAndClose(counts, "192.0.2.1", kNow), AddressCounts::kAlways);
}

TEST(AddressCounts, KeepsNothingOfThoseThatAreGone) {
  AddressCounts counts(1);
  for (int i = 0; i < 200; ++i) {
    const PeerNetwork from = From("192.0.2." + std::to_string(i));
    ASSERT_TRUE(counts.Enter(from, kNow));
    ASSERT_FALSE(counts.Enter(from, kNow));
    if (i >= 50) counts.Leave(from);
  }
  EXPECT_EQ(counts.address_count(), 200u);  // Until the window is over.
  const absl::Duration later = kNow + AddressCounts::kWindow;
  EXPECT_TRUE(counts.Enter(From("198.51.100.1"), later));
  EXPECT_EQ(counts.address_count(), 51u);
}

TEST(AddressCounts, AnAttackCountsAsConnectionsThatWereOpenedInTheWindow) {
  AddressCounts counts(200);
  ASSERT_TRUE(counts.Enter(From("192.0.2.1"), kNow));
  counts.Charge(From("192.0.2.1"), 1'950);
  for (int i = 0; i < 49; ++i) ASSERT_TRUE(counts.Enter(From("192.0.2.1"), kNow));
  EXPECT_FALSE(counts.Enter(From("192.0.2.1"), kNow));
  EXPECT_TRUE(counts.Enter(From("192.0.2.2"), kNow));
  counts.Charge(From("192.0.2.1"), 10'000);
  EXPECT_FALSE(counts.Enter(From("192.0.2.1"), kNow));
  EXPECT_TRUE(counts.Enter(From("192.0.2.1"), kNow + AddressCounts::kWindow));
}

TEST(AddressCounts, WithoutALimitLetsInAnyNumberAndKeepsNothing) {
  AddressCounts counts(0);
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(counts.Enter(From("192.0.2.1"), kNow));
  EXPECT_EQ(counts.address_count(), 0u);
  counts.Leave(From("192.0.2.1"));
}

TEST(AddressCounts, NeverLetsInMoreThanThatWhoeverComesAtOnce) {
  constexpr int kMost = 3;
  AddressCounts counts(kMost);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<int> rounds{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10'000; ++round) {
        // A window of its own for each round: what is held against is the number at a time.
        const absl::Duration now = kNow + ++rounds * AddressCounts::kWindow;
        if (!counts.Enter(From("2001:db8::1"), now)) continue;
        const int there = ++inside;
        int seen = most;
        while (seen < there && !most.compare_exchange_weak(seen, there)) {
        }
        --inside;
        counts.Leave(From("2001:db8::1"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(most, 1);
  EXPECT_LE(most, kMost);
  EXPECT_EQ(counts.address_count(), 1u);  // In the last window.
}

}  // namespace
}  // namespace millrace::server
