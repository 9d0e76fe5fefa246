// Copies of a whole log, made while it is in use.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "storage/rocksdb/database.h"

namespace millrace::storage {

// As Engine::CreateCheckpoint. Safe from any thread; waits for the disk.
absl::StatusOr<int64_t> CreateCheckpoint(Database& database, const std::string& directory);

}  // namespace millrace::storage
