#include "storage/rocksdb/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace millrace::storage {
namespace {

constexpr char kFormatWord[] = "millrace";
constexpr char kFormatFile[] = "/format";
constexpr char kCheckpointFile[] = "/checkpoint";

absl::Status Unusable(const std::string& path, const std::string& why) {
  return absl::PermissionDeniedError("the data directory " + path + " cannot be used: " + why);
}

absl::Status SyncDirectory(const std::string& path) {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return Unusable(path, std::strerror(errno));
  const bool synced = ::fsync(directory) == 0;
  const int why = errno;
  ::close(directory);
  return synced ? absl::OkStatus() : Unusable(path, std::strerror(why));
}

// The file is there with all of its text and on stable storage, or not there at all.
absl::Status WriteWhole(const std::string& path, const std::string& file, const std::string& text) {
  const std::string draft = path + file + ".new";
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return Unusable(path, std::strerror(errno));
  bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  written = ::fsync(fd) == 0 && written;
  const int why = errno;
  ::close(fd);
  if (!written) return Unusable(path, std::strerror(why));
  std::error_code error;
  std::filesystem::rename(draft, path + file, error);
  if (error) return Unusable(path, error.message());
  return SyncDirectory(path);
}

absl::Status WriteFormat(const std::string& path) {
  return WriteWhole(path, kFormatFile,
                    std::string(kFormatWord) + " " + std::to_string(kFormatVersion) + "\n");
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataDirectory>> DataDirectory::Open(const std::string& path) {
  if (path.empty()) return Unusable("''", "its name is empty");
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!std::filesystem::is_directory(path)) {
    return Unusable(path, error ? error.message() : "it is not a directory");
  }
  const std::string lock = path + "/lock";
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return Unusable(path, std::strerror(errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int why = errno;
    ::close(fd);
    if (why != EWOULDBLOCK) return Unusable(path, std::strerror(why));
    return absl::FailedPreconditionError("another hub uses the data directory " + path +
                                         ": stop it, or give this one its own directory");
  }
  std::unique_ptr<DataDirectory> directory(new DataDirectory(path, fd));
  if (auto status = directory->CheckFormat(); !status.ok()) return status;
  return directory;
}

DataDirectory::~DataDirectory() { ::close(lock_fd_); }

absl::Status DataDirectory::CheckFormat() {
  std::ifstream file(path_ + kFormatFile);
  if (!file) {
    if (!std::filesystem::exists(database_path())) return WriteFormat(path_);
    return absl::DataLossError("the data directory " + path_ +
                               " holds a log but no format file: it is not whole");
  }
  std::string word;
  int version = 0;
  if (!(file >> word >> version) || word != kFormatWord || version < 1) {
    return absl::DataLossError("the file " + path_ + "/format is damaged");
  }
  if (version > kFormatVersion) {
    return absl::UnimplementedError("the data directory " + path_ + " has format " +
                                    std::to_string(version) +
                                    ", and this hub reads formats up to " +
                                    std::to_string(kFormatVersion) + ": use a newer hub");
  }
  return absl::OkStatus();
}

bool DataDirectory::is_checkpoint() const {
  return std::filesystem::exists(path_ + kCheckpointFile);
}

absl::Status DataDirectory::ForgetCheckpoint() {
  std::error_code error;
  std::filesystem::remove(path_ + kCheckpointFile, error);
  if (error) return Unusable(path_, error.message());
  return SyncDirectory(path_);
}

absl::Status DataDirectory::SealCheckpoint(const std::string& path) {
  if (auto status = WriteWhole(path, kCheckpointFile, ""); !status.ok()) return status;
  return WriteFormat(path);
}

}  // namespace millrace::storage
