// Keeps writes away from a full disk. RocksDB recovers badly from a write-ahead log that was cut
// short by a full disk, and what is in memtables needs room to be written out: so writes stop a
// little earlier, and go on by themselves when there is space again.
//
// For the committer's thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "storage/rocksdb/database.h"

namespace millrace::storage {

class DiskSpace {
 public:
  // Writes leave `reserve_bytes` free; 0 lets them go on until the disk refuses one.
  DiskSpace(Database& database, std::string path, int64_t reserve_bytes)
      : database_(database), path_(std::move(path)), reserve_bytes_(reserve_bytes) {}

  // Whether there is room for a write of so many bytes. Looks at the disk only now and then: the
  // reserve is for what happens between.
  bool HasRoomFor(int64_t bytes);

  // Whether there is room for a few rows, such as those that delete a topic.
  bool HasRoomForRows();

 private:
  int64_t FreeBytes() const;

  Database& database_;
  const std::string path_;
  const int64_t reserve_bytes_;
  int64_t granted_bytes_ = 0;  // May be written before the next look.
  std::chrono::steady_clock::time_point next_look_;
};

}  // namespace millrace::storage
