#include "storage/rocksdb/rocksdb_engine.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/commit/read_assembler.h"
#include "storage/error.h"
#include "storage/rocksdb/checkpoint.h"
#include "storage/rocksdb/figures.h"
#include "storage/rocksdb/log_repair.h"
#include "storage/rocksdb/log_survey.h"

namespace millrace::storage {
namespace {

constexpr int kReaderThreads = 2;
constexpr size_t kProducersAtOnce = 64;

// A search by time asks for "not before": a part of a millisecond counts as the next one.
UnixMillis CeilToMillis(absl::Time time) {
  const UnixMillis millis = absl::ToUnixMillis(time);
  if (millis == std::numeric_limits<UnixMillis>::max()) return millis;
  return absl::FromUnixMillis(millis) < time ? millis + 1 : millis;
}

ReadResult FromMemory(Partition::ReadPlan plan, Offset from, ReadLimits limits,
                      absl::Status* status) {
  ReadAssembler assembler(from, limits);
  for (FetchedBatch& batch : plan.batches) {
    if (assembler.full()) break;
    *status = assembler.Add(std::move(batch));
    if (!status->ok()) return {};
  }
  return std::move(assembler).Finish(plan.earliest, plan.visible_end);
}

}  // namespace

// ---- Opening and closing

absl::StatusOr<std::unique_ptr<RocksDbEngine>> RocksDbEngine::Open(RocksDbOptions options) {
  auto directory = DataDirectory::Open(options.data_dir);
  if (!directory.ok()) return directory.status();
  auto bounds = std::make_shared<DropBounds>();
  auto records_flushed = std::make_shared<std::atomic<bool>>(false);
  const DatabaseOptions database_options{
      .min_blob_bytes = options.min_blob_bytes,
      .records_memtable_bytes = options.records_memtable_bytes,
      .file_system = options.file_system,
      .records_filter = std::make_shared<DropFilterFactory>(bounds),
      .on_records_flushed = [records_flushed] { records_flushed->store(true); },
      .skip_damaged_log = options.accept_data_loss};
  const std::string path = (*directory)->database_path();
  WitnessFiles witness(options.file_system, options.data_dir);
  const auto witnessed = witness.Load();
  if (!witnessed.ok()) return witnessed.status();
  if (witnessed->has_value() && !options.accept_data_loss) {
    auto status = CheckAgainstWitness(path, database_options, **witnessed);
    if (!status.ok()) return status;
  }
  auto database = Database::Open(path, database_options);
  if (!database.ok()) return database.status();
  std::vector<LostRange> lost;
  if (options.accept_data_loss) {
    auto repaired = RepairLog(**database, *witnessed);
    if (!repaired.ok()) return repaired.status();
    lost = *std::move(repaired);
  }
  std::unique_ptr<RocksDbEngine> engine(
      new RocksDbEngine(std::move(options), *std::move(directory), std::move(bounds),
                        *std::move(database), std::move(records_flushed), std::move(witness)));
  engine->lost_ = std::move(lost);
  if (absl::Status status = engine->Load(); !status.ok()) return status;
  if (absl::Status status = engine->StartWitness(); !status.ok()) return status;
  engine->StartThreads();
  return engine;
}

RocksDbEngine::RocksDbEngine(RocksDbOptions options, std::unique_ptr<DataDirectory> directory,
                             std::shared_ptr<DropBounds> bounds, std::unique_ptr<Database> database,
                             std::shared_ptr<std::atomic<bool>> records_flushed,
                             WitnessFiles witness)
    : options_(std::move(options)),
      directory_(std::move(directory)),
      bounds_(std::move(bounds)),
      records_flushed_(std::move(records_flushed)),
      database_(std::move(database)),
      failure_(options_.on_failure),
      producers_(*database_, options_.producer_window),
      queue_(options_.write_queue_bytes),
      reclaimer_(*database_, queue_),
      topics_({*database_, partitions_, *bounds_, offsets_, reclaimer_, *options_.clock}),
      retention_({*database_, queue_, partitions_, *bounds_, topics_, reclaimer_, *options_.clock}),
      batch_reader_(*database_),
      witness_(std::move(witness), *database_, partitions_, failure_) {}

absl::Status RocksDbEngine::Load() {
  if (absl::Status status = offsets_.Load(*database_); !status.ok()) return status;
  if (absl::Status status = reclaimer_.Load(); !status.ok()) return status;
  // The log that a copy was made of has gone on under epochs of its own: the copy takes one that no
  // count has reached.
  const LogEpoch floor(directory_->is_checkpoint() ? absl::ToUnixMillis(options_.clock->Now()) : 0);
  if (absl::Status status = topics_.Load(floor); !status.ok()) return status;
  bounds_->Arm();  // Every partition that there is has told its bound.
  return directory_->is_checkpoint() ? directory_->ForgetCheckpoint() : absl::OkStatus();
}

// What Load found or wrote is on stable storage: RocksDB wrote out what its replay gave.
absl::Status RocksDbEngine::StartWitness() {
  return witness_.Start({.sequence = database_->db().GetLatestSequenceNumber(),
                         .log_epoch = log_epoch(),
                         .manifest = {},
                         .ends = {}});
}

void RocksDbEngine::StartThreads() {
  readers_ = std::make_unique<ReaderPool>(kReaderThreads);
  read_ahead_ = std::make_unique<ReadAhead>(
      [this](const Partition& partition, Offset from, ReadLimits limits) {
        return batch_reader_.Read(partition, from, limits);
      },
      *readers_);
  syncer_ = std::make_unique<Syncer>(*database_, witness_, failure_);
  committer_ = std::make_unique<Committer>(
      Committer::Parts{*database_, queue_, *syncer_, witness_, failure_, partitions_, producers_,
                       offsets_, topics_.log_epoch(), *options_.clock},
      DiskSpace(*database_, options_.data_dir, options_.disk_reserve_bytes),
      options_.tail_cache_bytes);
  if (options_.retention_interval > absl::ZeroDuration()) {
    housekeeping_.emplace("housekeeping", options_.retention_interval, [this] { KeepHouse(); });
  }
}

RocksDbEngine::~RocksDbEngine() { Close().IgnoreError(); }

absl::Status RocksDbEngine::Close() {
  const std::lock_guard lock(close_mutex_);
  if (closed_) return failure_.status();
  closed_ = true;
  housekeeping_.reset();
  queue_.Close();
  if (committer_ == nullptr) return absl::OkStatus();  // It never opened.
  committer_->Stop();
  syncer_->Stop();
  readers_->Stop();
  witness_.Stop();
  if (failure_.failed()) return failure_.status();
  return topics_.MarkClean();
}

// Retention from time to time; and the small families are written out every so often, since a few
// rows of theirs would keep old write-ahead logs alive.
void RocksDbEngine::KeepHouse() {
  // What fails here is tried again next time; a failure for good is told by on_failure.
  if (records_flushed_->exchange(false)) database_->FlushSmallFamilies().IgnoreError();
  retention_.Enforce(Reclaimer::Urgency::kWhenWorthIt).IgnoreError();
}

// ---- Facts

Capabilities RocksDbEngine::capabilities() const {
  return {.atomic_produce = true,
          .producer_sequences = true,
          .expected_offset = true,
          .fenced_commits = true,
          .log_epoch = true,
          .time_basis = TimeBasis::kAppendTime,
          .checkpoints = true};
}

LogEpoch RocksDbEngine::log_epoch() const {
  return LogEpoch(topics_.log_epoch().load(std::memory_order_relaxed));
}

EngineStats RocksDbEngine::Stats() const {
  const CommitQueue::Depth queue = queue_.depth();
  return {.append = committer_->append_times(),
          .sync = syncer_->sync_times(),
          .queued_writes = queue.queued,
          .queued_bytes = queue.bytes,
          .queue_limit_bytes = queue_.max_bytes(),
          .waiting_for_sync = syncer_->depth().waiting,
          .disk = DiskStatsOf(options_.data_dir),
          .figures = FiguresOf(*database_)};
}

std::vector<WorkStatus> RocksDbEngine::Work() const {
  const CommitQueue::Depth queue = queue_.depth();
  const Syncer::Depth syncs = syncer_->depth();
  const ReaderPool::Depth reads = readers_->depth();
  return {{"committer", queue.queued + (queue.committing ? 1 : 0), committer_->done()},
          {"syncer", syncs.waiting + (syncs.syncing ? 1 : 0), syncer_->done()},
          {"readers", reads.waiting, reads.done}};
}

// ---- Writing

void RocksDbEngine::Write(WriteSet set, WriteCompletion done) {
  const bool synced = set.durability == Durability::kSynced;
  const bool sync_is_idle = synced && set.on_calling_thread && syncer_->idle();
  const absl::StatusOr<bool> leads = queue_.Push(set, done, sync_is_idle);
  if (!leads.ok()) return std::move(done)(leads.status());
  if (!*leads) return;
  committer_->CommitAsLeader(synced);
  if (synced) syncer_->SyncOnCallingThread();
}

absl::StatusOr<ProducerState> RocksDbEngine::OpenProducer(std::string_view producer_id) {
  ProducerState state;
  Change change;
  change.prepare = [&](rocksdb::WriteBatch& batch) -> absl::Status {
    const ProducerWindow* known = producers_.Find(producer_id);
    if (absl::Status status = producers_.TakeError(); !status.ok()) return status;
    ProducerWindow next = known == nullptr ? ProducerWindow(options_.producer_window) : *known;
    state = {.epoch = next.OpenEpoch(), .last_sequence = next.last_sequence()};
    producers_.AddEpochRow(producer_id, next, absl::ToUnixMillis(options_.clock->Now()), batch);
    return absl::OkStatus();
  };
  change.when_written = [&] { producers_.Forget(producer_id); };  // The next look reads the row.
  if (absl::Status status = queue_.Apply(std::move(change)); !status.ok()) return status;
  return state;
}

absl::Status RocksDbEngine::ExpireProducers(absl::Duration idle) {
  const auto listed = producers_.ListIdle(absl::ToUnixMillis(options_.clock->Now() - idle));
  if (!listed.ok()) return listed.status();
  absl::Span<const ProducerStore::IdleProducer> left(*listed);
  while (!left.empty()) {
    // A few at a time, for writes wait meanwhile.
    const auto next = left.subspan(0, kProducersAtOnce);
    if (absl::Status status = ForgetProducers(next); !status.ok()) return status;
    left.remove_prefix(next.size());
  }
  return absl::OkStatus();
}

absl::Status RocksDbEngine::ForgetProducers(absl::Span<const ProducerStore::IdleProducer> idle) {
  std::vector<std::string> forgotten;
  Change change;
  change.prepare = [&](rocksdb::WriteBatch& batch) -> absl::Status {
    for (const ProducerStore::IdleProducer& producer : idle) {
      const ProducerWindow* window = producers_.Find(producer.id);
      if (absl::Status status = producers_.TakeError(); !status.ok()) return status;
      // One that was used since is not idle any more.
      if (window == nullptr || window->epoch() != producer.epoch ||
          window->last_sequence() != producer.last_sequence) {
        continue;
      }
      producers_.AddDeletion(producer.id, batch);
      forgotten.push_back(producer.id);
    }
    return absl::OkStatus();
  };
  change.when_written = [&] {
    for (const std::string& id : forgotten) producers_.Forget(id);
  };
  return queue_.Apply(std::move(change));
}

// ---- Reading

void RocksDbEngine::Read(PartitionId id, Offset from, ReadLimits limits, ReadCompletion done) {
  auto partition = partitions_.Get(id);
  if (!partition.ok()) return std::move(done)(partition.status());
  auto plan = (*partition)->PlanRead(from, limits);
  if (!plan.ok()) return std::move(done)(plan.status());
  if (!plan->on_disk) {
    absl::Status status;
    ReadResult result = FromMemory(*std::move(plan), from, limits, &status);
    if (!status.ok()) return std::move(done)(status);
    return std::move(done)(std::move(result));
  }
  read_ahead_->Read(*partition, from, limits, std::move(done));
}

void RocksDbEngine::NotifyWhenReadable(PartitionId id, Offset from,
                                       std::weak_ptr<ReadWaiter> waiter) {
  const PartitionPtr partition = partitions_.Find(id);
  if (partition != nullptr && partition->Wait(from, waiter)) return;
  if (const auto alive = waiter.lock()) alive->OnReadable(id);
}

absl::StatusOr<PartitionStatus> RocksDbEngine::Status(PartitionId id) const {
  const auto partition = partitions_.Get(id);
  if (!partition.ok()) return partition.status();
  return (*partition)->Status();
}

absl::StatusOr<Offset> RocksDbEngine::OffsetAtTime(PartitionId id, absl::Time time) {
  const auto partition = partitions_.Get(id);
  if (!partition.ok()) return partition.status();
  const UnixMillis millis = CeilToMillis(time);
  const Partition::SearchRange range = (*partition)->RangeToSearch(millis);
  auto found = batch_reader_.FirstSince(id, range, millis);
  if (!found.ok()) return found;
  return std::max(*found, (*partition)->Status().earliest);
}

absl::Status RocksDbEngine::ValidatePosition(PartitionId id, Offset offset, LogEpoch epoch) const {
  const auto partition = partitions_.Get(id);
  if (!partition.ok()) return partition.status();
  return (*partition)->Validate(offset, epoch);
}

// ---- Groups

absl::StatusOr<std::vector<CommittedOffset>> RocksDbEngine::CommittedOffsets(
    std::string_view group) const {
  return offsets_.Committed(group);
}

std::vector<std::string> RocksDbEngine::Groups() const { return offsets_.Groups(); }

absl::Status RocksDbEngine::DeleteGroup(std::string_view group) {
  Change change;
  change.prepare = [&](rocksdb::WriteBatch& batch) -> absl::Status {
    for (const CommittedOffset& offset : offsets_.Committed(group)) {
      batch.Delete(database_->offsets(), ToSlice(rows::OffsetKey(group, offset.partition)));
    }
    batch.Delete(database_->log(), ToSlice(rows::GroupKey(group)));
    return absl::OkStatus();
  };
  change.when_written = [&] { offsets_.DropGroup(group); };
  return queue_.Apply(std::move(change));
}

absl::Status RocksDbEngine::PutGroupState(std::string_view group, std::string_view state) {
  Change change;
  change.prepare = [&](rocksdb::WriteBatch& batch) -> absl::Status {
    if (state.empty()) {
      batch.Delete(database_->log(), ToSlice(rows::GroupKey(group)));
    } else {
      batch.Put(database_->log(), ToSlice(rows::GroupKey(group)), ToSlice(state));
    }
    return absl::OkStatus();
  };
  return queue_.Apply(std::move(change));
}

absl::StatusOr<std::string> RocksDbEngine::GroupState(std::string_view group) const {
  std::string state;
  const rocksdb::Status status = database_->db().Get(rocksdb::ReadOptions(), database_->log(),
                                                     ToSlice(rows::GroupKey(group)), &state);
  if (status.IsNotFound()) return std::string();
  if (!status.ok()) return ToStatus(status, "cannot read what is kept of a group");
  return state;
}

// ---- Topics

TopicPtr RocksDbEngine::FindTopic(std::string_view name) const { return topics_.Find(name); }

std::vector<TopicPtr> RocksDbEngine::Topics() const { return topics_.All(); }

absl::StatusOr<TopicPtr> RocksDbEngine::CreateTopic(std::string_view name, int32_t partition_count,
                                                    RetentionPolicy retention) {
  TopicPtr made;
  absl::Status status = queue_.Apply(
      topics_.MakeCreation(std::string(name), partition_count, std::move(retention), &made));
  if (!status.ok()) return status;
  return made;
}

absl::StatusOr<TopicPtr> RocksDbEngine::UpdateTopic(std::string_view name,
                                                    const TopicChange& change) {
  TopicPtr made;
  absl::Status status = queue_.Apply(topics_.MakeUpdate(std::string(name), change, &made));
  if (!status.ok()) return status;
  return made;
}

absl::Status RocksDbEngine::DeleteTopic(std::string_view name) {
  return queue_.Apply(topics_.MakeDeletion(std::string(name)));
}

absl::Status RocksDbEngine::Truncate(PartitionId partition, Offset before) {
  return retention_.Truncate(partition, before);
}

absl::Status RocksDbEngine::EnforceRetention() {
  return retention_.Enforce(Reclaimer::Urgency::kNow);
}

absl::StatusOr<int64_t> RocksDbEngine::CreateCheckpoint(const std::string& directory) {
  if (absl::Status status = failure_.status(); !status.ok()) return status;
  return storage::CreateCheckpoint(*database_, directory);
}

}  // namespace millrace::storage
