// What a log on the disk would come to if it were opened now, found out without changing a byte of
// it. Opening would: RocksDB writes out what its replay of the write-ahead log gave, and deletes
// what the replay did not reach.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/lost_range.h"
#include "storage/rocksdb/witness_files.h"

namespace millrace::storage {

// OK if the log in `path` can be opened and holds all that its witness vouches for. Reads the
// write-ahead log once; takes no memory to speak of. Nobody else may use the log meanwhile. Errors
// are sentences for a person:
//   kDataLoss      something is missing or damaged; it is named as far as it can be
//   kUnavailable   the disk does not let itself be read
absl::Status CheckAgainstWitness(const std::string& path, const DatabaseOptions& options,
                                 const WitnessedLog& witnessed);

}  // namespace millrace::storage
