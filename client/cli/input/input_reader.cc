#include "client/cli/input/input_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

namespace millrace::cli {
namespace {

constexpr size_t kPieceBytes = 256 << 10;

std::string SystemError() { return std::generic_category().message(errno); }

}  // namespace

absl::Status ReadAll(int fd, int interrupt_fd, const PieceSink& sink) {
  std::vector<char> buffer(kPieceBytes);
  for (;;) {
    std::array<pollfd, 2> ready = {{{fd, POLLIN, 0}, {interrupt_fd, POLLIN, 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0) continue;
    if (ready[1].revents != 0) return absl::OkStatus();
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return absl::OkStatus();
    if (got < 0) {
      if (errno == EINTR) continue;
      return absl::UnknownError("cannot read the input: " + SystemError());
    }
    if (absl::Status status = sink({buffer.data(), static_cast<size_t>(got)}); !status.ok()) {
      return status;
    }
  }
}

absl::Status ReadFile(const std::string& path, int interrupt_fd, const PieceSink& sink) {
  if (path == "-") return ReadAll(STDIN_FILENO, interrupt_fd, sink);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return absl::FailedPreconditionError("cannot read " + path + ": " + SystemError());
  }
  absl::Status status = ReadAll(fd, interrupt_fd, sink);
  ::close(fd);
  return status;
}

}  // namespace millrace::cli
