#include "storage/rocksdb/witness.h"

#include <pthread.h>

#include <utility>

#include "storage/error.h"

namespace millrace::storage {

Witness::Witness(WitnessFiles files, Database& database, const PartitionTable& partitions,
                 FailureLatch& failure)
    : files_(std::move(files)), database_(database), partitions_(partitions), failure_(failure) {}

Witness::~Witness() { Stop(); }

absl::Status Witness::Start(WitnessedLog log) {
  log_ = std::move(log);
  synced_ = log_.sequence;
  written_ = log_.sequence;
  if (absl::Status status = Store(); !status.ok()) return status;
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "witness");
  return absl::OkStatus();
}

void Witness::Wrote(uint64_t sequence, absl::Span<const End> ends) {
  if (!ends.empty()) {
    const std::lock_guard lock(mutex_);
    for (const End& end : ends) unsynced_.push_back({sequence, end});
  }
  written_.store(sequence, std::memory_order_release);
}

void Witness::Synced(uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  if (sequence <= synced_) return;
  synced_ = sequence;
  if (idle_) changed_.notify_one();
}

void Witness::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Witness::TakeSynced() {
  while (!unsynced_.empty() && unsynced_.front().sequence <= synced_) {
    const End& end = unsynced_.front().end;
    log_.ends[end.partition] = end.offset;
    unsynced_.pop_front();
  }
  log_.sequence = synced_;
}

absl::Status Witness::Store() {
  absl::erase_if(log_.ends,
                 [&](const auto& end) { return partitions_.Find(end.first) == nullptr; });
  const auto manifest = database_.Manifest();
  if (!manifest.ok()) return manifest.status();
  log_.manifest = *manifest;
  return files_.Store(log_);
}

void Witness::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    idle_ = true;
    changed_.wait(lock, [this] { return stopping_ || synced_ > log_.sequence; });
    idle_ = false;
    if (synced_ == log_.sequence) return;
    const uint64_t stored = log_.sequence;
    TakeSynced();
    lock.unlock();
    const absl::Status status = Store();
    lock.lock();
    if (!status.ok()) {
      log_.sequence = stored;  // What is on the disk is older.
      if (ReasonOf(status) != Reason::kDiskFull) return failure_.Fail(status);
      if (stopping_) return;
    }
    changed_.wait_for(lock, absl::ToChronoNanoseconds(kWitnessInterval),
                      [this] { return stopping_; });
  }
}

}  // namespace millrace::storage
