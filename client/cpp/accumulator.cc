#include "client/cpp/accumulator.h"

#include <algorithm>

#include "client/cpp/monotonic.h"

namespace millrace::client {
namespace {

// Rough costs beyond the encoded bytes, so that records of no size are bounded too.
constexpr int64_t kCallbackBytes = 64;

// A lane without a named partition.
constexpr int32_t kAnyPartition = -1;

}  // namespace

Accumulator::Lane& Accumulator::LaneOf(std::string_view topic, std::optional<int32_t> partition) {
  if (last_lane_ != nullptr && last_lane_->topic == topic && last_lane_->partition == partition) {
    return *last_lane_;
  }
  std::unique_ptr<Lane>& lane = lanes_[{std::string(topic), partition.value_or(kAnyPartition)}];
  if (lane == nullptr) {
    lane = std::make_unique<Lane>();
    lane->topic = topic;
    lane->partition = partition;
  }
  last_lane_ = lane.get();
  return *lane;
}

ProduceBatch& Accumulator::Begin(Lane& lane) {
  lane.open = std::make_unique<ProduceBatch>();
  ProduceBatch& batch = *lane.open;
  batch.id = ++last_id_;
  batch.topic = lane.topic;
  batch.partition = lane.partition;
  batch.created = MonotonicNow();
  batch.records.Reserve(lane.usual_bytes);
  open_.emplace(batch.id, &lane);
  return batch;
}

std::unique_ptr<ProduceBatch> Accumulator::Finish(Lane& lane) {
  open_.erase(lane.open->id);
  lane.usual_bytes = lane.open->records.size();
  Seal(*lane.open);
  return std::move(lane.open);
}

Accumulator::Added Accumulator::Add(std::string_view topic, std::optional<int32_t> partition,
                                    const RecordParts& record, size_t encoded_size,
                                    Producer::Callback callback) {
  Lane& lane = LaneOf(topic, partition);
  const size_t entry_bytes = BytesFieldSize(encoded_size);
  if (lane.open != nullptr &&
      static_cast<int64_t>(lane.open->records.size() + entry_bytes) > bounds_.bytes) {
    full_.push_back(Finish(lane));
  }
  Added added;
  added.began_batch = lane.open == nullptr;
  ProduceBatch& batch = added.began_batch ? Begin(lane) : *lane.open;
  AppendRecordEntry(batch.records, record, encoded_size);
  added.charged_bytes = static_cast<int64_t>(entry_bytes);
  if (callback) {
    batch.callbacks.emplace_back(batch.record_count, std::move(callback));
    added.charged_bytes += kCallbackBytes;
  }
  batch.charged_bytes += added.charged_bytes;
  ++batch.record_count;
  added.batch_id = batch.id;
  added.filled_batch = batch.record_count >= bounds_.records ||
                       static_cast<int64_t>(batch.records.size()) >= bounds_.bytes;
  if (added.filled_batch) {
    full_.push_back(Finish(lane));
  }
  return added;
}

bool Accumulator::IsDue(const ProduceBatch& batch, absl::Time now) const {
  return batch.id <= due_through_id_ || now - batch.created >= bounds_.linger;
}

std::unique_ptr<ProduceBatch> Accumulator::TakeNext(absl::Time now) {
  if (!full_.empty()) {
    std::unique_ptr<ProduceBatch> batch = std::move(full_.front());
    full_.pop_front();
    return batch;
  }
  if (open_.empty()) return nullptr;
  Lane& oldest = *open_.begin()->second;
  return IsDue(*oldest.open, now) ? Finish(oldest) : nullptr;
}

absl::Time Accumulator::next_due() const {
  if (!full_.empty()) return absl::InfinitePast();
  if (open_.empty()) return absl::InfiniteFuture();
  const ProduceBatch& batch = *open_.begin()->second->open;
  return batch.id <= due_through_id_ ? absl::InfinitePast() : batch.created + bounds_.linger;
}

std::vector<std::unique_ptr<ProduceBatch>> Accumulator::TakeBegunBefore(absl::Time time) {
  std::vector<std::unique_ptr<ProduceBatch>> taken;
  while (!full_.empty() && full_.front()->created < time) {
    taken.push_back(std::move(full_.front()));
    full_.pop_front();
  }
  while (!open_.empty() && open_.begin()->second->open->created < time) {
    taken.push_back(Finish(*open_.begin()->second));
  }
  return taken;
}

absl::Time Accumulator::oldest() const {
  absl::Time oldest = absl::InfiniteFuture();
  if (!full_.empty()) oldest = full_.front()->created;
  if (!open_.empty()) oldest = std::min(oldest, open_.begin()->second->open->created);
  return oldest;
}

}  // namespace millrace::client
