// Makes a log usable that has lost records which were acknowledged, after a person accepted that.
//
// No offset that may have been acknowledged is ever given to another record: where records are
// missing a gap stays, and reading across it answers DATA_LOSS. Committed offsets that lie beyond
// the end of a partition are moved back to it. The log epoch rises, so that readers learn of it.
// What else the lost writes did is undone: a topic may be missing, and a producer may not be known,
// so that its repetition of a lost write is stored and one of a kept write may be stored again.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/lost_range.h"
#include "storage/rocksdb/witness_files.h"

namespace millrace::storage {

// Reads every batch of every partition, so it takes as long as the disk needs for all of it. The
// database was opened with skip_damaged_log, and nobody else uses it. Answers what is missing or
// damaged; it is on stable storage then. Errors are for a person: kDataLoss if the catalogue cannot
// be read, else as the disk refuses it.
absl::StatusOr<std::vector<LostRange>> RepairLog(Database& database,
                                                 const std::optional<WitnessedLog>& witnessed);

}  // namespace millrace::storage
