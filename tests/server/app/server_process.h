// millrace-server as a child process whose standard error the test reads line by line.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

extern char** environ;

namespace millrace::testing {

constexpr std::chrono::seconds kProcessPatience(60);

// A directory of the test's own, removed with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    path_ = ::testing::TempDir() + "millrace-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no directory";
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// What became of a process.
struct Exit {
  int status = -1;  // -1: ended by `signal`.
  int signal = 0;
};

// Its web port is any that is free, unless the flags say otherwise; it is for few connections, so
// that no machine has too few descriptors, which would be logged.
class ServerProcess {
 public:
  explicit ServerProcess(std::vector<std::string> flags) {
    flags.insert(flags.begin(),
                 {MILLRACE_SERVER, "--web-listen", "127.0.0.1:0", "--web-max-connections", "100"});
    std::vector<char*> argv;
    for (std::string& flag : flags) argv.push_back(flag.data());
    argv.push_back(nullptr);
    int pipe_fds[2];
    if (pipe(pipe_fds) != 0) ADD_FAILURE() << "no pipe";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, pipe_fds[0]);
    posix_spawn_file_actions_addclose(&actions, pipe_fds[1]);
    EXPECT_EQ(posix_spawn(&pid_, MILLRACE_SERVER, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fds[1]);
    stderr_ = pipe_fds[0];
  }

  ~ServerProcess() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(stderr_);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Reads up to a line that contains `text`, and gives it; empty where standard error ends first.
  std::string AwaitLine(const std::string& text) {
    for (std::string line; ReadLine(line);) {
      if (line.find(text) != std::string::npos) return line;
    }
    ADD_FAILURE() << "never said: " << text;
    return "";
  }

  // The address, once the hub serves.
  std::string AwaitTarget() { return FieldOf(AwaitLine("hub started"), " listen="); }

  // What follows ` name=` in a line of the log.
  static std::string FieldOf(const std::string& line, const std::string& field) {
    const size_t begin = line.find(field) + field.size();
    return line.substr(begin, line.find(' ', begin) - begin);
  }

  void Signal(int signal) { kill(pid_, signal); }

  // Everything else that is said on standard error, up to its end.
  std::vector<std::string> ReadRest() {
    std::vector<std::string> lines;
    for (std::string line; ReadLine(line);) lines.push_back(line);
    return lines;
  }

  // Reads what is left and waits for the end.
  Exit Wait() {
    ReadRest();
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    if (WIFSIGNALED(status)) return {.status = -1, .signal = WTERMSIG(status)};
    return {.status = WEXITSTATUS(status), .signal = 0};
  }

 private:
  bool ReadLine(std::string& line) {
    size_t end;
    while ((end = buffer_.find('\n')) == std::string::npos) {
      pollfd polled{stderr_, POLLIN, 0};
      const auto patience = std::chrono::milliseconds(kProcessPatience).count();
      if (poll(&polled, 1, static_cast<int>(patience)) != 1) {
        ADD_FAILURE() << "silent for too long";
        return false;
      }
      char bytes[4096];
      const ssize_t size = read(stderr_, bytes, sizeof(bytes));
      if (size <= 0) return false;
      buffer_.append(bytes, static_cast<size_t>(size));
    }
    line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return true;
  }

  pid_t pid_ = -1;
  int stderr_ = -1;
  std::string buffer_;
};

}  // namespace millrace::testing
