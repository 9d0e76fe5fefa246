// Which WINDOW_UPDATEs a connection keeps back, and when they go.
#include "server/grpc/window_updates.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include "server/grpc/guarded_connections.h"

namespace millrace::server {
namespace {

constexpr uint8_t kSettings = 4;
constexpr uint8_t kWindowUpdate = 8;
constexpr uint32_t kMostKept = 16 << 10;

std::string Number(uint64_t number, int bytes) {
  std::string text;
  while (bytes > 0) text += static_cast<char>(number >> (8 * --bytes));
  return text;
}

std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
  return Number(payload.size(), 3) + Number(type, 1) + Number(flags, 1) + Number(stream, 4) +
         payload;
}

std::string Update(uint32_t stream, uint32_t increment) {
  return Frame(kWindowUpdate, 0, stream, Number(increment, 4));
}

std::string Settings(uint32_t initial_window) {
  return Frame(kSettings, 0, 0,
               Number(5, 2) + Number(16'384, 4) + Number(4, 2) + Number(initial_window, 4));
}

std::string Message(size_t size, uint8_t flags = 0) {
  return Frame(kHttp2Data, flags, 1, std::string(size, 'x'));
}

class WindowUpdatesTest : public testing::Test {
 protected:
  WindowUpdatesTest() { updates_.Sent(Frame(kSettings, 0, 0, "")); }

  bool MustGoBefore(std::string_view bytes) {
    const std::vector<std::string_view> parts = {bytes};
    return updates_.MustGoBefore(parts);
  }

  WindowUpdates updates_;
};

TEST_F(WindowUpdatesTest, AreAddedUpUntilTheyAreAQuarterOfTheSmallestWindow) {
  updates_.Sent(Settings(40'000));
  int kept = 0;
  while (updates_.Keep(Update(0, 1'000) + Update(1, 1'000))) ++kept;
  EXPECT_EQ(kept, 10);
  EXPECT_TRUE(MustGoBefore(Update(0, 1'000) + Update(1, 1'000)));
  EXPECT_EQ(updates_.Take(), Update(0, 10'000) + Update(1, 10'000));
  EXPECT_FALSE(updates_.keeps_any());
  EXPECT_TRUE(updates_.Keep(Update(0, 1'000) + Update(1, 1'000)));
}

TEST_F(WindowUpdatesTest, AreNeverKeptBeyondAFewKilobytes) {
  updates_.Sent(Settings(1 << 30));
  EXPECT_FALSE(updates_.Keep(Update(1, kMostKept + 1)));
  EXPECT_FALSE(updates_.Keep(Update(1, 0x7fff'ffff)));
  EXPECT_TRUE(updates_.Keep(Update(1, kMostKept)));
  EXPECT_FALSE(updates_.Keep(Update(1, 1)));
}

TEST_F(WindowUpdatesTest, GoBeforeTheWindowsShrink) {
  ASSERT_TRUE(updates_.Keep(Update(1, 5'000)));
  EXPECT_FALSE(MustGoBefore(Message(10)));
  EXPECT_TRUE(MustGoBefore(Settings(128)));
  EXPECT_TRUE(MustGoBefore(Message(10) + Settings(128)));
  EXPECT_FALSE(MustGoBefore(Frame(kSettings, kHttp2Ack, 0, "")));
  EXPECT_EQ(updates_.Take(), Update(1, 5'000));
  updates_.Sent(Settings(128));
  EXPECT_FALSE(updates_.Keep(Update(1, 33)));
  EXPECT_TRUE(updates_.Keep(Update(1, 32)));
}

TEST_F(WindowUpdatesTest, AreKeptOnlyWhenTheyStandAlone) {
  EXPECT_FALSE(updates_.Keep(Update(1, 100) + Message(10)));
  EXPECT_FALSE(updates_.Keep(Message(10)));
  EXPECT_FALSE(updates_.Keep(""));
  EXPECT_FALSE(updates_.Keep(Update(1, 100).substr(0, 12)));
}

TEST_F(WindowUpdatesTest, AreNotTakenForWhatIsInAMessage) {
  const std::string message = Frame(kHttp2Data, 0, 1, Update(1, 100) + "x");
  updates_.Sent(message.substr(0, 9));
  EXPECT_FALSE(updates_.Keep(Update(1, 100)));
  updates_.Sent(message.substr(9));
  EXPECT_TRUE(updates_.Keep(Update(1, 100)));
}

TEST_F(WindowUpdatesTest, AreDroppedWithTheirStream) {
  ASSERT_TRUE(updates_.Keep(Update(0, 100) + Update(1, 100) + Update(3, 100)));
  updates_.Sent(Message(10, kHttp2EndStream));
  EXPECT_EQ(updates_.Take(), Update(0, 100) + Update(3, 100));
}

TEST_F(WindowUpdatesTest, OfManyStreamsAreNotKept) {
  uint32_t stream = 1;
  while (updates_.Keep(Update(stream, 100))) stream += 2;
  EXPECT_EQ(stream, 33u);
}

TEST(WindowUpdates, AreNotKeptBeforeTheSettings) {
  WindowUpdates updates;
  EXPECT_FALSE(updates.Keep(Update(1, 100)));
}

TEST(WindowUpdates, AreNotKeptAfterSettingsThatCannotBeRead) {
  WindowUpdates updates;
  const std::string settings = Settings(128);
  updates.Sent(settings.substr(0, 12));
  updates.Sent(settings.substr(12));
  EXPECT_FALSE(updates.Keep(Update(1, 1)));
}

// ---- On a connection

class SentOnAConnection : public testing::Test {
 protected:
  void SetUp() override {
    if (!ConnectionsAreGuarded()) GTEST_SKIP() << "a sanitizer defines sendmsg";
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets_.data()), 0);
    ASSERT_TRUE(GuardConnection(sockets_[0], {}));
    ASSERT_EQ(Send({Frame(kSettings, 0, 0, "")}), 9);
    ASSERT_EQ(Received(), Frame(kSettings, 0, 0, ""));
  }

  ~SentOnAConnection() override {
    for (const int socket : sockets_) {
      if (socket >= 0) close(socket);
    }
  }

  ssize_t Send(std::vector<std::string> parts) {
    std::vector<iovec> buffers;
    for (std::string& part : parts) buffers.push_back({part.data(), part.size()});
    msghdr message{};
    message.msg_iov = buffers.data();
    message.msg_iovlen = buffers.size();
    return sendmsg(sockets_[0], &message, MSG_NOSIGNAL);
  }

  // All that is there.
  std::string Received() {
    std::string all;
    std::array<char, 65'536> buffer;
    for (ssize_t size; (size = read(sockets_[1], buffer.data(), buffer.size())) > 0;) {
      all.append(buffer.data(), static_cast<size_t>(size));
    }
    return all;
  }

  std::array<int, 2> sockets_ = {-1, -1};
};

TEST_F(SentOnAConnection, SmallUpdatesGoTogetherWithTheOneThatIsTooMuch) {
  for (int i = 0; i < 15; ++i) ASSERT_EQ(Send({Update(0, 1'024), Update(1, 1'024)}), 26);
  EXPECT_EQ(Send({Message(10)}), 19);
  EXPECT_EQ(Received(), Message(10)) << "nothing but it";
  EXPECT_EQ(Send({Update(0, 1'024), Update(1, 1'024)}), 26);
  EXPECT_EQ(Received(),
            Update(0, 15'360) + Update(1, 15'360) + Update(0, 1'024) + Update(1, 1'024));
}

TEST_F(SentOnAConnection, WhatTheSocketHasNoRoomForIsAskedForAgain) {
  const std::string update = Update(1, 16'000);
  ASSERT_EQ(Send({update}), 13);
  std::string filling;
  const std::string message = Message(1'000);
  ssize_t sent = 0;
  std::string rest = message;
  while ((sent = Send({rest})) > 0) {
    filling += rest.substr(0, static_cast<size_t>(sent));
    rest.erase(0, static_cast<size_t>(sent));
    if (rest.empty()) rest = message;
  }
  ASSERT_EQ(errno, EAGAIN);
  EXPECT_TRUE(Received() == filling);
  std::string expected;
  if (rest.size() < message.size()) {
    ASSERT_EQ(Send({rest}), static_cast<ssize_t>(rest.size()));
    expected += rest;
  }
  ASSERT_EQ(Send({update}), 13);
  expected += update + update;
  EXPECT_TRUE(Received() == expected) << "what was kept, and what was too much with it";
}

}  // namespace
}  // namespace millrace::server
