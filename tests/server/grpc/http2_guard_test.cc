// What a client may send over HTTP/2, and what ends its connection.
#include "server/grpc/http2_guard.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace millrace::server {
namespace {

enum Type : uint8_t {
  kData,
  kHeaders,
  kPriority,
  kReset,
  kSettings,
  kPush,
  kPing,
  kGoAway,
  kWindow,
  kMore
};
constexpr uint8_t kNone = 0;
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kEndHeaders = 4;
constexpr absl::Duration kNow = absl::Hours(1);
constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string Frame(Type type, uint8_t flags, uint32_t stream, size_t size) {
  std::string frame;
  for (const int shift : {16, 8, 0}) frame += static_cast<char>(size >> shift);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(stream >> shift);
  // Bytes which, taken for the header of a frame, would be RST_STREAM or PING without end.
  for (size_t i = 0; i < size; ++i) frame += i % 2 == 0 ? '\3' : '\0';
  return frame;
}

// A connection that has said hello.
class Greeted {
 public:
  explicit Greeted(const Http2Limits& limits = {},
                   std::shared_ptr<AddressStreams::OfAddress> of_address = nullptr)
      : guard_(limits, std::move(of_address)) {
    EXPECT_TRUE(Send(kPreface + Frame(kSettings, kNone, 0, 0)));
  }

  bool Send(const std::string& bytes, absl::Duration now = kNow) {
    return guard_.Admit(bytes, now);
  }

  void Receive(const std::string& bytes) { guard_.Sent(bytes); }

  std::optional<ConnectionRefusal> refusal() const { return guard_.refusal(); }

  // How many of these go through before one does not, of `most`.
  int Send(int most, const std::string& bytes, absl::Duration now = kNow) {
    int sent = 0;
    while (sent < most && Send(bytes, now)) ++sent;
    return sent;
  }

 private:
  Http2Guard guard_;
};

std::string Call(int number, size_t header_bytes = 50) {
  return Frame(kHeaders, kEndHeaders, 2 * static_cast<uint32_t>(number) + 1, header_bytes);
}

TEST(Http2Guard, AnOrdinaryConnectionGoesOnHoweverItsBytesAreCut) {
  std::string bytes = kPreface + Frame(kSettings, kNone, 0, 6) + Frame(kSettings, kAck, 0, 0);
  for (int i = 0; i < 900; ++i) {
    bytes += Call(i) + Frame(kData, kNone, 2 * static_cast<uint32_t>(i) + 1, 300) +
             Frame(kWindow, kNone, 0, 4);
  }
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{8'192}, bytes.size()}) {
    Http2Guard guard({}, nullptr);
    for (size_t at = 0; at < bytes.size(); at += piece) {
      ASSERT_TRUE(guard.Admit(std::string_view(bytes).substr(at, piece), kNow)) << at;
    }
  }
}

TEST(Http2Guard, AHeaderBlockMayBeAsLongAsTheLimit) {
  Greeted client({.header_block_bytes = 40'000});
  for (int i = 0; i < 10; ++i) {
    const uint32_t stream = 2 * static_cast<uint32_t>(i) + 1;
    EXPECT_TRUE(client.Send(Frame(kHeaders, kNone, stream, 16'384) +
                            Frame(kMore, kNone, stream, 16'384) +
                            Frame(kMore, kEndHeaders, stream, 40'000 - 2 * 16'384)));
  }
}

TEST(Http2Guard, ALongerHeaderBlockEndsTheConnectionBeforeItHasCome) {
  Greeted client({.header_block_bytes = 40'000});
  EXPECT_TRUE(client.Send(Frame(kHeaders, kNone, 1, 16'384)));
  EXPECT_TRUE(client.Send(Frame(kMore, kNone, 1, 16'384)));
  EXPECT_FALSE(client.Send(Frame(kMore, kEndHeaders, 1, 40'001 - 2 * 16'384).substr(0, 9)));
  EXPECT_FALSE(client.Send(Frame(kSettings, kNone, 0, 0))) << "it goes on afterwards";
}

TEST(Http2Guard, ManySmallPiecesOfAHeaderBlockEndTheConnection) {
  Greeted client({.header_block_bytes = 64 << 10});
  EXPECT_TRUE(client.Send(Frame(kHeaders, kNone, 1, 100)));
  EXPECT_EQ(client.Send(1'000, Frame(kMore, kNone, 1, 0)), 7);
}

TEST(Http2Guard, AClientThatHasNotReadTheSettingsMayOpenSoManyStreams) {
  Greeted client({.streams_unacknowledged = 100});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(client.Send(Call(i)));
  EXPECT_TRUE(client.Send(Call(99))) << "trailers open none";
  EXPECT_FALSE(client.Send(Call(100)));
}

TEST(Http2Guard, CountsTheStreamsAndNotTheirTrailers) {
  Http2Guard guard({}, nullptr);
  std::string bytes = kPreface + Frame(kSettings, kNone, 0, 0);
  for (int i = 0; i < 3; ++i) bytes += Call(i) + Call(i) + Frame(kReset, kNone, 1, 4);
  ASSERT_TRUE(guard.Admit(bytes, kNow));
  EXPECT_EQ(guard.streams(), 3);
}

TEST(Http2Guard, OneThatHasReadThemMayOpenAnyNumberOfWhichSoManyAreOpen) {
  Greeted client({.streams_unacknowledged = 100, .streams = 150});
  ASSERT_TRUE(client.Send(Frame(kSettings, kAck, 0, 0)));
  for (int i = 0; i < 150; ++i) ASSERT_TRUE(client.Send(Call(i)));
  for (int i = 150; i < 10'000; ++i) {
    const uint32_t ended = 2 * static_cast<uint32_t>(i - 150) + 1;
    client.Receive(Frame(kHeaders, kEndHeaders, ended, 20) + Frame(kData, kNone, ended, 30));
    // Trailers, the end of the last message, or RST_STREAM.
    client.Receive(i % 3 == 0   ? Frame(kHeaders, kEndHeaders | kEndStream, ended, 10)
                   : i % 3 == 1 ? Frame(kData, kEndStream, ended, 10)
                                : Frame(kReset, kNone, ended, 4));
    client.Receive(Frame(kReset, kNone, ended, 4));  // It ends once.
    ASSERT_TRUE(client.Send(Call(i))) << i;
  }
  client.Receive(Frame(kHeaders, kEndHeaders, 19'999, 20));
  EXPECT_FALSE(client.Send(Call(10'000)));
  EXPECT_EQ(client.refusal(), ConnectionRefusal::kAttack);
}

TEST(Http2Guard, AnEndThatIsBeingSentIsWaitedFor) {
  Http2Guard guard({.streams = 1}, nullptr);
  ASSERT_TRUE(guard.Admit(kPreface + Frame(kSettings, kNone, 0, 0) + Call(0), kNow));
  std::atomic<bool> judged{false};
  std::thread reader;
  {
    std::lock_guard sending(guard.sending());  // The client has the end, and opens the next.
    reader = std::thread([&] {
      EXPECT_TRUE(guard.Admit(Call(1), kNow));
      judged = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_FALSE(judged);
    guard.Sent(Frame(kHeaders, kEndHeaders | kEndStream, 1, 10));
  }
  reader.join();
}

TEST(Http2Guard, WhatTheClientTakesBackIsNotOpen) {
  Greeted client({.streams = 10});
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(client.Send(Call(i))) << i;
    ASSERT_TRUE(client.Send(Frame(kReset, kNone, 2 * static_cast<uint32_t>(i) + 1, 4)));
  }
}

TEST(Http2Guard, TheConnectionsOfAnAddressShareItsStreams) {
  AddressStreams addresses(10);
  sockaddr_storage address{};
  address.ss_family = AF_INET;
  const auto of_address = addresses.Of(PeerNetwork(address));
  Greeted one({}, of_address);
  {
    Greeted other({}, of_address);
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(other.Send(Call(i)));
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(one.Send(Call(i)));
    other.Receive(Frame(kData, kEndStream, 1, 0));
    ASSERT_TRUE(other.Send(Call(6)));
    EXPECT_FALSE(other.Send(Call(7)));
    EXPECT_EQ(other.refusal(), ConnectionRefusal::kStreamLimit);
  }
  // With a connection its streams end.
  for (int i = 4; i < 10; ++i) ASSERT_TRUE(one.Send(Call(i)));
  EXPECT_FALSE(one.Send(Call(10)));
}

TEST(Http2Guard, CallsMayBeTakenBackAtARateThatIsSavedUp) {
  Greeted client({.resets = {.first = 10, .per_second = 5, .most = 20}});
  const std::string reset = Frame(kReset, kNone, 1, 4);
  absl::Duration now = kNow;
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(client.Send(reset, now += absl::Milliseconds(200)));
  // There are still 10, and 5 more after a second; after an hour there are 20.
  EXPECT_EQ(client.Send(9, reset, now), 9);
  EXPECT_EQ(client.Send(5, reset, now + absl::Seconds(1)), 5);
  EXPECT_EQ(client.Send(100, reset, now + absl::Hours(1)), 20);
}

TEST(Http2Guard, CallsTakenBackAtOnceEndTheConnection) {
  Greeted client({.resets = {.first = 10, .per_second = 5, .most = 20}});
  EXPECT_EQ(client.Send(100, Call(0) + Frame(kReset, kNone, 1, 4)), 10);
}

TEST(Http2Guard, PingsAtOnceEndTheConnectionButNotAnswersToPings) {
  Greeted client({.pings = {.first = 10, .per_second = 5, .most = 10}});
  EXPECT_EQ(client.Send(1'000, Frame(kPing, kAck, 0, 8)), 1'000);
  EXPECT_EQ(client.Send(1'000, Frame(kPing, kNone, 0, 8)), 10);
}

}  // namespace
}  // namespace millrace::server
