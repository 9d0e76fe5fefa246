#include "server/app/stop_signals.h"

#include <pthread.h>

#include <csignal>

#include "absl/time/clock.h"

namespace millrace::server {
namespace {

sigset_t TheSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t signals = TheSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

const char* StopSignals::Wait(absl::Duration patience) {
  const sigset_t signals = TheSignals();
  const timespec timeout = absl::ToTimespec(patience);
  switch (sigtimedwait(&signals, nullptr, &timeout)) {
    case SIGTERM:
      return "SIGTERM";
    case SIGINT:
      return "SIGINT";
    default:
      return nullptr;
  }
}

void StopSignals::LetThemKill() {
  const sigset_t signals = TheSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace millrace::server
