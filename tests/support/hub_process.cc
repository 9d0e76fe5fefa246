#include "tests/support/hub_process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace millrace::testing {

HubProcess::HubProcess(std::string program, int port) : program_(std::move(program)), port_(port) {
  std::string name = (std::filesystem::temp_directory_path() / "millrace-hub-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  directory_ = name;
  Start();
}

HubProcess::~HubProcess() {
  Kill();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string HubProcess::target() const { return "127.0.0.1:" + std::to_string(port_); }

void HubProcess::Start() {
  Launch();
  AwaitServing();
}

void HubProcess::Launch() {
  const std::string port_file = directory_ + "/port";
  std::filesystem::remove(port_file);
  const std::string log = directory_ + "/hub.log";
  const std::string data = directory_ + "/data";
  const std::string listen = target();
  const std::vector<const char*> arguments = {
      program_.c_str(), "--data-dir",      data.c_str(),   "--listen",    listen.c_str(),
      "--port-file",    port_file.c_str(), "--web-listen", "127.0.0.1:0", nullptr};
  pid_ = fork();
  if (pid_ == 0) {
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, 1);
    dup2(out, 2);
    execv(program_.c_str(), const_cast<char* const*>(arguments.data()));
    _exit(127);
  }
}

void HubProcess::AwaitServing() {
  const std::string port_file = directory_ + "/port";
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!std::filesystem::exists(port_file)) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_ || std::chrono::steady_clock::now() > give_up) {
      throw std::runtime_error("the hub did not start, see its log in " + directory_);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::ifstream(port_file) >> port_;
}

int HubProcess::Wait() {
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return status;
}

bool HubProcess::Kill() {
  if (pid_ < 0) return false;
  kill(pid_, SIGKILL);
  const int status = Wait();
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

void HubProcess::Terminate() { kill(pid_, SIGTERM); }

int HubProcess::Stop() {
  Terminate();
  const int status = Wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace millrace::testing
