// What the caller takes out of a consumer's buffer, see consumer_core.h.
#include <algorithm>
#include <utility>

#include "client/cpp/consumer_core.h"
#include "client/cpp/monotonic.h"
#include "client/cpp/record_codec.h"

namespace millrace::client {

absl::StatusOr<std::vector<ReceivedRecord>> Consumer::Core::Poll(absl::Duration timeout,
                                                                 size_t max_records) {
  const absl::Time deadline = MonotonicNow() + timeout;
  std::vector<Portion> portions;
  std::vector<ReceivedRecord> records;
  bool told = false;
  Lock lock(mutex_);
  if (!options_.on_event) {
    readings_.ForEach([](Reading& reading) { reading.told_moves = reading.moves; });
  }
  while (true) {
    Collect(std::max<size_t>(1, max_records), portions);
    if (!portions.empty()) break;
    if (!items_.empty()) {
      // What is left at the front is an event.
      const ConsumerEvent event = std::get<ConsumerEvent>(std::move(items_.front()));
      items_.pop_front();
      told = true;
      MarkMovesTold(event);
      lock.unlock();
      options_.on_event(event);
      lock.lock();
      MarkTold(event);
      continue;
    }
    if (!failed_.ok()) return failed_;
    if (std::exchange(woken_, false) || told || ended_) return records;
    if (!WaitUntil(changed_, lock, deadline, [&] { return !items_.empty() || woken_ || Over(); })) {
      return records;
    }
  }
  lock.unlock();
  absl::Status decoded = Decode(portions, records);
  if (!decoded.ok()) return decoded;
  return records;
}

// Takes records up to the next event, and says that they are returned.
void Consumer::Core::Collect(size_t max_records, std::vector<Portion>& portions) {
  auto wanted = static_cast<int64_t>(max_records);
  while (wanted > 0 && !items_.empty()) {
    auto* const front = std::get_if<std::shared_ptr<BufferedBatch>>(&items_.front());
    if (front == nullptr) return;
    const std::shared_ptr<BufferedBatch> batch = *front;
    if (DropOrHold(batch)) {
      items_.pop_front();
      FreeBuffer(static_cast<int64_t>(batch->batch.bytes.size()));
      continue;
    }
    const int64_t count = std::min(wanted, batch->end_offset - batch->next_offset);
    portions.push_back({batch, batch->next_offset, count});
    wanted -= count;
    batch->next_offset += count;
    batch->reading->returned = {batch->next_offset, batch->batch.log_epoch > 0
                                                        ? std::optional(batch->batch.log_epoch)
                                                        : std::nullopt};
    batch->reading->told_moves = batch->reading->moves;
    if (batch->next_offset < batch->end_offset) return;
    items_.pop_front();
    FreeBuffer(static_cast<int64_t>(batch->batch.bytes.size()));
  }
}

bool Consumer::Core::DropOrHold(const std::shared_ptr<BufferedBatch>& batch) {
  Reading& reading = *batch->reading;
  if (batch->generation != reading.generation) return true;
  if (!reading.paused) return false;
  reading.held.push_back(batch);
  return true;
}

void Consumer::Core::FreeBuffer(int64_t bytes) {
  buffered_bytes_ -= bytes;
  // Half empty before the hub may send again, so that it is not woken for every batch.
  if (buffered_bytes_ * 2 <= ReadingBound()) ReadOn();
}

absl::Status Consumer::Core::Decode(const std::vector<Portion>& portions,
                                    std::vector<ReceivedRecord>& records) const {
  int64_t total = 0;
  for (const Portion& portion : portions) total += portion.record_count;
  records.reserve(total);
  for (const auto& [batch, first_offset, record_count] : portions) {
    while (batch->cursor_offset < first_offset + record_count) {
      const std::optional<std::string_view> bytes = batch->cursor.Next();
      const int64_t offset = batch->cursor_offset++;
      if (bytes && offset < first_offset) continue;
      ReceivedRecord& record = records.emplace_back();
      if (!bytes || !DecodeRecord(*bytes, record)) {
        return absl::InternalError("The hub sent a malformed record.");
      }
      record.topic = batch->reading->name.topic;
      record.partition = batch->reading->name.partition;
      record.offset = offset;
      record.append_time = batch->batch.append_time;
      record.log_epoch = batch->batch.log_epoch;
    }
  }
  return absl::OkStatus();
}

bool Consumer::Core::ended() const {
  std::lock_guard lock(mutex_);
  return ended_ && items_.empty();
}

void Consumer::Core::Wake() {
  std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

}  // namespace millrace::client
