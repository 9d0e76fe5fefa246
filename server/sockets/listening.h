// Listening sockets for whoever accepts connections of their own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace millrace::server {

// Closes a descriptor when it goes.
class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  ~OwnedFd();
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Sockets that listen and do not block, all on one port.
struct ListeningSockets {
  std::vector<OwnedFd> sockets;
  int port = 0;
};

// Listens on every address that HOST:PORT stands for, on one port; port 0: any that is free on all
// of them. A host is a name, an IPv4 address or an IPv6 address in brackets. Errors are sentences
// for a person.
absl::StatusOr<ListeningSockets> Listen(const std::string& address);

// Whether accept failed for want of a descriptor or of memory, which may pass.
bool IsOutOfDescriptors(int error);

}  // namespace millrace::server
