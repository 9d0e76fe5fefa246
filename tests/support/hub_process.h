// The real hub as a process of its own, in a directory of its own, which a test can kill.
//
// Threads: one at a time.
#pragma once

#include <sys/types.h>

#include <string>

namespace millrace::testing {

class HubProcess {
 public:
  // `program` is the path of millrace-server. Starts it on this port, or on a free one. (A free one
  // is of those that the kernel gives to clients, too: one of theirs may have it while the hub is
  // away. Whoever kills it hundreds of times had better choose another.)
  explicit HubProcess(std::string program, int port = 0);
  ~HubProcess();  // Kills it and removes the directory.
  HubProcess(const HubProcess&) = delete;
  HubProcess& operator=(const HubProcess&) = delete;

  std::string target() const;  // HOST:PORT, the same over restarts.

  bool Kill();  // SIGKILL, as kill -9. False: it had ended before.
  // SIGTERM; gives the exit status.
  int Stop();
  // On the same port and data. Waits until it serves.
  void Start();
  // The two halves of Start, for whoever kills it before it serves.
  void Launch();
  void AwaitServing();
  // SIGTERM, and does not wait: it drains.
  void Terminate();

  // Where its data and its log are.
  const std::string& directory() const { return directory_; }

 private:
  int Wait();

  const std::string program_;
  std::string directory_;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace millrace::testing
