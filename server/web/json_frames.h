// A subscription's frames as JSON. A thousand readers of one topic are sent the same records: what
// a stored batch is in JSON is made once and shared by all of them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "server/hub/frame.h"
#include "server/web/pieces.h"
#include "server/web/recent.h"

namespace millrace::server {

// Threads: any.
class JsonFrames {
 public:
  // Keeps the newest batches, up to so many bytes of JSON.
  explicit JsonFrames(int64_t max_bytes) : batches_(max_bytes) {}

  // Appends the frame as a SubscribeResponse in JSON, on one line.
  void Append(const hub::Frame& frame, Pieces& out);

  // How many batches had to be made so far.
  int64_t rendered_count() const { return batches_.made_count(); }

 private:
  // What a batch is known by. The log epoch tells a topic from an earlier one of its name.
  struct Key {
    std::string topic;
    int32_t partition;
    int64_t base_offset;
    int64_t log_epoch;
    int32_t record_count;

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Key& key) {
      return H::combine(std::move(state), key.topic, key.partition, key.base_offset, key.log_epoch,
                        key.record_count);
    }
  };

  static Key KeyOf(const hub::DeliveredBatch& delivered);
  void AppendBatches(const hub::BatchesFrame& frame, Pieces& out);

  // Each without what differs from reader to reader, and without its closing brace.
  Recent<Key, std::string> batches_;
};

}  // namespace millrace::server
