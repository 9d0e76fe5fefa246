#include "client/cpp/frame_decoder.h"

namespace millrace::client {
namespace {

// Field numbers of the contract's SubscribeResponse, Batches and RecordBatch.
constexpr uint32_t kBatchesFrame = 2;
constexpr uint32_t kBatches = 1;
constexpr uint32_t kTopic = 1;
constexpr uint32_t kPartition = 2;
constexpr uint32_t kRecords = 3;
constexpr uint32_t kBaseOffset = 4;
constexpr uint32_t kAppendTime = 5;
constexpr uint32_t kPositionEpoch = 6;
constexpr uint32_t kHighWatermark = 7;
constexpr uint32_t kLogEpoch = 8;

bool DecodeBatch(std::string_view bytes, EncodedBatch& batch) {
  batch.bytes = bytes;
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case kTopic:
        batch.topic = reader.bytes();
        break;
      case kPartition:
        batch.partition = reader.int32();
        break;
      case kRecords:
        ++batch.record_count;
        break;
      case kBaseOffset:
        batch.base_offset = reader.int64();
        break;
      case kAppendTime:
        batch.append_time = DecodeTimestamp(reader.bytes());
        break;
      case kPositionEpoch:
        batch.position_epoch = reader.int64();
        break;
      case kHighWatermark:
        batch.high_watermark = reader.int64();
        break;
      case kLogEpoch:
        batch.log_epoch = reader.int64();
        break;
    }
  }
  return reader.ok();
}

}  // namespace

std::optional<std::vector<EncodedBatch>> DecodeBatches(std::string_view frame) {
  WireReader outer(frame);
  if (!outer.Next() || !outer.is(kBatchesFrame, kLengthDelimited)) return std::nullopt;
  std::vector<EncodedBatch> batches;
  WireReader reader(outer.bytes());
  while (reader.Next()) {
    if (!reader.is(kBatches, kLengthDelimited)) continue;
    if (!DecodeBatch(reader.bytes(), batches.emplace_back())) return std::nullopt;
  }
  if (!reader.ok()) return std::nullopt;
  return batches;
}

std::optional<std::string_view> RecordCursor::Next() {
  while (reader_.Next()) {
    if (reader_.is(kRecords, kLengthDelimited)) return reader_.bytes();
  }
  return std::nullopt;
}

}  // namespace millrace::client
