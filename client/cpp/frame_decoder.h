// Frames of a subscription as they come off the wire. Batches stay encoded: they are buffered as
// bytes and made into records when they are returned.
#pragma once

#include <grpcpp/support/slice.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "client/cpp/wire.h"

namespace millrace::client {

// One RecordBatch. Its views lie in the frame's bytes.
struct EncodedBatch {
  std::string_view topic;
  int32_t partition = 0;
  int64_t base_offset = 0;
  int32_t record_count = 0;
  std::optional<absl::Time> append_time;
  int64_t position_epoch = 0;
  int64_t high_watermark = 0;
  int64_t log_epoch = 0;
  std::string_view bytes;  // The whole encoded RecordBatch.
};

// The batches of a frame that carries some; nothing for a frame of another kind, or malformed
// bytes.
std::optional<std::vector<EncodedBatch>> DecodeBatches(std::string_view frame);

// Gives the encoded records of a batch, one after another.
class RecordCursor {
 public:
  explicit RecordCursor(std::string_view batch_bytes) : reader_(batch_bytes) {}

  // Nothing after the last.
  std::optional<std::string_view> Next();

 private:
  WireReader reader_;
};

}  // namespace millrace::client
