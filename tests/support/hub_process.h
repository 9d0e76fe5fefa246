// The real hub as a process of its own, in a directory of its own, which a test can kill.
//
// Threads: one at a time.
#pragma once

#include <sys/types.h>

#include <string>

namespace millrace::testing {

class HubProcess {
 public:
  // `program` is the path of millrace-server. Starts it on a free port.
  explicit HubProcess(std::string program);
  ~HubProcess();  // Kills it and removes the directory.
  HubProcess(const HubProcess&) = delete;
  HubProcess& operator=(const HubProcess&) = delete;

  std::string target() const;  // HOST:PORT, the same over restarts.

  void Kill();  // SIGKILL, as kill -9.
  // SIGTERM; gives the exit status.
  int Stop();
  // On the same port and data. Waits until it serves.
  void Start();

 private:
  int Wait();

  const std::string program_;
  std::string directory_;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace millrace::testing
