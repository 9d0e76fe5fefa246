#include "server/app/port_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace millrace::server {

absl::Status WritePortFile(const std::string& path, int port) {
  const std::string draft = absl::StrCat(path, ".", getpid(), ".tmp");
  std::ofstream file(draft, std::ios::trunc);
  file << port << "\n";
  file.close();
  if (file.fail() || std::rename(draft.c_str(), path.c_str()) != 0) {
    const std::string why = std::strerror(errno);
    unlink(draft.c_str());
    return absl::UnavailableError(absl::StrCat("cannot write the port to ", path, ": ", why));
  }
  return absl::OkStatus();
}

}  // namespace millrace::server
