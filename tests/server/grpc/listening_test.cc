// Where the hub listens, and how many connections it takes, of all and of one address.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/grpc/connection_acceptor.h"
#include "server/grpc/guarded_connections.h"
#include "tests/support/test_hub.h"

namespace millrace::testing {
namespace {

using server::OwnedFd;

// `from` is any address of 127.0.0.0/8, all of which are this machine.
OwnedFd ConnectTo(int port, uint32_t from = INADDR_LOOPBACK) {
  OwnedFd connection(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(from);
  EXPECT_EQ(bind(connection.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
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
  const auto acceptor = server::ConnectionAcceptor::Bind(
      "[::]:0", {.connections = 10}, std::make_shared<server::RefusedConnections>("grpc", nullptr));
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

TEST(Listening, AConnectionOverTheLimitOfItsAddressIsClosedAtOnce) {
  storage::MemoryEngine engine;
  hub::Hub hub(engine, storage::Clock::System(), {});
  const auto server = server::GrpcServer::Start(
      hub, {.listen = "127.0.0.1:0", .max_connections_per_address = 2, .version = "x"});
  ASSERT_TRUE(server.ok()) << server.status();
  const int port = (*server)->port();
  const OwnedFd first = ConnectTo(port);
  OwnedFd second = ConnectTo(port);
  EXPECT_TRUE(IsServed(first));
  EXPECT_TRUE(IsServed(second));
  EXPECT_FALSE(IsServed(ConnectTo(port)));
  EXPECT_TRUE(IsServed(ConnectTo(port, INADDR_LOOPBACK + 1))) << "another address";

  second = OwnedFd();
  const absl::Time deadline = absl::Now() + absl::Seconds(kPatienceSeconds);
  while (!IsServed(ConnectTo(port))) ASSERT_LT(absl::Now(), deadline);
}

// The end of the connection, whatever comes before it.
bool IsCut(const OwnedFd& connection) {
  char bytes[1024];
  pollfd polled{connection.get(), POLLIN, 0};
  for (;;) {
    if (poll(&polled, 1, kPatienceSeconds * 1000) != 1) return false;
    if (recv(connection.get(), bytes, sizeof(bytes), 0) <= 0) return true;
  }
}

bool Send(const OwnedFd& connection, std::string_view bytes) {
  return send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

#ifndef MILLRACE_SANITIZED
TEST(Listening, ConnectionsAreGuarded) { EXPECT_TRUE(server::ConnectionsAreGuarded()); }

TEST(Listening, AConnectionWithAHeaderOfMegabytesIsCutAndCountsAsMany) {
  storage::MemoryEngine engine;
  hub::Hub hub(engine, storage::Clock::System(), {});
  const auto server = server::GrpcServer::Start(
      hub, {.listen = "127.0.0.1:0", .max_connections_per_address = 100, .version = "x"});
  ASSERT_TRUE(server.ok()) << server.status();
  // SETTINGS, and the beginning of HEADERS that are to be 1 MiB long, of which nothing comes.
  constexpr char kAttack[] =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\x10\0\0\1\4\0\0\0\1";
  for (int i = 0; i < 2; ++i) {
    const OwnedFd attacker = ConnectTo((*server)->port());
    ASSERT_TRUE(Send(attacker, {kAttack, sizeof(kAttack) - 1}));
    ASSERT_TRUE(IsCut(attacker));
  }
  EXPECT_FALSE(IsServed(ConnectTo((*server)->port())));
  EXPECT_TRUE(IsServed(ConnectTo((*server)->port(), INADDR_LOOPBACK + 1))) << "another address";
}

TEST(Listening, AConnectionThatHardlyLivedCountsAsTheCallsOverIt) {
  storage::MemoryEngine engine;
  hub::Hub hub(engine, storage::Clock::System(), {});
  const auto server = server::GrpcServer::Start(
      hub, {.listen = "127.0.0.1:0", .max_connections_per_address = 100, .version = "x"});
  ASSERT_TRUE(server.ok()) << server.status();
  // SETTINGS, and 100 calls of which only the beginning comes.
  constexpr char kHello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
  std::string calls(kHello, sizeof(kHello) - 1);
  for (int i = 0; i < 100; ++i) {
    const char call[] = {0, 0, 0, 1, 4, 0, 0, 0, static_cast<char>(2 * i + 1)};
    calls.append(call, sizeof(call));
  }
  for (int i = 0; i < 10; ++i) {
    const OwnedFd client = ConnectTo((*server)->port());
    ASSERT_TRUE(Send(client, calls));
    shutdown(client.get(), SHUT_WR);
    ASSERT_TRUE(IsCut(client));
  }
  // A client may see the end a moment before it is counted.
  int served = 0;
  while (served < 100 && IsServed(ConnectTo((*server)->port()))) ++served;
  EXPECT_LT(served, 100);
  EXPECT_TRUE(IsServed(ConnectTo((*server)->port(), INADDR_LOOPBACK + 1))) << "another address";
}
#endif

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
