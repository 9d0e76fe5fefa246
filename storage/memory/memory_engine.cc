#include "storage/memory/memory_engine.h"

#include <random>
#include <utility>

#include "storage/error.h"

namespace millrace::storage {
namespace {

std::string RandomId() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 32; ++i) id += kDigits[random() % 16];
  return id;
}

MemoryOptions WithHubId(MemoryOptions options) {
  if (options.hub_id.empty()) options.hub_id = RandomId();
  return options;
}

absl::Status NoPartition() { return Error(Reason::kTopicNotFound, "the partition was deleted"); }

// The first millisecond that is not before `time`.
UnixMillis CeilToMillis(absl::Time time) {
  const UnixMillis floor = absl::ToUnixMillis(time);
  return absl::FromUnixMillis(floor) < time && time != absl::InfiniteFuture() ? floor + 1 : floor;
}

}  // namespace

MemoryEngine::MemoryEngine(MemoryOptions options)
    : options_(WithHubId(std::move(options))),
      callbacks_([this] { (void)EnforceRetention(); }, options_.retention_interval) {}

MemoryEngine::~MemoryEngine() { (void)Close(); }

Capabilities MemoryEngine::capabilities() const {
  return {.atomic_produce = true,
          .producer_sequences = true,
          .expected_offset = true,
          .fenced_commits = true,
          .log_epoch = true,
          .time_basis = TimeBasis::kAppendTime};
}

LogEpoch MemoryEngine::log_epoch() const {
  const std::lock_guard lock(mutex_);
  return log_epoch_;
}

// ---- Writing

void MemoryEngine::Write(WriteSet set, WriteCompletion done) {
  absl::Status refused;
  {
    const std::lock_guard lock(mutex_);
    refused = CheckOpen();
    if (refused.ok()) {
      absl::StatusOr<WriteDecision> decision = DecideWrite(set, *this);
      absl::StatusOr<WriteResult> result;
      if (decision.ok()) {
        if (!decision->result.duplicate) Store(set, *decision);
        result = std::move(decision->result);
      } else {
        result = decision.status();
      }
      callbacks_.Post([done = std::move(done), result = std::move(result)]() mutable {
        std::move(done)(std::move(result));
      });
      return;
    }
  }
  std::move(done)(std::move(refused));
}

void MemoryEngine::Store(const WriteSet& set, const WriteDecision& decision) {
  const absl::Time now = options_.clock->Now();
  for (const Append& append : set.appends) {
    MemoryPartition& partition = *partitions_.at(append.partition);
    partition.Append(append.records, log_epoch_, absl::ToUnixMillis(now));
    PostWaiters(append.partition, partition);
  }
  for (size_t i = 0; i < set.commits.size(); ++i) {
    if (!decision.commits[i]) continue;
    const OffsetCommit& commit = set.commits[i];
    groups_[commit.group][commit.partition] = {
        .partition = commit.partition,
        .next_offset = decision.commits[i]->next_offset,
        .metadata = commit.metadata,
        .position_epoch = decision.commits[i]->position_epoch,
        .commit_time = now};
  }
  if (set.producer) {
    Producer& producer = producers_.at(set.producer->producer_id);
    producer.window.Store(decision.OutcomeFor(*set.producer));
    producer.last_use = now;
  }
}

void MemoryEngine::PostWaiters(PartitionId id, MemoryPartition& partition) {
  std::vector<std::weak_ptr<ReadWaiter>> waiters = partition.TakeWaiters();
  if (waiters.empty()) return;
  callbacks_.Post([id, waiters = std::move(waiters)] {
    for (const auto& waiter : waiters) {
      if (auto alive = waiter.lock()) alive->OnReadable(id);
    }
  });
}

absl::StatusOr<ProducerState> MemoryEngine::OpenProducer(std::string_view producer_id) {
  const std::lock_guard lock(mutex_);
  if (auto status = CheckOpen(); !status.ok()) return status;
  const absl::Time now = options_.clock->Now();
  Producer& producer = producers_
                           .try_emplace(std::string(producer_id),
                                        Producer{ProducerWindow(options_.producer_window), now})
                           .first->second;
  producer.last_use = now;
  const ProducerEpoch epoch = producer.window.OpenEpoch();
  return ProducerState{epoch, producer.window.last_sequence()};
}

absl::Status MemoryEngine::ExpireProducers(absl::Duration idle) {
  const std::lock_guard lock(mutex_);
  if (auto status = CheckOpen(); !status.ok()) return status;
  const absl::Time cutoff = options_.clock->Now() - idle;
  absl::erase_if(producers_,
                 [cutoff](const auto& entry) { return entry.second.last_use <= cutoff; });
  return absl::OkStatus();
}

// ---- Reading

void MemoryEngine::Read(PartitionId partition, Offset from, ReadLimits limits,
                        ReadCompletion done) {
  absl::StatusOr<ReadResult> result = NoPartition();
  {
    const std::lock_guard lock(mutex_);
    if (auto found = Find(partition); found.ok()) result = (*found)->Read(from, limits);
  }
  std::move(done)(std::move(result));
}

void MemoryEngine::NotifyWhenReadable(PartitionId partition, Offset from,
                                      std::weak_ptr<ReadWaiter> waiter) {
  {
    const std::lock_guard lock(mutex_);
    if (auto found = Find(partition); found.ok() && (*found)->NothingToRead(from)) {
      (*found)->AddWaiter(std::move(waiter));
      return;
    }
  }
  if (auto alive = waiter.lock()) alive->OnReadable(partition);
}

absl::StatusOr<PartitionStatus> MemoryEngine::Status(PartitionId partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = Find(partition);
  if (!found.ok()) return found.status();
  return (*found)->Status();
}

absl::StatusOr<Offset> MemoryEngine::OffsetAtTime(PartitionId partition, absl::Time time) {
  const std::lock_guard lock(mutex_);
  const auto found = Find(partition);
  if (!found.ok()) return found.status();
  return (*found)->OffsetAtTime(CeilToMillis(time));
}

absl::Status MemoryEngine::ValidatePosition(PartitionId partition, Offset offset,
                                            LogEpoch epoch) const {
  const std::lock_guard lock(mutex_);
  const auto found = Find(partition);
  if (!found.ok()) return found.status();
  return (*found)->Validate(offset, epoch);
}

// ---- Groups

absl::StatusOr<std::vector<CommittedOffset>> MemoryEngine::CommittedOffsets(
    std::string_view group) const {
  const std::lock_guard lock(mutex_);
  std::vector<CommittedOffset> offsets;
  if (const auto found = groups_.find(group); found != groups_.end()) {
    for (const auto& [partition, committed] : found->second) offsets.push_back(committed);
  }
  return offsets;
}

std::vector<std::string> MemoryEngine::Groups() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, offsets] : groups_) names.push_back(name);
  return names;
}

absl::Status MemoryEngine::DeleteGroup(std::string_view group) {
  const std::lock_guard lock(mutex_);
  if (auto status = CheckOpen(); !status.ok()) return status;
  if (const auto found = groups_.find(group); found != groups_.end()) groups_.erase(found);
  group_states_.erase(std::string(group));
  return absl::OkStatus();
}

absl::Status MemoryEngine::PutGroupState(std::string_view group, std::string_view state) {
  const std::lock_guard lock(mutex_);
  if (auto status = CheckOpen(); !status.ok()) return status;
  if (state.empty()) {
    group_states_.erase(std::string(group));
  } else {
    group_states_[std::string(group)] = state;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> MemoryEngine::GroupState(std::string_view group) const {
  const std::lock_guard lock(mutex_);
  const auto found = group_states_.find(group);
  return found == group_states_.end() ? std::string() : found->second;
}

// ---- What a write is judged against

std::optional<LogState::Bounds> MemoryEngine::FindPartition(PartitionId partition) const {
  const auto found = Find(partition);
  if (!found.ok()) return std::nullopt;
  return Bounds{(*found)->earliest(), (*found)->end()};
}

absl::StatusOr<int64_t> MemoryEngine::CreateCheckpoint(const std::string& /*directory*/) {
  return Error(Reason::kUnsupportedByEngine, "what is kept in memory alone makes no checkpoints");
}

const ProducerWindow* MemoryEngine::FindProducer(std::string_view producer_id) const {
  const auto found = producers_.find(absl::string_view(producer_id.data(), producer_id.size()));
  return found == producers_.end() ? nullptr : &found->second.window;
}

std::optional<StoredCommit> MemoryEngine::FindCommit(std::string_view group,
                                                     PartitionId partition) const {
  const auto offsets = groups_.find(group);
  if (offsets == groups_.end()) return std::nullopt;
  const auto committed = offsets->second.find(partition);
  if (committed == offsets->second.end()) return std::nullopt;
  return StoredCommit{committed->second.next_offset, committed->second.position_epoch};
}

absl::Status MemoryEngine::CheckOpen() const {
  return closed_ ? Error(Reason::kDraining, "the log is closed") : absl::OkStatus();
}

absl::StatusOr<MemoryPartition*> MemoryEngine::Find(PartitionId partition) const {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end()) return NoPartition();
  return found->second.get();
}

absl::Status MemoryEngine::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  callbacks_.Stop();
  return absl::OkStatus();
}

}  // namespace millrace::storage
