// Reads from disk for those who must not wait, and reads on for those who read a partition in
// order: while what they got is on its way to them, the next is fetched.
//
// Who reads in order is seen by the reads themselves: one that begins where another ended. Then
// there is one answer in advance, given to whoever asks for it. Few partitions are followed at a
// time; all others are read when they are asked for.
//
// Safe from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <mutex>
#include <optional>

#include "absl/status/statusor.h"
#include "storage/engine.h"
#include "storage/rocksdb/partition.h"
#include "storage/rocksdb/partition_table.h"
#include "storage/rocksdb/reader_pool.h"
#include "storage/types.h"

namespace millrace::storage {

class ReadAhead {
 public:
  // Reads what lies from an offset on, and waits for it: BatchReader::Read.
  using Reader =
      std::function<absl::StatusOr<ReadResult>(const Partition&, Offset from, ReadLimits limits)>;

  // The pool must be stopped before this goes.
  ReadAhead(Reader reader, ReaderPool& pool) : reader_(std::move(reader)), pool_(pool) {}

  // Answers as the reader does, on a thread of the pool; inside the call where it was fetched in
  // advance. `from` is an offset that the partition has now. DRAINING once the pool is stopped.
  void Read(const PartitionPtr& partition, Offset from, ReadLimits limits, ReadCompletion done);

 private:
  using Clock = std::chrono::steady_clock;

  // Where somebody is expected to go on.
  struct Follower {
    PartitionId partition;
    Offset next;
    ReadLimits limits;
    Clock::time_point since;
    bool fetching = false;
    std::optional<ReadResult> fetched;
    ReadCompletion waiting;  // Came while it was being fetched.
  };
  using Followers = std::list<Follower>;

  // Reads now; `in_order`: and then the next in advance.
  void ReadNow(const PartitionPtr& partition, Offset from, ReadLimits limits, bool in_order,
               ReadCompletion done);
  // Notes that somebody may go on where a read has ended; fetches it if `in_order`.
  void Expect(const PartitionPtr& partition, const ReadResult& result, ReadLimits limits,
              bool in_order);
  void Fetch(const PartitionPtr& partition, Followers::iterator follower);
  void Fetched(const PartitionPtr& partition, Followers::iterator follower,
               absl::StatusOr<ReadResult> result);

  // Under mutex_.
  Followers::iterator Find(PartitionId partition, Offset from, const ReadLimits& limits);
  bool MakeRoom();

  const Reader reader_;
  ReaderPool& pool_;
  std::mutex mutex_;
  Followers followers_;  // Guarded by mutex_; those being fetched stay where they are.
};

}  // namespace millrace::storage
