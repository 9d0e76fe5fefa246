// How many streams one address may have open.
#include "server/sockets/address_streams.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <atomic>
#include <thread>
#include <vector>

namespace millrace::server {
namespace {

PeerNetwork From(uint32_t ipv4) {
  sockaddr_storage address{};
  auto& of_ipv4 = reinterpret_cast<sockaddr_in&>(address);
  of_ipv4.sin_family = AF_INET;
  of_ipv4.sin_addr.s_addr = htonl(ipv4);
  return PeerNetwork(address);
}

TEST(AddressStreams, LetsSoManyOfEachAddressBeOpen) {
  AddressStreams streams(2);
  const auto one = streams.Of(From(1));
  const auto same = streams.Of(From(1));
  EXPECT_EQ(one, same);
  EXPECT_TRUE(one->Enter());
  EXPECT_TRUE(same->Enter());
  EXPECT_FALSE(one->Enter());
  EXPECT_TRUE(streams.Of(From(2))->Enter());
  same->Leave(2);
  EXPECT_TRUE(one->Enter());
  EXPECT_TRUE(one->Enter());
  EXPECT_FALSE(one->Enter());
}

TEST(AddressStreams, WithoutALimitCountsNothing) {
  AddressStreams streams(0);
  EXPECT_EQ(streams.Of(From(1)), nullptr);
  EXPECT_EQ(streams.address_count(), 0u);
}

TEST(AddressStreams, ForgetsAddressesThatAreGoneAndKeepsTheOthers) {
  AddressStreams streams(1);
  const auto kept = streams.Of(From(0));
  ASSERT_TRUE(kept->Enter());
  for (uint32_t i = 1; i < 10'000; ++i) ASSERT_TRUE(streams.Of(From(i))->Enter());
  EXPECT_LT(streams.address_count(), 200u);
  EXPECT_FALSE(streams.Of(From(0))->Enter());
}

TEST(AddressStreams, NeverLetsMoreBeOpenWhoeverComesAtOnce) {
  constexpr int kMost = 3;
  AddressStreams streams(kMost);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10'000; ++round) {
        const auto of_address = streams.Of(From(1));
        if (!of_address->Enter()) continue;
        const int there = ++inside;
        int seen = most;
        while (seen < there && !most.compare_exchange_weak(seen, there)) {
        }
        --inside;
        of_address->Leave(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(most, 1);
  EXPECT_LE(most, kMost);
}

}  // namespace
}  // namespace millrace::server
