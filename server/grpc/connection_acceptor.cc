#include "server/grpc/connection_acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/hub/timer_queue.h"

namespace millrace::server {
namespace {

// How long to let connections wait when there is no descriptor for them.
constexpr int kOutOfDescriptorsMs = 100;
// Before it is seen whether the other listeners, or Stop, have waited long enough.
constexpr int kAcceptedAtATime = 100;
constexpr absl::Duration kSweepInterval = absl::Milliseconds(50);
// Connections that an address may open less after an attack over one.
constexpr int64_t kCostOfAttack = 1'000;
constexpr absl::Duration kYoung = absl::Seconds(2);

void SetOption(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof(value));
}

// The same after a connection that is over, whatever has ended it: many calls over one that hardly
// lived cost as much as the connections to make them one by one.
int32_t CostOf(const GuardedEnd& end) {
  if (end.cut == ConnectionRefusal::kAttack) return kCostOfAttack;
  return end.age < kYoung ? static_cast<int32_t>(std::min(end.streams, kCostOfAttack)) : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> ConnectionAcceptor::Bind(
    const std::string& address, const Limits& limits, std::shared_ptr<RefusedConnections> refused) {
  auto listening = Listen(address);
  if (!listening.ok()) return listening.status();
  return std::unique_ptr<ConnectionAcceptor>(
      new ConnectionAcceptor(*std::move(listening), limits, std::move(refused)));
}

ConnectionAcceptor::ConnectionAcceptor(ListeningSockets listening, const Limits& limits,
                                       std::shared_ptr<RefusedConnections> refused)
    : listeners_(std::move(listening.sockets)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      port_(listening.port),
      limits_(limits),
      addresses_(std::make_shared<AddressCounts>(limits.connections_per_address)),
      streams_(limits.streams_per_address),
      refused_(std::move(refused)) {}

ConnectionAcceptor::~ConnectionAcceptor() { Stop(); }

void ConnectionAcceptor::Start(
    std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> server) {
  server_ = std::move(server);
  thread_ = std::thread([this] { Run(); });
}

void ConnectionAcceptor::Stop() {
  if (thread_.joinable()) {
    eventfd_write(wake_.get(), 1);
    thread_.join();
  }
  listeners_.clear();
  server_ = nullptr;
}

void ConnectionAcceptor::Run() {
  std::vector<pollfd> polled = {{wake_.get(), POLLIN, 0}};
  for (const OwnedFd& listener : listeners_) polled.push_back({listener.get(), POLLIN, 0});
  while (polled[0].revents == 0) {
    out_of_descriptors_ = false;
    for (size_t i = 1; i < polled.size(); ++i) {
      if (polled[i].revents != 0) AcceptFrom(polled[i].fd);
    }
    // Without a descriptor to take them, waiting connections would be announced without end.
    if (out_of_descriptors_) poll(polled.data(), 1, kOutOfDescriptorsMs);
    if (polled[0].revents == 0) poll(polled.data(), polled.size(), -1);
  }
}

void ConnectionAcceptor::AcceptFrom(int listener) {
  for (int i = 0; i < kAcceptedAtATime; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    OwnedFd connection(
        accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection.get() < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      out_of_descriptors_ |= IsOutOfDescriptors(errno);
      return;
    }
    struct stat status {};
    if (fstat(connection.get(), &status) != 0) continue;
    const PeerNetwork from(peer);
    if (const auto refusal = Refuse(from)) {
      refused_->Note(*refusal, from.ToString());
      continue;
    }
    connections_.push_back({connection.get(), status.st_ino, from});
    SetOption(connection.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    HandOver(listener, std::move(connection), GuardingOf(from));
  }
}

Guarding ConnectionAcceptor::GuardingOf(const PeerNetwork& from) {
  return {.limits = limits_.http2,
          .of_address = streams_.Of(from),
          .ended = [addresses = addresses_, refused = refused_, from](const GuardedEnd& end) {
            addresses->Charge(from, CostOf(end));
            if (end.cut) refused->Note(*end.cut, from.ToString());
          }};
}

void ConnectionAcceptor::HandOver(int listener, OwnedFd connection, Guarding guarding) {
  std::optional<GuardedTlsHandover> tls;
  if (limits_.tls) {
    tls.emplace(std::move(guarding));
  } else if (!GuardConnection(connection.get(), std::move(guarding))) {
    return;
  }
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
  parameters.listener_fd = listener;
  parameters.fd = connection.Release();
  server_->HandleNewConnection(&parameters);
}

std::optional<ConnectionRefusal> ConnectionAcceptor::Refuse(const PeerNetwork& from) {
  const auto enter = [&]() -> std::optional<ConnectionRefusal> {
    if (connections_.size() >= static_cast<size_t>(limits_.connections))
      return ConnectionRefusal::kLimit;
    if (!addresses_->Enter(from, hub::MonotonicNow())) return ConnectionRefusal::kAddressLimit;
    return std::nullopt;
  };
  std::optional<ConnectionRefusal> refusal = enter();
  if (refusal && Sweep()) refusal = enter();
  return refusal;
}

bool ConnectionAcceptor::Sweep() {
  const absl::Duration now = hub::MonotonicNow();
  if (now - last_sweep_ < kSweepInterval) return false;
  last_sweep_ = now;
  // gRPC does not tell when it closes a connection; its descriptor is another file then, or none.
  std::erase_if(connections_, [this](const Connection& connection) {
    struct stat status {};
    const bool open = fstat(connection.fd, &status) == 0 && status.st_ino == connection.inode;
    if (!open) addresses_->Leave(connection.from);
    return !open;
  });
  return true;
}

}  // namespace millrace::server
