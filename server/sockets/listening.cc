#include "server/sockets/listening.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"

namespace millrace::server {
namespace {

constexpr int kBacklog = 4096;
constexpr int kPortAttempts = 16;

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

}  // namespace

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) close(fd_);
}

bool IsOutOfDescriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

absl::StatusOr<ListeningSockets> Listen(const std::string& address) {
  const auto addresses = Resolve(address);
  if (!addresses.ok()) return addresses.status();
  const bool any_port = address.substr(address.rfind(':') + 1) == "0";
  int error = 0;
  // A port that is free on the first address may be taken on the next.
  for (int attempt = 0; attempt < (any_port ? kPortAttempts : 1); ++attempt) {
    ListeningSockets listening;
    error = ListenOnAll(addresses->get(), listening.sockets, listening.port);
    if (error == 0) return listening;
    if (error != EADDRINUSE) break;
  }
  if (error == EADDRINUSE) return CannotListen(address, "another program listens there already");
  return CannotListen(address, std::strerror(error));
}

}  // namespace millrace::server
