// RocksDB as the engine uses it: its column families, its options, and its errors in our words.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/listener.h>
#include <rocksdb/wal_filter.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace millrace::storage {

// A view of RocksDB's, and back.
inline rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
inline std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// DISK_FULL for a lack of space, STORAGE_FAILED for all else.
absl::Status ToStatus(const rocksdb::Status& status, std::string_view doing);

inline constexpr char kRecordsFamily[] = "records";

// RocksDB's list of its own files, which it only ever appends to.
struct ManifestSize {
  uint64_t number = 0;
  uint64_t bytes = 0;

  friend auto operator<=>(const ManifestSize&, const ManifestSize&) = default;
};

// That of the database in `path`, as it is on the disk. `file_system` null: the operating system's.
// As OpenToSurvey.
absl::StatusOr<ManifestSize> ManifestOnDisk(
    const std::string& path, const std::shared_ptr<rocksdb::FileSystem>& file_system);

struct DatabaseOptions {
  int64_t min_blob_bytes = 0;
  int64_t records_memtable_bytes = 32 << 20;
  std::shared_ptr<rocksdb::FileSystem> file_system;  // Null: that of the operating system.
  std::shared_ptr<rocksdb::CompactionFilterFactory> records_filter;
  // Called after a flush of records, on a thread of RocksDB: must be quick and not call RocksDB.
  std::function<void()> on_records_flushed;
  // Leaves out what is damaged of the write-ahead log and goes on behind it. Otherwise the replay
  // ends there.
  bool skip_damaged_log = false;
};

// How often RocksDB held writes back because it could not keep up with them. Threads: any.
struct WriteStalls {
  std::atomic<int64_t> delayed{0};
  std::atomic<int64_t> stopped{0};
};

// Safe from any thread. Closes RocksDB when it goes.
class Database {
 public:
  // Makes an empty one where there is none. Errors are for a person: kDataLoss if RocksDB finds its
  // files damaged, kResourceExhausted if the disk is full, kUnavailable for all else.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        const DatabaseOptions& options);

  // Opens one that is there to look at it: nothing in it is changed. `filter` sees the writes that
  // are in the write-ahead log alone, and says what becomes of them; it outlives the database.
  static absl::StatusOr<std::unique_ptr<Database>> OpenToSurvey(const std::string& path,
                                                                const DatabaseOptions& options,
                                                                rocksdb::WalFilter& filter);
  ~Database();

  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* log() { return families_[0]; }
  rocksdb::ColumnFamilyHandle* records() { return families_[1]; }
  rocksdb::ColumnFamilyHandle* offsets() { return families_[2]; }
  rocksdb::ColumnFamilyHandle* producers() { return families_[3]; }

  // Where blobs that were read lie.
  const std::shared_ptr<rocksdb::Cache>& blob_cache() const { return blob_cache_; }

  // Writes all memtables out and waits for it; write-ahead logs without further use are deleted.
  absl::Status Flush();
  // Starts to write out the memtables of all families but `records`, whose few rows would keep old
  // write-ahead logs alive.
  absl::Status FlushSmallFamilies();

  // After a write was refused for a lack of space and there is space again: makes RocksDB take
  // writes, into a new write-ahead log.
  absl::Status ResumeWriting();

  // What is on stable storage of the list of files.
  absl::StatusOr<ManifestSize> Manifest();

  // What is in memtables and has to be written out yet.
  int64_t UnflushedBytes();

  const WriteStalls& write_stalls() const { return *write_stalls_; }

  // Calls `row` for each row of the default family whose key starts with `kind`, in order, until it
  // answers an error.
  absl::Status ScanLog(char kind,
                       const std::function<absl::Status(std::string_view, std::string_view)>& row);

  // The number of a field of the default family, or `otherwise`. kDataLoss if it is none.
  absl::StatusOr<int64_t> ReadField(std::string_view field, int64_t otherwise);

 private:
  explicit Database(const DatabaseOptions& options);

  rocksdb::DBOptions OptionsOf(const DatabaseOptions& options) const;
  void Take(rocksdb::DB* db, const std::vector<rocksdb::ColumnFamilyHandle*>& handles);

  const std::shared_ptr<WriteStalls> write_stalls_;  // Shared with a listener of RocksDB's.
  const std::shared_ptr<rocksdb::Cache> blob_cache_;
  const std::unique_ptr<rocksdb::Env> env_;     // Outlives db_.
  std::unique_ptr<rocksdb::WalFilter> replay_;  // Outlives db_, too.
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, 4> families_{};
};

}  // namespace millrace::storage
