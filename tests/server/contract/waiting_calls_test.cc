// Calls that wait for a worker.
#include "server/contract/waiting_calls.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace millrace::server {
namespace {

TEST(WaitingCalls, HasSoManyPlacesForAnAddressWhateverItsPorts) {
  WaitingCalls calls;
  std::vector<std::shared_ptr<const void>> places;
  const auto enter = [&](const std::string& peer) {
    auto place = calls.Enter(peer);
    if (place.ok()) places.push_back(*std::move(place));
    return place.status();
  };
  for (int i = 0; i < WaitingCalls::kMost; ++i) {
    ASSERT_TRUE(enter("ipv4:192.0.2.1:" + std::to_string(i)).ok()) << i;
  }
  EXPECT_EQ(enter("ipv4:192.0.2.1:9").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(enter("ipv4:192.0.2.2:9").ok());
  EXPECT_TRUE(enter("ipv6:%5B2001:db8::1%5D:9").ok());
  EXPECT_TRUE(enter("ipv6:%5B2001:db8::2%5D:9").ok());
  places.erase(places.begin(), places.begin() + 2);
  EXPECT_TRUE(enter("ipv4:192.0.2.1:9").ok());
  EXPECT_TRUE(enter("ipv4:192.0.2.1:9").ok());
  EXPECT_FALSE(enter("ipv4:192.0.2.1:9").ok());
}

TEST(WaitingCalls, AreFewerWhenAPlaceIsGivenBackBeforeItsHolderIsGone) {
  WaitingCalls calls;
  std::vector<std::shared_ptr<const void>> places;
  for (int i = 0; i < WaitingCalls::kMost; ++i) places.push_back(*calls.Enter("ipv4:192.0.2.1:1"));
  for (auto& place : places) place = nullptr;
  for (auto& place : places) place = *calls.Enter("ipv4:192.0.2.1:1");
  EXPECT_FALSE(calls.Enter("ipv4:192.0.2.1:1").ok());
}

}  // namespace
}  // namespace millrace::server
