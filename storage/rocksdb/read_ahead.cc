#include "storage/rocksdb/read_ahead.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "storage/error.h"

namespace millrace::storage {
namespace {

// Each may hold an answer in memory. Beyond this many, what is fetched in advance would push out
// what others have not taken yet.
constexpr size_t kMostFollowers = 8;
constexpr int64_t kMostBytesInAdvance = 4 << 20;  // Larger answers are not fetched in advance.

// Whoever did not go on for so long has stopped, or reads slowly enough without help.
constexpr auto kForgottenAfter = std::chrono::seconds(1);

// What was fetched before it was asked for, as an answer of now.
ReadResult AsOfNow(const Partition& partition, ReadResult fetched) {
  const PartitionStatus status = partition.Status();
  fetched.earliest = status.earliest;
  fetched.high_watermark = status.high_watermark;
  return fetched;
}

}  // namespace

void ReadAhead::Read(const PartitionPtr& partition, Offset from, ReadLimits limits,
                     ReadCompletion done) {
  std::unique_lock lock(mutex_);
  const auto follower = Find(partition->id(), from, limits);
  if (follower == followers_.end()) {
    lock.unlock();
    return ReadNow(partition, from, limits, /*in_order=*/false, std::move(done));
  }
  if (follower->fetching && !follower->waiting) {
    follower->waiting = std::move(done);
    return;
  }
  if (!follower->fetched) {
    if (!follower->fetching) followers_.erase(follower);
    lock.unlock();
    return ReadNow(partition, from, limits, /*in_order=*/true, std::move(done));
  }
  ReadResult fetched = *std::move(follower->fetched);
  followers_.erase(follower);
  lock.unlock();
  ReadResult result = AsOfNow(*partition, std::move(fetched));
  Expect(partition, result, limits, /*in_order=*/true);
  std::move(done)(std::move(result));
}

void ReadAhead::ReadNow(const PartitionPtr& partition, Offset from, ReadLimits limits,
                        bool in_order, ReadCompletion done) {
  // The completion is shared so that it is still here where the pool takes no more tasks.
  auto shared_done = std::make_shared<ReadCompletion>(std::move(done));
  ReaderPool::Task task = [this, partition, from, limits, in_order, shared_done] {
    auto result = reader_(*partition, from, limits);
    if (result.ok()) Expect(partition, *result, limits, in_order);
    std::move (*shared_done)(std::move(result));
  };
  if (!pool_.Post(task)) {
    std::move (*shared_done)(Error(Reason::kDraining, "the log is closed"));
  }
}

void ReadAhead::Expect(const PartitionPtr& partition, const ReadResult& result, ReadLimits limits,
                       bool in_order) {
  if (result.next_offset >= result.high_watermark || limits.max_bytes > kMostBytesInAdvance) return;
  // What is in memory by now needs no help.
  const auto plan = partition->PlanRead(result.next_offset, limits);
  if (!plan.ok() || !plan->on_disk) return;
  Followers::iterator follower;
  {
    const std::lock_guard lock(mutex_);
    if (!MakeRoom()) return;
    follower = followers_.insert(followers_.end(), {.partition = partition->id(),
                                                    .next = result.next_offset,
                                                    .limits = limits,
                                                    .since = Clock::now(),
                                                    .fetching = in_order});
  }
  if (in_order) Fetch(partition, follower);
}

void ReadAhead::Fetch(const PartitionPtr& partition, Followers::iterator follower) {
  ReaderPool::Task task = [this, partition, follower] {
    Fetched(partition, follower, reader_(*partition, follower->next, follower->limits));
  };
  if (!pool_.Post(task)) {
    Fetched(partition, follower, Error(Reason::kDraining, "the log is closed"));
  }
}

void ReadAhead::Fetched(const PartitionPtr& partition, Followers::iterator follower,
                        absl::StatusOr<ReadResult> result) {
  const Offset from = follower->next;
  const ReadLimits limits = follower->limits;
  ReadCompletion waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::move(follower->waiting);
    if (!waiting && result.ok()) {
      follower->fetching = false;
      follower->fetched = *std::move(result);
      return;
    }
    followers_.erase(follower);
  }
  if (!waiting) return;
  // An error is found again by whoever asks, in a read of its own.
  if (!result.ok()) return ReadNow(partition, from, limits, /*in_order=*/true, std::move(waiting));
  ReadResult answer = AsOfNow(*partition, *std::move(result));
  Expect(partition, answer, limits, /*in_order=*/true);
  std::move(waiting)(std::move(answer));
}

ReadAhead::Followers::iterator ReadAhead::Find(PartitionId partition, Offset from,
                                               const ReadLimits& limits) {
  return std::find_if(followers_.begin(), followers_.end(), [&](const Follower& follower) {
    // An answer may be smaller than what was asked for, but not larger.
    return follower.partition == partition && follower.next == from &&
           follower.limits.max_bytes <= limits.max_bytes &&
           follower.limits.max_records <= limits.max_records;
  });
}

bool ReadAhead::MakeRoom() {
  const auto now = Clock::now();
  followers_.remove_if([now](const Follower& follower) {
    return !follower.fetching && now - follower.since > kForgottenAfter;
  });
  return followers_.size() < kMostFollowers;
}

}  // namespace millrace::storage
