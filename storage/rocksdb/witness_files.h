// The ack witness on disk: what the hub knows to be on stable storage, kept beside the log in two
// small files that are written in turn, so that one of them is whole at any time. witness.h says
// what it is for.
//
//   witness.0, witness.1:
//   bytes 0..7    checksum: XXH3 (64 bits, seed 0) over all bytes from 8 to the last end
//   bytes 8..15   format, 1
//   bytes 16..23  generation: the larger one counts
//   bytes 24..31  RocksDB's sequence number of the last write that was synced
//   bytes 32..39  the log epoch
//   bytes 40..55  the number of RocksDB's manifest, and its bytes
//   bytes 56..63  how many ends follow
//   bytes 64..    a partition and the offset after its last record, 8 bytes each
//
// Numbers are little-endian. What follows the ends is left from earlier and means nothing.
#pragma once

#include <rocksdb/file_system.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/rocksdb/database.h"
#include "storage/types.h"

namespace millrace::storage {

struct WitnessedLog {
  uint64_t sequence = 0;  // Of the last write that is on stable storage.
  LogEpoch log_epoch;
  ManifestSize manifest;  // It never gets shorter; a newer one has a larger number.
  // The offset after the last record on stable storage, of partitions that were written to since
  // the log was opened.
  absl::flat_hash_map<PartitionId, Offset> ends;
};

// For one thread at a time.
class WitnessFiles {
 public:
  WitnessFiles(std::shared_ptr<rocksdb::FileSystem> file_system, std::string data_dir);

  // The newer one of what is whole; absent if nothing is. STORAGE_FAILED if the disk does not give
  // what it has.
  absl::StatusOr<std::optional<WitnessedLog>> Load();

  // Replaces the older one, and waits for the disk. DISK_FULL, STORAGE_FAILED.
  absl::Status Store(const WitnessedLog& log);

 private:
  std::string PathOf(uint64_t generation) const;
  absl::StatusOr<std::optional<std::string>> Read(const std::string& path);
  rocksdb::IOStatus Make(const std::string& path, const std::string& content);
  rocksdb::IOStatus Overwrite(const std::string& path, const std::string& content);

  const std::shared_ptr<rocksdb::FileSystem> file_system_;
  const std::string data_dir_;
  uint64_t generation_ = 0;        // Of what was loaded or stored last.
  std::array<size_t, 2> sizes_{};  // Of the files as this object made them; 0: not yet.
};

}  // namespace millrace::storage
