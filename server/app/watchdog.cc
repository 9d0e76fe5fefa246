#include "server/app/watchdog.h"

#include <utility>

namespace millrace::server {

Watchdog::Watchdog(absl::Duration patience, std::function<void()> bite)
    : thread_([this, patience, bite = std::move(bite)] {
        std::unique_lock lock(mutex_);
        const bool in_time = wake_.wait_for(lock, absl::ToChronoNanoseconds(patience),
                                            [this] { return called_off_; });
        if (!in_time) bite();
      }) {}

Watchdog::~Watchdog() {
  {
    std::lock_guard lock(mutex_);
    called_off_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

}  // namespace millrace::server
