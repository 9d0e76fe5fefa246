#include "storage/rocksdb/checkpoint.h"

#include <rocksdb/utilities/checkpoint.h>

#include <filesystem>
#include <memory>
#include <system_error>

#include "storage/error.h"
#include "storage/rocksdb/data_directory.h"

namespace millrace::storage {
namespace {

absl::Status MakeDirectory(const std::filesystem::path& directory) {
  const auto invalid = [&](const std::string& why) {
    return Error(Reason::kInvalidDirectory, "no checkpoint in " + directory.string() + ": " + why,
                 {{"directory", directory.string()}});
  };
  if (!directory.is_absolute()) return invalid("the path is not absolute");
  std::error_code error;
  const bool made = std::filesystem::create_directory(directory, error);
  if (error) return invalid(error.message());
  return made ? absl::OkStatus() : invalid("it is there already");
}

absl::Status Fill(Database& database, const std::string& directory) {
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(&database.db(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(directory + "/db");
  if (!status.ok()) return ToStatus(status, "no checkpoint can be made");
  // Last, for without it the copy is refused.
  const absl::Status sealed = DataDirectory::SealCheckpoint(directory);
  if (!sealed.ok()) return Error(Reason::kStorageFailed, std::string(sealed.message()));
  return absl::OkStatus();
}

int64_t BytesUnder(const std::string& directory) {
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += static_cast<int64_t>(entry.file_size());
  }
  return bytes;
}

}  // namespace

absl::StatusOr<int64_t> CreateCheckpoint(Database& database, const std::string& directory) {
  if (auto status = MakeDirectory(directory); !status.ok()) return status;
  if (auto status = Fill(database, directory); !status.ok()) {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
    return status;
  }
  return BytesUnder(directory);
}

}  // namespace millrace::storage
