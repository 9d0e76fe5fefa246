#include "storage/rocksdb/syncer.h"

#include <chrono>
#include <utility>

#include "storage/error.h"

namespace millrace::storage {
namespace {

// How long something may stay unsynced that nobody waits for.
constexpr auto kLongestUnsynced = std::chrono::milliseconds(100);

}  // namespace

Syncer::Syncer(Database& database, Witness& witness, FailureLatch& failure)
    : database_(database), witness_(witness), failure_(failure), thread_([this] { Run(); }) {}

Syncer::~Syncer() { Stop(); }

void Syncer::Add(CommittedGroup group, bool wakes) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(group));
  }
  if (wakes) changed_.notify_one();
}

bool Syncer::idle() const {
  const std::lock_guard lock(mutex_);
  return !syncing_ && waiting_.empty();
}

void Syncer::SyncOnCallingThread() {
  std::vector<CommittedGroup> groups;
  {
    const std::lock_guard lock(mutex_);
    if (syncing_ || !TakeWork(groups)) return;
  }
  SyncAndFinish(groups);
}

void Syncer::NoteUnsynced() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(unsynced_, true)) changed_.notify_one();
}

void Syncer::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

bool Syncer::TakeWork(std::vector<CommittedGroup>& groups) {
  groups.swap(waiting_);
  syncing_ = std::exchange(unsynced_, false) || !groups.empty();
  return syncing_;
}

bool Syncer::WaitForWork(std::vector<CommittedGroup>& groups) {
  std::unique_lock lock(mutex_);
  const auto urgent = [this] { return !syncing_ && (!waiting_.empty() || stopping_); };
  for (;;) {
    changed_.wait(lock, [&] { return urgent() || (!syncing_ && unsynced_); });
    changed_.wait_for(lock, kLongestUnsynced, urgent);
    if (syncing_) continue;
    if (TakeWork(groups)) return true;
    if (stopping_) return false;
  }
}

Syncer::Depth Syncer::depth() const {
  const std::lock_guard lock(mutex_);
  return {.waiting = static_cast<int64_t>(waiting_.size()), .syncing = syncing_};
}

void Syncer::SyncAndFinish(std::vector<CommittedGroup>& groups) {
  const uint64_t written = witness_.written();
  if (!failure_.failed()) {
    const auto began = std::chrono::steady_clock::now();
    const rocksdb::Status synced = database_.db().SyncWAL();
    sync_times_.Record(std::chrono::steady_clock::now() - began);
    if (!synced.ok()) {
      failure_.Fail(Error(Reason::kStorageFailed,
                          "the write-ahead log cannot be synced: " + synced.ToString()));
    }
  }
  const absl::Status status = failure_.status();
  for (CommittedGroup& group : groups) {
    const uint64_t number = group.number;
    if (status.ok()) {
      group.Finish();
      finished_.store(number, std::memory_order_release);
    } else {
      group.Fail(status);
    }
  }
  groups.clear();
  if (status.ok()) witness_.Synced(written);
  done_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  syncing_ = false;
  if (!waiting_.empty() || unsynced_ || stopping_) changed_.notify_one();
}

void Syncer::Run() {
  std::vector<CommittedGroup> groups;
  while (WaitForWork(groups)) SyncAndFinish(groups);
}

}  // namespace millrace::storage
