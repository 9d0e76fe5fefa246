// A subscription's frames as JSON. A thousand readers of one topic are sent the same records: what
// a stored batch is in JSON is made once and shared by all of them.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "server/hub/frame.h"
#include "server/web/pieces.h"

namespace millrace::server {

// Threads: any.
class JsonFrames {
 public:
  // Keeps the newest batches, up to so many bytes of JSON.
  explicit JsonFrames(int64_t max_bytes) : max_bytes_(max_bytes) {}

  // Appends the frame as a SubscribeResponse in JSON, on one line.
  void Append(const hub::Frame& frame, Pieces& out);

  // How many batches had to be made so far.
  int64_t rendered_count() const;

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
  using Rendered = std::shared_ptr<const std::string>;
  using Order = std::list<std::pair<Key, Rendered>>;  // Newest first.

  static Key KeyOf(const hub::DeliveredBatch& delivered);
  // The batch without what differs from reader to reader, and without its closing brace.
  Rendered Render(const hub::DeliveredBatch& delivered);
  void AppendBatches(const hub::BatchesFrame& frame, Pieces& out);

  const int64_t max_bytes_;
  mutable std::mutex mutex_;
  Order order_;
  absl::flat_hash_map<Key, Order::iterator> by_key_;
  int64_t bytes_ = 0;
  int64_t rendered_count_ = 0;
};

}  // namespace millrace::server
