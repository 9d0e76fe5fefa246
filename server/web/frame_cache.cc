#include "server/web/frame_cache.h"

#include <utility>

namespace millrace::server {

bool FrameCache::GoesOn(const Run& run, const hub::DeliveredBatch& delivered) {
  return run.to == delivered.batch.base_offset.value() &&
         run.partition == delivered.name.partition && run.topic == *delivered.name.topic &&
         run.log_epoch == delivered.batch.log_epoch.value() &&
         run.position_epoch == delivered.position_epoch.value() &&
         run.high_watermark == delivered.high_watermark.value();
}

FrameCache::Key FrameCache::KeyOf(int32_t id, const hub::BatchesFrame& frame) {
  Key key{.id = id, .runs = {}};
  for (const hub::DeliveredBatch& delivered : frame.batches) {
    const int64_t from = delivered.batch.base_offset.value();
    if (key.runs.empty() || !GoesOn(key.runs.back(), delivered)) {
      key.runs.push_back({.topic = *delivered.name.topic,
                          .partition = delivered.name.partition,
                          .from = from,
                          .to = from,
                          .batch_count = 0,
                          .log_epoch = delivered.batch.log_epoch.value(),
                          .position_epoch = delivered.position_epoch.value(),
                          .high_watermark = delivered.high_watermark.value()});
    }
    key.runs.back().to = from + delivered.batch.record_count;
    ++key.runs.back().batch_count;
  }
  return key;
}

Pieces FrameCache::Get(int32_t id, const hub::BatchesFrame& frame,
                       absl::FunctionRef<Pieces()> make) {
  return *messages_.Get(KeyOf(id, frame), [&] {
    Pieces message = make();
    message.Seal();
    return message;
  });
}

}  // namespace millrace::server
