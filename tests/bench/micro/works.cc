#include "tests/bench/micro/works.h"

#include <memory>
#include <string_view>
#include <utility>

#include "server/grpc/subscribe_frames.h"
#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"
#include "storage/batch/record_walk.h"
#include "storage/batch/stored_batch.h"

namespace millrace::bench {

std::string MakeEntries(int64_t value_bytes, int64_t headers) {
  std::string entries;
  for (int i = 0; i < kRecords; ++i) {
    const std::string key = "key-" + std::to_string(kRecords + i);
    const std::string value(static_cast<size_t>(value_bytes), 'v');
    storage::RecordView record;
    record.key = key;
    record.value = value;
    for (int64_t h = 0; h < headers; ++h) record.headers.push_back({"traceparent", "00-4bf92f35"});
    AppendRecordEntry(record, &entries);
  }
  return entries;
}

int WireWalk::Run() const {
  int accepted = 0;
  storage::EntryReader reader(entries_);
  for (std::string_view record; reader.Next(&record);) {
    storage::RecordFacts facts;
    const auto found = WalkRecord(record, storage::RecordLimits{}, &facts);
    accepted += found == storage::WalkError::kNone ? 1 : 0;
  }
  return accepted;
}

char BatchHeader::Run() const {
  return storage::EncodeBatchHeader({kRecords, 0, storage::LogEpoch(1)}, {entries_}).back();
}

FrameEncode::FrameEncode(int64_t value_bytes, int batches) {
  const auto topic = std::make_shared<const std::string>("orders");
  const std::string entries = MakeEntries(value_bytes, 0);
  std::string_view left = entries;
  const int records = kRecords / batches;
  for (int i = 0; i < batches; ++i) {
    const auto prefix = storage::PrefixOfRecords(left, records);
    storage::SliceBuffer buffer(prefix->bytes);
    left.copy(buffer.data(), prefix->bytes);
    left.remove_prefix(prefix->bytes);
    hub::DeliveredBatch& batch = frame_.batches.emplace_back();
    batch.name = {.topic = topic, .partition = i};
    batch.batch = {.base_offset = storage::Offset(i),
                   .record_count = records,
                   .log_epoch = storage::LogEpoch(1),
                   .append_time = 1,
                   .entries = {buffer.Share(0, buffer.size())},
                   .entries_bytes = static_cast<int64_t>(buffer.size())};
  }
}

int64_t FrameEncode::Run() const {
  return static_cast<int64_t>(server::EncodeBatches(frame_).Length());
}

}  // namespace millrace::bench
