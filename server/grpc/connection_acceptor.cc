#include "server/grpc/connection_acceptor.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "server/hub/timer_queue.h"

namespace millrace::server {
namespace {

constexpr int kBacklog = 4096;
constexpr int kPortAttempts = 16;
// How long to let connections wait when there is no descriptor for them.
constexpr int kOutOfDescriptorsMs = 100;
constexpr absl::Duration kSweepInterval = absl::Milliseconds(50);

struct HostPort {
  std::string host;
  std::string port;
};

absl::Status CannotListen(const std::string& address, const std::string& why) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", why));
}

absl::StatusOr<HostPort> Split(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return CannotListen(address, "it is no HOST:PORT");
  HostPort result{address.substr(0, colon), address.substr(colon + 1)};
  if (result.host.size() > 1 && result.host.front() == '[' && result.host.back() == ']') {
    result.host = result.host.substr(1, result.host.size() - 2);
  }
  return result;
}

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

absl::StatusOr<Addresses> Resolve(const std::string& address) {
  const auto parts = Split(address);
  if (!parts.ok()) return parts.status();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(parts->host.c_str(), parts->port.c_str(), &hints, &found);
  if (error != 0) return CannotListen(address, gai_strerror(error));
  return Addresses(found, &freeaddrinfo);
}

void SetOption(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof(value));
}

bool IsEveryAddress(const sockaddr_in6& address) {
  return IN6_IS_ADDR_UNSPECIFIED(&address.sin6_addr);
}

// Listens on one address; gives the errno where that fails.
int ListenOn(const addrinfo& info, int port, OwnedFd& listener) {
  sockaddr_storage address{};
  std::memcpy(&address, info.ai_addr, info.ai_addrlen);
  listener = OwnedFd(socket(info.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (listener.get() < 0) return errno;
  SetOption(listener.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (info.ai_family == AF_INET6) {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(address);
    // [::] takes IPv4 in, too; any other address is itself alone.
    SetOption(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, IsEveryAddress(ipv6) ? 0 : 1);
    if (port != 0) ipv6.sin6_port = htons(static_cast<uint16_t>(port));
  } else if (port != 0) {
    reinterpret_cast<sockaddr_in&>(address).sin_port = htons(static_cast<uint16_t>(port));
  }
  if (bind(listener.get(), reinterpret_cast<sockaddr*>(&address), info.ai_addrlen) != 0) {
    return errno;
  }
  return listen(listener.get(), kBacklog) == 0 ? 0 : errno;
}

int PortOf(int listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

// A machine without IPv6, say: its other addresses are enough.
bool IsMissingFamily(int error) { return error == EAFNOSUPPORT || error == EADDRNOTAVAIL; }

// Listens on all addresses on one port; gives the errno of the first that fails.
int ListenOnAll(const addrinfo* addresses, std::vector<OwnedFd>& listeners, int& port) {
  int missing = EADDRNOTAVAIL;
  port = 0;
  for (const addrinfo* info = addresses; info != nullptr; info = info->ai_next) {
    OwnedFd listener;
    const int error = ListenOn(*info, port, listener);
    if (error == 0) {
      port = PortOf(listener.get());
      listeners.push_back(std::move(listener));
    } else if (IsMissingFamily(error)) {
      missing = error;
    } else {
      return error;
    }
  }
  return listeners.empty() ? missing : 0;
}

bool IsOutOfDescriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> ConnectionAcceptor::Bind(
    const std::string& address, int max_connections) {
  const auto addresses = Resolve(address);
  if (!addresses.ok()) return addresses.status();
  const bool any_port = address.substr(address.rfind(':') + 1) == "0";
  int error = 0;
  // A port that is free on the first address may be taken on the next.
  for (int attempt = 0; attempt < (any_port ? kPortAttempts : 1); ++attempt) {
    std::vector<OwnedFd> listeners;
    int port = 0;
    error = ListenOnAll(addresses->get(), listeners, port);
    if (error == 0) {
      return std::unique_ptr<ConnectionAcceptor>(
          new ConnectionAcceptor(std::move(listeners), port, max_connections));
    }
    if (error != EADDRINUSE) break;
  }
  if (error == EADDRINUSE) return CannotListen(address, "another program listens there already");
  return CannotListen(address, std::strerror(error));
}

ConnectionAcceptor::ConnectionAcceptor(std::vector<OwnedFd> listeners, int port,
                                       int max_connections)
    : listeners_(std::move(listeners)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      port_(port),
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
