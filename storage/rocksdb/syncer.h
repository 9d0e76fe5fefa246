// The second half of a commit: a thread that brings the write-ahead log to stable storage whenever
// somebody waits for it, and finishes the groups that it covered. While it syncs, the committer
// goes on: whatever gathers meanwhile is covered by the next sync. Whoever has committed a write on
// its own thread, and waits for it alone, may sync there too.
//
// What nobody waits for is synced soon after it was written.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/latency_histogram.h"
#include "storage/rocksdb/committed_group.h"
#include "storage/rocksdb/database.h"
#include "storage/rocksdb/failure_latch.h"
#include "storage/rocksdb/witness.h"

namespace millrace::storage {

class Syncer {
 public:
  Syncer(Database& database, Witness& witness, FailureLatch& failure);
  ~Syncer();

  // Takes over a group that is written: finishes it after the next sync. Groups come with rising
  // numbers and are finished in that order. `wakes`: the thread sees to it; else somebody is about
  // to call SyncOnCallingThread.
  void Add(CommittedGroup group, bool wakes = true);

  // Nothing is synced just now, and nothing waits to be.
  bool idle() const;

  // Syncs and finishes what waits, as the thread would; nothing where a sync is under way, after
  // which the thread does.
  void SyncOnCallingThread();

  // Says that something was written that nobody waits for.
  void NoteUnsynced();

  // The number of the last group that is synced and finished: its records are visible.
  uint64_t finished() const { return finished_.load(std::memory_order_acquire); }

  // How long the syncs took.
  LatencyCounts sync_times() const { return sync_times_.Read(); }

  struct Depth {
    int64_t waiting = 0;  // Groups that the next sync is to finish.
    bool syncing = false;
  };
  Depth depth() const;
  // Rounds of syncing and finishing that are over, well or badly.
  uint64_t done() const { return done_.load(std::memory_order_relaxed); }

  // Syncs and finishes what is left, and ends the thread. Idempotent.
  void Stop();

 private:
  void Run();
  // Waits until a sync is due and takes the groups that it will cover. False: nothing is left and
  // the thread ends.
  bool WaitForWork(std::vector<CommittedGroup>& groups);
  // Whether there is anything to sync, which the caller is then to do. Under mutex_, while nobody
  // syncs.
  bool TakeWork(std::vector<CommittedGroup>& groups);
  void SyncAndFinish(std::vector<CommittedGroup>& groups);  // Lets go of the turn to sync.

  Database& database_;
  Witness& witness_;
  FailureLatch& failure_;
  std::atomic<uint64_t> finished_ = 0;
  LatencyHistogram sync_times_;
  std::atomic<uint64_t> done_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<CommittedGroup> waiting_;  // Guarded by mutex_.
  bool unsynced_ = false;                // Guarded by mutex_.
  bool syncing_ = false;                 // Guarded by mutex_.
  bool stopping_ = false;                // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace millrace::storage
