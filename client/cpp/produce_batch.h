// The records of one request: collecting, encoding, and telling what became of them.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cpp/wire.h"
#include "millrace/producer.h"

namespace millrace::v1 {
class ProduceResponse;
}

namespace millrace::client {

// What goes before the records of a request, besides topic and partition.
struct RequestStamp {
  Durability durability = Durability::kHubDefault;
  std::string producer_id;  // Empty: the request is not numbered.
  int64_t epoch = 0;
};

// Threads: one at a time.
struct ProduceBatch {
  int64_t id = 0;  // Counts the batches of a producer, from 1.
  std::string topic;
  std::optional<int32_t> partition;
  EncodeBuffer records;  // `records` entries; empty once sealed.
  int32_t record_count = 0;
  int64_t charged_bytes = 0;  // Of ProducerOptions::max_buffered_bytes.
  // By the index of their records, which not all have one.
  std::vector<std::pair<int32_t, Producer::Callback>> callbacks;
  absl::Time created;

  // Once sent.
  grpc::Slice encoded;     // The records of a sealed batch.
  int64_t sequence = 0;    // 0: not numbered yet.
  bool unsettled = false;  // It was sent before and has no answer: it may be stored.
  bool expired = false;    // Its records were given up; only its number still counts.
};

// Nothing is added any more: the records become one slice that repeated requests share.
void Seal(ProduceBatch& batch);

// The ProduceStreamRequest of a sealed batch. Its records are not copied.
grpc::ByteBuffer MakeRequest(const ProduceBatch& batch, const RequestStamp& stamp);

// The most bytes that MakeRequest adds to the records.
size_t RequestOverheadBytes(size_t topic_bytes);

// Calls the batch's callbacks.
void Deliver(ProduceBatch& batch, const absl::StatusOr<v1::ProduceResponse>& result);

}  // namespace millrace::client
