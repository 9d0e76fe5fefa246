// Where a command writes its data.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace millrace::cli {

// Collects what is written and hands it to a file descriptor, which it does not own, in large
// pieces. The first error stays: everything after it is dropped and answers the same.
// SIGPIPE must be ignored by the process.
//
// One thread at a time.
class Output {
 public:
  explicit Output(int fd);

  // Errors: those of Flush, which is called whenever much has been collected.
  absl::Status Write(std::string_view text);

  // Hands everything over. Cancelled: the reader closed the pipe (see IsBrokenPipe). Unknown: any
  // other error of the system.
  absl::Status Flush();

 private:
  const int fd_;
  std::string pending_;
  absl::Status status_;
};

// Whether the error says that whoever read the output has gone, as `head` does: no failure.
bool IsBrokenPipe(const absl::Status& status);

}  // namespace millrace::cli
