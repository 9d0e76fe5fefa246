#include "server/web/json_frames.h"

#include <google/protobuf/util/time_util.h>

#include <memory>
#include <string_view>
#include <variant>

#include "absl/strings/str_cat.h"
#include "server/contract/conversions.h"
#include "server/contract/subscribe_frames.h"
#include "server/web/json_messages.h"
#include "server/web/json_records.h"
#include "server/web/json_text.h"
#include "storage/batch/entries.h"

namespace millrace::server {
namespace {

// Shorter text is copied into each message: that costs less than a buffer of its own.
constexpr size_t kShareBytes = 4 << 10;

std::string RenderBatch(const hub::DeliveredBatch& delivered) {
  const storage::FetchedBatch& batch = delivered.batch;
  std::string out = "{\"topic\":";
  out.reserve(static_cast<size_t>(batch.entries_bytes) * 2);
  AppendJsonString(*delivered.name.topic, &out);
  absl::StrAppend(&out, ",\"partition\":", delivered.name.partition, ",\"baseOffset\":\"",
                  batch.base_offset.value(), "\",\"logEpoch\":\"", batch.log_epoch.value(), "\"");
  if (batch.append_time != storage::kNoTime) {
    absl::StrAppend(&out, ",\"appendTime\":\"",
                    google::protobuf::util::TimeUtil::ToString(ToTimestamp(batch.append_time)),
                    "\"");
  }
  out += ",\"records\":[";
  int64_t offset = batch.base_offset.value();
  for (const storage::SharedSlice& slice : batch.entries) {
    storage::EntryReader reader(slice.bytes);
    for (std::string_view record; reader.Next(&record); ++offset) {
      if (offset > batch.base_offset.value()) out += ',';
      AppendRecordJson(record, offset, &out);
    }
  }
  out += ']';
  out.shrink_to_fit();
  return out;
}

}  // namespace

JsonFrames::Key JsonFrames::KeyOf(const hub::DeliveredBatch& delivered) {
  return {.topic = *delivered.name.topic,
          .partition = delivered.name.partition,
          .base_offset = delivered.batch.base_offset.value(),
          .log_epoch = delivered.batch.log_epoch.value(),
          .record_count = delivered.batch.record_count};
}

void JsonFrames::AppendBatches(const hub::BatchesFrame& frame, Pieces& out) {
  std::string_view separator = R"({"batches":{"batches":[)";
  for (const hub::DeliveredBatch& delivered : frame.batches) {
    out.AddText(separator);
    separator = ",";
    const std::shared_ptr<const std::string> rendered =
        batches_.Get(KeyOf(delivered), [&] { return RenderBatch(delivered); });
    if (rendered->size() < kShareBytes) {
      out.AddText(*rendered);
    } else {
      out.AddShared({rendered, *rendered});
    }
    out.AddText(absl::StrCat(",\"positionEpoch\":\"", delivered.position_epoch.value(),
                             "\",\"highWatermark\":\"", delivered.high_watermark.value(), "\"}"));
  }
  out.AddText("]}}");
}

void JsonFrames::Append(const hub::Frame& frame, Pieces& out) {
  if (const auto* batches = std::get_if<hub::BatchesFrame>(&frame)) {
    return AppendBatches(*batches, out);
  }
  std::string json;
  AppendJson(ToSubscribeResponse(frame), &json);
  out.AddText(json);
}

}  // namespace millrace::server
