// Where the hub listens, and how many connections it takes.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "server/grpc/connection_acceptor.h"
#include "tests/support/test_hub.h"

namespace millrace::testing {
namespace {

using server::OwnedFd;

OwnedFd ConnectTo(int port) {
  OwnedFd connection(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  EXPECT_EQ(connect(connection.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return connection;
}

// Waits for the first bytes, which are gRPC's, or for the end of the connection.
bool IsServed(const OwnedFd& connection) {
  pollfd polled{connection.get(), POLLIN, 0};
  EXPECT_EQ(poll(&polled, 1, kPatienceSeconds * 1000), 1);
  char byte;
  return recv(connection.get(), &byte, 1, 0) == 1;
}

hub::HubOptions WithConnections(int count) {
  hub::HubOptions options;
  options.limits.max_connections = count;
  return options;
}

TEST(Listening, ASecondHubOnThePortIsRefusedWithAClearMessage) {
  TestHub first;
  storage::MemoryEngine engine;
  hub::Hub second(engine, storage::Clock::System(), {});
  const std::string address = "localhost:" + std::to_string(first.server().port());
  const auto server = server::GrpcServer::Start(second, {.listen = address, .version = "x"});
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.status().message().find(address.c_str()), absl::string_view::npos)
      << server.status();
}

TEST(Listening, AnAddressThatIsNoneIsRefusedWithAClearMessage) {
  storage::MemoryEngine engine;
  hub::Hub hub(engine, storage::Clock::System(), {});
  const auto server =
      server::GrpcServer::Start(hub, {.listen = "no-such-host.invalid:1", .version = "x"});
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.status().message().find("no-such-host.invalid:1"), absl::string_view::npos);
}

TEST(Listening, EveryAddressTakesBothIPv6AndIPv4) {
  const auto acceptor = server::ConnectionAcceptor::Bind("[::]:0", 10);
  if (!acceptor.ok()) GTEST_SKIP() << acceptor.status();
  ConnectTo((*acceptor)->port());
  const OwnedFd connection(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  address.sin6_port = htons(static_cast<uint16_t>((*acceptor)->port()));
  EXPECT_EQ(connect(connection.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
}

TEST(Listening, AConnectionOverTheLimitIsClosedAtOnce) {
  TestHub hub(WithConnections(2));
  const int port = hub.server().port();
  const OwnedFd first = ConnectTo(port);
  OwnedFd second = ConnectTo(port);
  EXPECT_TRUE(IsServed(first));
  EXPECT_TRUE(IsServed(second));
  EXPECT_FALSE(IsServed(ConnectTo(port)));

  // Room is found again once gRPC has noticed that a connection is gone.
  second = OwnedFd();
  const absl::Time deadline = absl::Now() + absl::Seconds(kPatienceSeconds);
  while (!IsServed(ConnectTo(port))) ASSERT_LT(absl::Now(), deadline);
}

TEST(Listening, RunningOutOfDescriptorsIsNotTheEnd) {
  TestHub hub;
  const int port = hub.server().port();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  std::vector<OwnedFd> waiting;
  for (int i = 0; i < 4; ++i) waiting.emplace_back(ConnectTo(port));
  for (const OwnedFd& each : waiting) ASSERT_TRUE(IsServed(each));

  // A socket that is connected while the process has no descriptor left to accept it with.
  OwnedFd late(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(late.get());
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  EXPECT_EQ(connect(late.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  pollfd polled{late.get(), POLLIN, 0};
  EXPECT_EQ(poll(&polled, 1, 300), 0) << "accepted without a descriptor";
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(IsServed(late));
}

}  // namespace
}  // namespace millrace::testing
