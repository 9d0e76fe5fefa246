// What waits for the committer, in the order it came, bounded in bytes; and who commits it.
//
// One thread at a time does. It is the committer's own, which takes what has gathered; but where
// nothing is under way, whoever brings a small write may lead instead: commit it on the spot, and
// what others bring meanwhile, so that no thread has to be woken for it. Compare LevelDB's queue of
// writers, and flat combining (Hendler et al., 2010). For a SYNCED write that is so only while
// nothing is being synced either: else it shares the next sync.
//
// Safe from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/engine.h"

namespace rocksdb {
class WriteBatch;
}

namespace millrace::storage {

// A change of the log that is no Write: of topics, producers, groups or the start of a partition.
// Its parts run one after another, unless one fails; `done` runs at all events, last.
struct Change {
  // On the committer's thread: judges and adds rows. An error refuses the change.
  absl::AnyInvocable<absl::Status(rocksdb::WriteBatch&)> prepare;
  // On the committer's thread, when the rows are written.
  absl::AnyInvocable<void()> when_written = [] {};
  // When they are synced.
  absl::AnyInvocable<void()> when_durable = [] {};
  absl::AnyInvocable<void(absl::Status) &&> done;
};

struct QueuedWrite {
  WriteSet set;
  WriteCompletion done;
  std::unique_ptr<Change> change;  // In place of the two above.
  int64_t bytes = 0;
};

class CommitQueue {
 public:
  // Writes of records are refused beyond max_bytes; commits of offsets have some room of their own.
  explicit CommitQueue(int64_t max_bytes)
      : max_bytes_(max_bytes), max_bytes_of_commits_(max_bytes + max_bytes / 4) {}

  // OVERLOADED; DRAINING once closed. On an error `done` is left as it was. True: the caller leads
  // now. It has to commit what TakeAsLeader gives, until that gives no more. `sync_is_idle`: see
  // above.
  absl::StatusOr<bool> Push(WriteSet& set, WriteCompletion& done, bool sync_is_idle);

  // Takes all that waits, in place of what is in `taken`. False: the caller leads no longer. What
  // may have come meanwhile goes to the committer's thread: because it is much, or because of
  // `may_go_on`.
  bool TakeAsLeader(std::vector<QueuedWrite>& taken, bool may_go_on);

  // Has a change made and waits until it is durable; `done` is not for the caller to set. A change
  // is never refused for a lack of room. DRAINING once closed.
  absl::Status Apply(Change change);

  struct Depth {
    int64_t queued = 0;  // Writes and changes that nobody has taken.
    int64_t bytes = 0;   // Of all that is queued or taken and not released.
    bool committing = false;
  };
  Depth depth() const;
  int64_t max_bytes() const { return max_bytes_; }

  bool full() const { return bytes_.load(std::memory_order_relaxed) >= max_bytes_; }

  // For the committer's thread, which has committed what it took before: waits for something to do
  // and takes all of it, in place of what is in `taken`. False when the queue is closed and empty.
  bool TakeAll(std::vector<QueuedWrite>& taken);

  // Says that what was taken needs no memory any more.
  void Release(int64_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  // Refuses what comes later.
  void Close();

 private:
  absl::Status Admit(const WriteSet& set, int64_t bytes) const;
  void Add(QueuedWrite write);  // Under mutex_.
  bool TakerIsToWake();         // Under mutex_. Whoever is told so notifies changed_ after it.

  const int64_t max_bytes_;
  const int64_t max_bytes_of_commits_;
  std::atomic<int64_t> bytes_ = 0;  // Of all that is queued or taken and not released.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;              // Guarded by mutex_.
  bool committing_ = false;          // Guarded by mutex_. Somebody works on what was taken.
  bool taker_waits_ = false;         // Guarded by mutex_. The committer's thread, in TakeAll.
  bool taker_commits_ = false;       // Guarded by mutex_. It is the one who works.
  std::vector<QueuedWrite> queued_;  // Guarded by mutex_.
};

}  // namespace millrace::storage
