#include "storage/rocksdb/committed_group.h"

#include <utility>

namespace millrace::storage {

void Tell(const Waiters& waiters, PartitionId partition) {
  for (const auto& waiter : waiters) {
    if (auto alive = waiter.lock()) alive->OnReadable(partition);
  }
}

void CommittedGroup::Finish() {
  for (const Publication& publication : publications) {
    Partition& partition = *publication.partition;
    Tell(partition.MakeVisible(publication.end), partition.id());
  }
  for (Completion& completion : completions) {
    std::move(completion.done)(std::move(completion.result));
  }
  if (change == nullptr) return;
  change->when_durable();
  std::move(change->done)(absl::OkStatus());
}

void CommittedGroup::Fail(const absl::Status& status) {
  for (Completion& completion : completions) std::move(completion.done)(status);
  if (change != nullptr) std::move(change->done)(status);
}

}  // namespace millrace::storage
