#include "storage/rocksdb/commit_queue.h"

#include <future>
#include <utility>

#include "storage/error.h"

namespace millrace::storage {
namespace {

// What a caller commits on its own thread is no more than this: its time is short.
constexpr int64_t kMostAsLeader = 16 << 10;

int64_t BytesOf(const WriteSet& set) {
  int64_t bytes = sizeof(QueuedWrite);
  for (const Append& append : set.appends) {
    bytes += static_cast<int64_t>(sizeof(Append) + append.records.entries.bytes.size());
  }
  for (const OffsetCommit& commit : set.commits) {
    bytes += static_cast<int64_t>(sizeof(commit) + commit.group.size() + commit.metadata.size());
  }
  if (set.producer) bytes += static_cast<int64_t>(set.producer->annotation.size());
  return bytes;
}

}  // namespace

absl::Status CommitQueue::Admit(const WriteSet& set, int64_t bytes) const {
  if (set.admission == Admission::kAlways) return absl::OkStatus();
  const int64_t queued = bytes_.load(std::memory_order_relaxed);
  const int64_t limit = set.appends.empty() ? max_bytes_of_commits_ : max_bytes_;
  // A write that is larger than the queue goes through when it is alone.
  if (queued == 0 || queued + bytes <= limit) return absl::OkStatus();
  return Error(Reason::kOverloaded, "the write queue is full");
}

void CommitQueue::Add(QueuedWrite write) {
  bytes_.fetch_add(write.bytes, std::memory_order_relaxed);
  queued_.push_back(std::move(write));
}

// Whoever leads looks for more when it is done.
bool CommitQueue::TakerIsToWake() { return !committing_ && std::exchange(taker_waits_, false); }

absl::StatusOr<bool> CommitQueue::Push(WriteSet& set, WriteCompletion& done, bool sync_is_idle) {
  const int64_t bytes = BytesOf(set);
  bool leads;
  bool wakes;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return Error(Reason::kDraining, "the log is closed");
    if (auto status = Admit(set, bytes); !status.ok()) return status;
    leads = set.on_calling_thread && (set.durability == Durability::kBuffered || sync_is_idle) &&
            !committing_ && queued_.empty() && bytes <= kMostAsLeader;
    Add({.set = std::move(set), .done = std::move(done), .change = nullptr, .bytes = bytes});
    committing_ |= leads;
    wakes = TakerIsToWake();
  }
  if (wakes) changed_.notify_one();
  return leads;
}

bool CommitQueue::TakeAsLeader(std::vector<QueuedWrite>& taken, bool may_go_on) {
  taken.clear();
  const std::lock_guard lock(mutex_);
  int64_t bytes = 0;
  for (const QueuedWrite& write : queued_) {
    // A change may wait for a sync, and is the thread's.
    bytes += write.change == nullptr ? write.bytes : kMostAsLeader + 1;
  }
  if (!queued_.empty() && may_go_on && bytes <= kMostAsLeader) {
    taken.swap(queued_);
    return true;
  }
  committing_ = false;
  if ((!queued_.empty() || closed_) && TakerIsToWake()) changed_.notify_one();
  return false;
}

absl::Status CommitQueue::Apply(Change change) {
  std::promise<absl::Status> promise;
  auto made = promise.get_future();
  change.done = [&promise](absl::Status status) { promise.set_value(std::move(status)); };
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return Error(Reason::kDraining, "the log is closed");
    Add({.set = {},
         .done = nullptr,
         .change = std::make_unique<Change>(std::move(change)),
         .bytes = 0});
    if (TakerIsToWake()) changed_.notify_one();
  }
  return made.get();
}

CommitQueue::Depth CommitQueue::depth() const {
  const std::lock_guard lock(mutex_);
  return {.queued = static_cast<int64_t>(queued_.size()),
          .bytes = bytes_.load(std::memory_order_relaxed),
          .committing = committing_};
}

bool CommitQueue::TakeAll(std::vector<QueuedWrite>& taken) {
  taken.clear();
  std::unique_lock lock(mutex_);
  if (std::exchange(taker_commits_, false)) committing_ = false;
  while (queued_.empty() || committing_) {
    if (closed_ && !committing_) return false;
    taker_waits_ = true;
    changed_.wait(lock);
  }
  taken.swap(queued_);
  committing_ = taker_commits_ = true;
  return true;
}

void CommitQueue::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  if (TakerIsToWake()) changed_.notify_one();
}

}  // namespace millrace::storage
