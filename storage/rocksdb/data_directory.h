// The directory that holds one hub's log: made if need be, locked against a second hub, and checked
// for the version of what is in it.
//
//   lock        locked while a hub runs
//   format      the version of everything else, as text
//   db/         RocksDB's files
//   witness.*   what is known to be on stable storage (witness_files.h)
//   checkpoint  there as long as the directory is a copy that no hub was opened on
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace millrace::storage {

// What this code writes, and the newest that it reads.
inline constexpr int kFormatVersion = 1;

// Holds the lock as long as it lives. Safe from any thread.
class DataDirectory {
 public:
  // Every error has a sentence for a person that names the directory:
  //   kPermissionDenied    it is no directory, or it cannot be made or written
  //   kFailedPrecondition  another hub uses it
  //   kUnimplemented       a newer version wrote it
  //   kDataLoss            the format file is not what any version wrote
  static absl::StatusOr<std::unique_ptr<DataDirectory>> Open(const std::string& path);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  // The last step of making a copy whose db/ is on stable storage: makes it one that Open takes.
  // Errors are for a person.
  static absl::Status SealCheckpoint(const std::string& path);

  // Whether this is a copy of another hub's log; no longer so after ForgetCheckpoint.
  bool is_checkpoint() const;
  absl::Status ForgetCheckpoint();

  const std::string& path() const { return path_; }
  std::string database_path() const { return path_ + "/db"; }

 private:
  DataDirectory(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}

  absl::Status CheckFormat();

  const std::string path_;
  const int lock_fd_;
};

}  // namespace millrace::storage
