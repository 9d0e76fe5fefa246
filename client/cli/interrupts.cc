#include "client/cli/interrupts.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <utility>

namespace millrace::cli {
namespace {

constexpr int kExitInterrupted = 130;

sigset_t Watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

void Raise(int event_fd) {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_fd, &one, sizeof(one));
}

}  // namespace

Interrupts::Interrupts()
    : requested_fd_(::eventfd(0, EFD_CLOEXEC)), stop_fd_(::eventfd(0, EFD_CLOEXEC)) {
  const sigset_t watched = Watched();
  ::pthread_sigmask(SIG_BLOCK, &watched, nullptr);
  signal_fd_ = ::signalfd(-1, &watched, SFD_CLOEXEC);
  watcher_ = std::thread([this] { Watch(); });
}

Interrupts::~Interrupts() {
  Raise(stop_fd_);
  watcher_.join();
  const sigset_t watched = Watched();
  ::pthread_sigmask(SIG_UNBLOCK, &watched, nullptr);
  for (const int fd : {signal_fd_, requested_fd_, stop_fd_}) ::close(fd);
}

void Interrupts::Notify(std::function<void()> on_request) {
  const std::lock_guard lock(mutex_);
  on_request_ = std::move(on_request);
  if (requested_ && on_request_) on_request_();
}

void Interrupts::Watch() {
  for (;;) {
    std::array<pollfd, 2> ready = {{{signal_fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0) continue;
    if (ready[1].revents != 0) return;
    signalfd_siginfo info{};
    if (::read(signal_fd_, &info, sizeof(info)) != sizeof(info)) continue;
    if (requested_) ::_exit(kExitInterrupted);
    Request();
  }
}

void Interrupts::Request() {
  const std::lock_guard lock(mutex_);
  requested_ = true;
  Raise(requested_fd_);
  if (on_request_) on_request_();
}

}  // namespace millrace::cli
