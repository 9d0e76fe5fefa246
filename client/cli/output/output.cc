#include "client/cli/output/output.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace millrace::cli {
namespace {

constexpr size_t kFlushBytes = 256 << 10;
constexpr std::string_view kBrokenPipe = "the reader of the output has gone";

absl::Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(written);
    } else if (errno == EPIPE) {
      return absl::CancelledError({kBrokenPipe.data(), kBrokenPipe.size()});
    } else if (errno != EINTR) {
      return absl::UnknownError("cannot write the output: " +
                                std::generic_category().message(errno));
    }
  }
  return absl::OkStatus();
}

}  // namespace

Output::Output(int fd) : fd_(fd) {}

absl::Status Output::Write(std::string_view text) {
  if (!status_.ok()) return status_;
  pending_ += text;
  return pending_.size() < kFlushBytes ? absl::OkStatus() : Flush();
}

absl::Status Output::Flush() {
  if (status_.ok()) status_ = WriteAll(fd_, pending_);
  pending_.clear();
  return status_;
}

bool IsBrokenPipe(const absl::Status& status) {
  const absl::string_view message = status.message();
  return absl::IsCancelled(status) &&
         std::string_view(message.data(), message.size()) == kBrokenPipe;
}

}  // namespace millrace::cli
