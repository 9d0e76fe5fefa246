#include "server/contract/batches_encoder.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/v1/event_hub.pb.h"

namespace millrace::server {
namespace {

using google::protobuf::internal::WireFormatLite;
using v1::Batches;
using v1::RecordBatch;
using v1::SubscribeResponse;

// Entries at least this long are shared with the log; shorter ones are copied, since a shared one
// keeps the whole stored batch alive for as long as the reader takes.
constexpr size_t kShareBytes = 16 << 10;

void AppendVarint(std::string& out, uint64_t value) {
  uint8_t bytes[10];
  const uint8_t* end = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, bytes);
  out.append(reinterpret_cast<const char*>(bytes), end - bytes);
}

void AppendTag(std::string& out, int field, WireFormatLite::WireType type) {
  AppendVarint(out, WireFormatLite::MakeTag(field, type));
}

// Zero is left out, as proto3 does for fields without presence.
void AppendInt(std::string& out, int field, int64_t value) {
  if (value == 0) return;
  AppendTag(out, field, WireFormatLite::WIRETYPE_VARINT);
  AppendVarint(out, static_cast<uint64_t>(value));
}

void AppendLength(std::string& out, int field, size_t length) {
  AppendTag(out, field, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  AppendVarint(out, length);
}

void AppendAppendTime(std::string& out, storage::UnixMillis time) {
  if (time == storage::kNoTime) return;
  // Timestamp wants nanos >= 0 also before 1970.
  const int64_t seconds = time / 1000 - (time % 1000 < 0 ? 1 : 0);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int32_t>((time - seconds * 1000) * 1'000'000));
  AppendLength(out, RecordBatch::kAppendTimeFieldNumber, timestamp.ByteSizeLong());
  timestamp.AppendToString(&out);
}

// All of a RecordBatch but its records.
std::string BatchFacts(const hub::DeliveredBatch& delivered) {
  std::string out;
  AppendLength(out, RecordBatch::kTopicFieldNumber, delivered.name.topic->size());
  out += *delivered.name.topic;
  AppendInt(out, RecordBatch::kPartitionFieldNumber, delivered.name.partition);
  AppendInt(out, RecordBatch::kBaseOffsetFieldNumber, delivered.batch.base_offset.value());
  AppendAppendTime(out, delivered.batch.append_time);
  AppendInt(out, RecordBatch::kPositionEpochFieldNumber, delivered.position_epoch.value());
  AppendInt(out, RecordBatch::kHighWatermarkFieldNumber, delivered.high_watermark.value());
  AppendInt(out, RecordBatch::kLogEpochFieldNumber, delivered.batch.log_epoch.value());
  return out;
}

// Collects bytes to copy and slices to share, and hands them on in order.
class FrameBuilder {
 public:
  explicit FrameBuilder(PieceSink& sink) : sink_(sink) {}

  std::string& text() { return text_; }

  void Add(const storage::SharedSlice& slice) {
    if (slice.bytes.size() < kShareBytes) {
      text_ += slice.bytes;
      return;
    }
    Flush();
    sink_.AddShared(slice);
  }

  void Flush() {
    if (text_.empty()) return;
    sink_.AddText(text_);
    text_.clear();
  }

 private:
  PieceSink& sink_;
  std::string text_;
};

}  // namespace

void EncodeBatches(const hub::BatchesFrame& frame, PieceSink& sink) {
  // Lengths come before contents, so the batches are sized from the inside out.
  std::vector<std::string> facts;
  facts.reserve(frame.batches.size());
  size_t batches_bytes = 0;
  const auto batch_bytes = [&](size_t i) {
    return facts[i].size() + static_cast<size_t>(frame.batches[i].batch.entries_bytes);
  };
  for (size_t i = 0; i < frame.batches.size(); ++i) {
    facts.push_back(BatchFacts(frame.batches[i]));
    batches_bytes +=
        WireFormatLite::TagSize(Batches::kBatchesFieldNumber, WireFormatLite::TYPE_MESSAGE) +
        WireFormatLite::LengthDelimitedSize(batch_bytes(i));
  }

  FrameBuilder builder(sink);
  AppendLength(builder.text(), SubscribeResponse::kBatchesFieldNumber, batches_bytes);
  for (size_t i = 0; i < frame.batches.size(); ++i) {
    AppendLength(builder.text(), Batches::kBatchesFieldNumber, batch_bytes(i));
    builder.text() += facts[i];
    for (const storage::SharedSlice& slice : frame.batches[i].batch.entries) builder.Add(slice);
  }
  builder.Flush();
}

}  // namespace millrace::server
