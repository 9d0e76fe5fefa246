// What RocksDB and the disk tell of themselves, for operators.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/engine_stats.h"
#include "storage/rocksdb/database.h"

namespace millrace::storage {

// RocksDB's main figures: memtables, files, what compactions are behind, caches, stalls of writes.
// Safe from any thread.
std::vector<EngineFigure> FiguresOf(Database& database);

// Absent where the disk cannot be asked.
std::optional<DiskStats> DiskStatsOf(const std::string& data_dir);

}  // namespace millrace::storage
