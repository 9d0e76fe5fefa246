#include "server/grpc/connection_acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "server/hub/timer_queue.h"

namespace millrace::server {
namespace {

// How long to let connections wait when there is no descriptor for them.
constexpr int kOutOfDescriptorsMs = 100;
constexpr absl::Duration kSweepInterval = absl::Milliseconds(50);

void SetOption(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof(value));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> ConnectionAcceptor::Bind(
    const std::string& address, int max_connections) {
  auto listening = Listen(address);
  if (!listening.ok()) return listening.status();
  return std::unique_ptr<ConnectionAcceptor>(
      new ConnectionAcceptor(*std::move(listening), max_connections));
}

ConnectionAcceptor::ConnectionAcceptor(ListeningSockets listening, int max_connections)
    : listeners_(std::move(listening.sockets)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      port_(listening.port),
      max_connections_(static_cast<size_t>(max_connections)) {}

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
  for (;;) {
    OwnedFd connection(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection.get() < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      out_of_descriptors_ |= IsOutOfDescriptors(errno);
      return;
    }
    struct stat status {};
    if (!HasRoom() || fstat(connection.get(), &status) != 0) continue;
    SetOption(connection.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    connections_.push_back({connection.get(), status.st_ino});
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.listener_fd = listener;
    parameters.fd = connection.Release();
    server_->HandleNewConnection(&parameters);
  }
}

bool ConnectionAcceptor::HasRoom() {
  if (connections_.size() < max_connections_) return true;
  const absl::Duration now = hub::MonotonicNow();
  if (now - last_sweep_ < kSweepInterval) return false;
  last_sweep_ = now;
  // gRPC does not tell when it closes a connection; its descriptor is another file then, or none.
  std::erase_if(connections_, [](const Connection& connection) {
    struct stat status {};
    return fstat(connection.fd, &status) != 0 || status.st_ino != connection.inode;
  });
  return connections_.size() < max_connections_;
}

}  // namespace millrace::server
