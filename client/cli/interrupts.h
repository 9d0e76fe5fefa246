// Ctrl-C and SIGTERM as a request to finish in good order.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace millrace::cli {

// While one lives, the first SIGINT or SIGTERM only sets requested(); a second one ends the process
// at once with exit code 130. Make it before any other thread is started, and only one at a time.
// Threads: any.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  bool requested() const { return requested_.load(); }

  // Readable once an interrupt was requested; to be polled beside other input.
  int fd() const { return requested_fd_; }

  // Calls `on_request` from a thread of its own when an interrupt is requested, or at once where it
  // has been. Null: no longer.
  void Notify(std::function<void()> on_request);

 private:
  void Watch();
  void Request();

  int signal_fd_;
  int requested_fd_;
  int stop_fd_;
  std::atomic<bool> requested_{false};
  std::mutex mutex_;
  std::function<void()> on_request_;  // Guarded by mutex_.
  std::thread watcher_;
};

}  // namespace millrace::cli
