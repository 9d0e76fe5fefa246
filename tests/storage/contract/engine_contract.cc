#include "tests/storage/contract/engine_contract.h"

#include <chrono>
#include <future>

#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"

namespace millrace::storage {
namespace {

// Longer than anything takes that works at all.
constexpr auto kPatience = std::chrono::seconds(60);

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> EngineFactory::ReopenAfterKill(
    std::unique_ptr<Engine> engine, const EngineSettings& settings) {
  return absl::UnimplementedError("this engine keeps nothing over a kill");
}

EncodedRecords EncodeValues(const std::vector<std::string>& values) {
  std::string entries;
  for (const std::string& value : values) {
    RecordView record;
    record.value = value;
    AppendRecordEntry(record, &entries);
  }
  SliceBuffer buffer(entries.size());
  entries.copy(buffer.data(), entries.size());
  return {buffer.Share(0, buffer.size()), static_cast<int32_t>(values.size())};
}

std::ostream& operator<<(std::ostream& os, const ReadRecord& record) {
  return os << record.offset << ":" << record.value.substr(0, 40);
}

std::vector<ReadRecord> RecordsOf(const FetchedBatch& batch) {
  std::vector<ReadRecord> records;
  int64_t bytes = 0;
  for (const SharedSlice& slice : batch.entries) {
    EntryReader reader(slice.bytes);
    for (std::string_view entry; reader.Next(&entry);) {
      const auto record = ParseRecord(entry);
      const auto offset = batch.base_offset.value() + static_cast<int64_t>(records.size());
      records.push_back({offset, std::string(record->value.value_or("(none)"))});
    }
    EXPECT_FALSE(reader.damaged());
    bytes += static_cast<int64_t>(slice.bytes.size());
  }
  EXPECT_EQ(bytes, batch.entries_bytes);
  EXPECT_EQ(static_cast<int32_t>(records.size()), batch.record_count);
  return records;
}

std::vector<ReadRecord> RecordsOf(const ReadResult& result) {
  std::vector<ReadRecord> records;
  for (const FetchedBatch& batch : result.batches) {
    for (ReadRecord& record : RecordsOf(batch)) records.push_back(std::move(record));
  }
  return records;
}

std::string ReasonWord(const absl::Status& status) {
  if (status.ok()) return "OK";
  const auto reason = ReasonOf(status);
  return reason ? std::string(TraitsOf(*reason).word) : "(no reason) " + status.ToString();
}

void CountingWaiter::OnReadable(PartitionId partition) {
  const std::lock_guard lock(mutex_);
  ++calls_;
  changed_.notify_all();
}

bool CountingWaiter::WaitForCalls(int calls) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return calls_ >= calls; });
}

int CountingWaiter::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

void EngineContract::SetUp() {
  factory_ = GetParam()();
  auto engine = factory_->Open(settings());
  ASSERT_TRUE(engine.ok()) << engine.status();
  engine_ = *std::move(engine);
}

void EngineContract::TearDown() {
  engine_.reset();
  factory_.reset();
}

EngineContract::PendingWrite EngineContract::StartWrite(WriteSet set) {
  PendingWrite pending;
  engine().Write(std::move(set), [state = pending.state_](absl::StatusOr<WriteResult> result) {
    const std::lock_guard lock(state->mutex);
    state->result = std::move(result);
    ++state->completions;
    state->changed.notify_all();
  });
  return pending;
}

absl::StatusOr<WriteResult> EngineContract::PendingWrite::Wait() {
  std::unique_lock lock(state_->mutex);
  EXPECT_TRUE(state_->changed.wait_for(lock, kPatience, [&] { return state_->completions > 0; }));
  EXPECT_EQ(state_->completions, 1);
  return state_->result;
}

bool EngineContract::PendingWrite::done() const {
  const std::lock_guard lock(state_->mutex);
  return state_->completions > 0;
}

absl::StatusOr<WriteResult> EngineContract::Write(WriteSet set) {
  return StartWrite(std::move(set)).Wait();
}

Offset EngineContract::AppendValues(PartitionId partition, const std::vector<std::string>& values,
                                    Durability durability) {
  WriteSet set = AppendOf(partition, values);
  set.durability = durability;
  const auto result = Write(std::move(set));
  EXPECT_TRUE(result.ok()) << result.status();
  if (!result.ok() || result->ranges.size() != 1) {
    ADD_FAILURE() << "an append without its range";
    return Offset(-1);
  }
  EXPECT_EQ(result->ranges[0].partition, partition);
  EXPECT_EQ(result->ranges[0].record_count, static_cast<int32_t>(values.size()));
  return result->ranges[0].base_offset;
}

absl::StatusOr<ReadResult> EngineContract::Read(PartitionId partition, Offset from,
                                                ReadLimits limits) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<ReadResult>>>();
  auto future = promise->get_future();
  engine().Read(partition, from, limits, [promise](absl::StatusOr<ReadResult> result) {
    promise->set_value(std::move(result));
  });
  if (future.wait_for(kPatience) != std::future_status::ready) {
    ADD_FAILURE() << "a read without an answer";
    return absl::DeadlineExceededError("no answer");
  }
  return future.get();
}

std::vector<ReadRecord> EngineContract::ReadAll(PartitionId partition, Offset from,
                                                ReadLimits limits) {
  std::vector<ReadRecord> records;
  while (true) {
    const auto result = Read(partition, from, limits);
    if (!result.ok()) {
      ADD_FAILURE() << result.status();
      return records;
    }
    if (result->batches.empty()) return records;
    for (ReadRecord& record : RecordsOf(*result)) records.push_back(std::move(record));
    from = result->next_offset;
  }
}

TopicPtr EngineContract::CreateTopic(std::string_view name, int32_t partitions,
                                     RetentionPolicy retention) {
  const auto topic = engine().CreateTopic(name, partitions, retention);
  EXPECT_TRUE(topic.ok()) << topic.status();
  if (!topic.ok()) return std::make_shared<Topic>(Topic{.partitions = {PartitionId(0)}});
  return *topic;
}

WriteSet EngineContract::CommitOf(std::string group, PartitionId partition, int64_t next_offset,
                                  std::optional<int64_t> epoch, std::string metadata) {
  OffsetCommit commit{.group = std::move(group),
                      .partition = partition,
                      .next_offset = Offset(next_offset),
                      .metadata = std::move(metadata)};
  if (epoch) commit.position_epoch = PositionEpoch(*epoch);
  WriteSet set;
  set.commits.push_back(std::move(commit));
  set.durability = Durability::kBuffered;
  return set;
}

WriteSet EngineContract::AppendOf(PartitionId partition, const std::vector<std::string>& values) {
  WriteSet set;
  set.appends.push_back({.partition = partition, .records = EncodeValues(values)});
  set.durability = Durability::kBuffered;
  return set;
}

WriteSet EngineContract::NumberedOf(PartitionId partition, const std::vector<std::string>& values,
                                    const ProducerState& producer, int64_t sequence) {
  WriteSet set = AppendOf(partition, values);
  set.producer = ProducerStamp{.producer_id = "producer",
                               .epoch = producer.epoch,
                               .sequence = sequence,
                               .annotation = "annotation " + std::to_string(sequence)};
  return set;
}

ProducerState EngineContract::OpenProducer(std::string_view id) {
  const auto state = engine().OpenProducer(id);
  EXPECT_TRUE(state.ok()) << state.status();
  return state.value_or(ProducerState{});
}

std::optional<CommittedOffset> EngineContract::CommittedBy(std::string_view group,
                                                           PartitionId partition) {
  const auto offsets = engine().CommittedOffsets(group);
  EXPECT_TRUE(offsets.ok()) << offsets.status();
  if (!offsets.ok()) return std::nullopt;
  for (const CommittedOffset& offset : *offsets) {
    if (offset.partition == partition) return offset;
  }
  return std::nullopt;
}

void DurableEngineContract::ReopenAfterClose() {
  const absl::Status closed = engine_->Close();
  ASSERT_TRUE(closed.ok()) << closed;
  engine_.reset();
  auto engine = factory_->Open(settings());
  ASSERT_TRUE(engine.ok()) << engine.status();
  engine_ = *std::move(engine);
}

void DurableEngineContract::ReopenAfterKill() {
  auto engine = factory_->ReopenAfterKill(std::move(engine_), settings());
  ASSERT_TRUE(engine.ok()) << engine.status();
  engine_ = *std::move(engine);
}

}  // namespace millrace::storage
