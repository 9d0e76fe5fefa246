// The ack witness: follows an open log, and writes down what is on stable storage of it. A log that
// comes back from the disk with less than its witness has lost something that was acknowledged,
// however whole it looks: RocksDB by itself ends a replay at the first damaged byte of a
// write-ahead log, and drops what follows without a word.
//
// It is written off the way of an answer, at most kWitnessInterval behind it: what was acknowledged
// in that time just before a crash is not vouched for.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/failure_latch.h"
#include "storage/rocksdb/partition_table.h"
#include "storage/rocksdb/witness_files.h"
#include "storage/types.h"

namespace millrace::storage {

inline constexpr absl::Duration kWitnessInterval = absl::Milliseconds(100);

// Safe from any thread.
class Witness {
 public:
  // What is passed outlives the witness. A disk that refuses the files for anything but a lack of
  // space fails the log.
  Witness(WitnessFiles files, Database& database, const PartitionTable& partitions,
          FailureLatch& failure);
  ~Witness();

  // Before all else: `log` is what the log holds, all of it on stable storage. Waits until it is
  // written. DISK_FULL, STORAGE_FAILED.
  absl::Status Start(WitnessedLog log);

  struct End {
    PartitionId partition;
    Offset offset;
  };
  // A write is in the write-ahead log, and made partitions longer. In the order of the writes.
  void Wrote(uint64_t sequence, absl::Span<const End> ends);

  // The last write so far: to be asked before a sync, and told when that has succeeded.
  uint64_t written() const { return written_.load(std::memory_order_acquire); }
  void Synced(uint64_t sequence);

  // Writes what is left, and ends the thread. Idempotent.
  void Stop();

 private:
  struct UnsyncedEnd {
    uint64_t sequence;
    End end;
  };

  void Run();
  void TakeSynced();  // Under mutex_.
  absl::Status Store();

  WitnessFiles files_;
  Database& database_;
  const PartitionTable& partitions_;
  FailureLatch& failure_;
  std::atomic<uint64_t> written_ = 0;

  std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  std::deque<UnsyncedEnd> unsynced_;
  uint64_t synced_ = 0;
  bool idle_ = false;  // The thread waits for something to be synced.
  bool stopping_ = false;

  WitnessedLog log_;  // The thread's, once there is one.
  std::thread thread_;
};

}  // namespace millrace::storage
