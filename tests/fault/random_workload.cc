#include "tests/fault/random_workload.h"

#include <algorithm>
#include <utility>

#include "storage/batch/record_view.h"
#include "tests/fault/observed_log.h"

namespace millrace::fault {
namespace {

using storage::Durability;
using storage::Engine;
using storage::Offset;
using storage::PartitionId;
using storage::TopicPtr;

constexpr int kProducers = 3;
constexpr int kGroups = 3;
constexpr size_t kMostTopics = 4;

storage::EncodedRecords RecordsOf(const AskedWrite& write, size_t append) {
  std::string entries;
  const int32_t count = write.appends[append].count;
  for (int32_t i = 0; i < count; ++i) {
    const std::string value =
        ValueOf({write.id, static_cast<int32_t>(append), i}, write.value_bytes);
    storage::RecordView record;
    record.value = value;
    storage::AppendRecordEntry(record, &entries);
  }
  const auto shared = std::make_shared<std::string>(std::move(entries));
  return {{shared, *shared}, count};
}

storage::WriteSet SetOf(const AskedWrite& write, Durability durability) {
  storage::WriteSet set{.durability = durability, .on_calling_thread = write.id % 2 == 0};
  for (size_t i = 0; i < write.appends.size(); ++i) {
    set.appends.push_back(
        {.partition = write.appends[i].partition, .records = RecordsOf(write, i)});
  }
  for (size_t i = 0; i < write.commits.size(); ++i) {
    const AskedCommit& commit = write.commits[i];
    set.commits.push_back({.group = commit.group,
                           .partition = commit.partition,
                           .next_offset = commit.next_offset,
                           .metadata = MetadataOf(write.id, i),
                           .position_epoch = commit.position_epoch});
  }
  if (write.stamp) {
    set.producer = {.producer_id = write.stamp->producer,
                    .epoch = write.stamp->epoch,
                    .sequence = write.stamp->sequence,
                    .annotation = AnnotationOf(write.id)};
  }
  return set;
}

}  // namespace

RandomWorkload::RandomWorkload(uint64_t seed, HistoryChecker& checker, storage::ManualClock& clock)
    : random_(seed), checker_(checker), clock_(clock) {
  for (int i = 0; i < kProducers; ++i) {
    producers_.push_back(std::make_unique<Producer>());
    producers_.back()->id = "producer " + std::to_string(i);
  }
}

absl::Status RandomWorkload::Believed(const absl::Status& answer) const {
  return is_cut_() ? absl::UnknownError("the power was cut before the answer came") : answer;
}

void RandomWorkload::Run(Engine& engine, int steps, std::function<bool()> is_cut) {
  is_cut_ = std::move(is_cut);
  for (const auto& producer : producers_) {
    if (is_cut_()) return;
    SendMissing(engine, *producer);
  }
  RepeatSome(engine);
  for (int i = 0; i < steps && !is_cut_(); ++i) {
    clock_.Advance(absl::Seconds(1));
    Step(engine);
  }
}

void RandomWorkload::WaitForAnswers() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return under_way_ == 0; });
}

void RandomWorkload::Step(Engine& engine) {
  const uint64_t drawn = random_.Below(100);
  if (engine.Topics().empty() || drawn < 6) return ChangeTopics(engine);
  if (drawn < 70) return SendNew(engine);
  if (drawn < 78) return SendCommits(engine);
  if (drawn < 82) return WaitForAnswers();
  if (drawn < 86) return ReadOne(engine);
  if (drawn < 89) return Truncate(engine);
  if (drawn < 92) return engine.EnforceRetention().IgnoreError();
  if (drawn < 95) return ChangeGroups(engine);
  if (drawn < 97) return RepeatSome(engine);
  Open(engine, *producers_[random_.Below(kProducers)]);
}

// ---- Writes

// After a cut a client sends again what it knows, or has to assume, to be missing.
void RandomWorkload::SendMissing(Engine& engine, Producer& producer) {
  if (producer.lost_track || random_.OneIn(3)) Open(engine, producer);
  if (producer.lost_track) return;
  std::vector<AskedWrite> missing = checker_.Missing(producer.id);
  bool in_order = !missing.empty();
  for (AskedWrite& write : missing) {
    if (write.stamp->sequence < producer.next_sequence) continue;
    in_order = in_order && write.stamp->sequence == producer.next_sequence;
    if (!in_order) break;
    write.stamp->epoch = producer.epoch;
    Send(engine, write, &producer);
    ++producer.next_sequence;
  }
  // The log may be behind what this producer counted, and nothing is left to fill that.
  if (missing.empty() || !in_order) Open(engine, producer);
}

void RandomWorkload::RepeatSome(Engine& engine) {
  for (int i = 0; i < 2 && !sent_.empty(); ++i) {
    const size_t back = random_.Below(std::min<size_t>(sent_.size(), 6)) + 1;
    auto& [write, producer] = sent_[sent_.size() - back];
    if (producer->lost_track || !checker_.IsRepeatable(write.id)) continue;
    AskedWrite again = write;
    again.stamp->epoch = producer->epoch;
    Send(engine, again, producer);
  }
}

void RandomWorkload::SendNew(Engine& engine) {
  AskedWrite write{.id = next_write_++};
  write.value_bytes = random_.OneIn(4) ? static_cast<size_t>(random_.Between(1000, 12000))
                                       : static_cast<size_t>(random_.Between(20, 300));
  const int64_t appends = random_.OneIn(3) ? random_.Between(2, 3) : 1;
  for (int64_t i = 0; i < appends; ++i) {
    const auto count = static_cast<int32_t>(random_.Between(1, 4));
    write.appends.push_back({AnyPartition(engine), count});
  }
  if (random_.OneIn(4)) {
    write.commits.push_back(AnyCommit(engine, AnyPartition(engine)));
  }
  Producer* producer = nullptr;
  if (random_.OneIn(2)) {
    producer = producers_[random_.Below(kProducers)].get();
    if (producer->lost_track) Open(engine, *producer);
    if (producer->lost_track) return;
    write.stamp = {producer->id, producer->epoch, producer->next_sequence++};
  }
  Send(engine, write, producer);
  if (producer == nullptr) return;
  sent_.emplace_back(write, producer);
  if (sent_.size() > 12) sent_.erase(sent_.begin());
}

void RandomWorkload::SendCommits(Engine& engine) {
  AskedWrite write{.id = next_write_++};
  const int64_t commits = random_.Between(1, 2);
  for (int64_t i = 0; i < commits; ++i) {
    write.commits.push_back(AnyCommit(engine, AnyPartition(engine)));
  }
  Send(engine, write, nullptr);
}

void RandomWorkload::Send(Engine& engine, const AskedWrite& write, Producer* producer) {
  const Durability durability = random_.OneIn(3) ? Durability::kBuffered : Durability::kSynced;
  checker_.AskWrite(write);
  {
    const std::lock_guard lock(mutex_);
    ++under_way_;
  }
  engine.Write(SetOf(write, durability), [this, id = write.id, durability, producer](auto result) {
    // The result is older than this look at the power.
    const bool is_cut = is_cut_();
    if (!is_cut) checker_.AnswerWrite(id, durability, result);
    if (producer != nullptr && (is_cut || !result.ok())) producer->lost_track = true;
    const std::lock_guard lock(mutex_);
    --under_way_;
    changed_.notify_all();
  });
}

void RandomWorkload::Open(Engine& engine, Producer& producer) {
  checker_.AskChange({.kind = AskedChange::Kind::kOpenProducer, .name = producer.id});
  producer.lost_track = true;
  const auto state = engine.OpenProducer(producer.id);
  const absl::Status believed = Believed(state.status());
  checker_.AnswerChange(believed, nullptr, state.ok() ? *state : storage::ProducerState());
  if (!believed.ok()) return;
  producer.epoch = state->epoch;
  producer.next_sequence = state->last_sequence + 1;
  producer.lost_track = false;
}

PartitionId RandomWorkload::AnyPartition(Engine& engine) {
  const std::vector<TopicPtr> topics = engine.Topics();
  if (topics.empty()) return PartitionId();
  const TopicPtr& topic = topics[random_.Below(topics.size())];
  return topic->partitions[random_.Below(topic->partitions.size())];
}

AskedCommit RandomWorkload::AnyCommit(Engine& engine, PartitionId partition) {
  const auto status = engine.Status(partition);
  const int64_t end = status.ok() ? status->high_watermark.value() : 0;
  AskedCommit commit{.group = "group " + std::to_string(random_.Below(kGroups)),
                     .partition = partition,
                     .next_offset = Offset(random_.Between(std::max<int64_t>(0, end - 8), end)),
                     .position_epoch = {}};
  if (random_.OneIn(2)) commit.position_epoch = storage::PositionEpoch(random_.Between(1, 3));
  return commit;
}

// ---- Everything else

void RandomWorkload::ReadOne(Engine& engine) {
  const PartitionId id = AnyPartition(engine);
  const ObservedPartition partition = ReadPartition(engine, id);
  if (partition.records.empty()) return;
  const ObservedRecord& last = partition.records[random_.Below(partition.records.size())];
  if (!last.id || is_cut_()) return;
  checker_.NotePosition({id, last.offset + 1, last.log_epoch, *last.id});
}

storage::RetentionPolicy RandomWorkload::AnyRetention() {
  switch (random_.Below(5)) {
    case 0:
      return {.max_age = absl::Seconds(random_.Between(5, 40)), .max_partition_bytes = {}};
    case 1:
      return {.max_age = {}, .max_partition_bytes = random_.Between(5000, 50000)};
    default:
      return {};
  }
}

void RandomWorkload::ChangeTopics(Engine& engine) {
  using Kind = AskedChange::Kind;
  const std::vector<TopicPtr> topics = engine.Topics();
  const bool create = topics.empty() || (topics.size() < kMostTopics && random_.OneIn(2));
  AskedChange change{.kind = Kind::kCreateTopic};
  const storage::RetentionPolicy retention = AnyRetention();
  change.has_retention = retention != storage::RetentionPolicy();
  if (create) {
    // Now and then a name that another topic had.
    change.name = "topic " + std::to_string(next_name_++ % 7);
    if (engine.FindTopic(change.name) != nullptr) return;
    change.partitions = static_cast<int32_t>(random_.Between(1, 3));
    checker_.AskChange(change);
    const auto topic = engine.CreateTopic(change.name, change.partitions, retention);
    checker_.AnswerChange(Believed(topic.status()), topic.ok() ? *topic : nullptr);
  } else if (const TopicPtr& topic = topics[random_.Below(topics.size())]; random_.OneIn(3)) {
    change.kind = Kind::kDeleteTopic;
    change.name = topic->name;
    checker_.AskChange(change);
    checker_.AnswerChange(Believed(engine.DeleteTopic(change.name)));
  } else {
    change.kind = Kind::kUpdateTopic;
    change.name = topic->name;
    change.partitions = static_cast<int32_t>(topic->partitions.size()) + 1;
    checker_.AskChange(change);
    const auto updated = engine.UpdateTopic(
        change.name, {.partition_count = change.partitions, .retention = retention});
    checker_.AnswerChange(Believed(updated.status()), updated.ok() ? *updated : nullptr);
  }
  const storage::LogEpoch epoch = engine.log_epoch();
  if (!is_cut_()) checker_.NoteLogEpoch(epoch);
}

void RandomWorkload::ChangeGroups(Engine& engine) {
  AskedChange change{.kind = AskedChange::Kind::kPutGroupState};
  change.name = "group " + std::to_string(random_.Below(kGroups));
  if (random_.OneIn(3)) {
    change.kind = AskedChange::Kind::kDeleteGroup;
    checker_.AskChange(change);
    checker_.AnswerChange(Believed(engine.DeleteGroup(change.name)));
  } else {
    change.state = "state " + std::to_string(next_name_++);
    checker_.AskChange(change);
    checker_.AnswerChange(Believed(engine.PutGroupState(change.name, change.state)));
  }
}

void RandomWorkload::Truncate(Engine& engine) {
  const PartitionId partition = AnyPartition(engine);
  const auto status = engine.Status(partition);
  if (!status.ok()) return;
  AskedChange change{.kind = AskedChange::Kind::kTruncate};
  change.partition = partition;
  change.before = Offset(random_.Between(status->earliest.value(), status->high_watermark.value()));
  checker_.AskChange(change);
  checker_.AnswerChange(Believed(engine.Truncate(change.partition, change.before)));
}

}  // namespace millrace::fault
