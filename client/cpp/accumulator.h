// Where records wait to become requests: one open batch for each topic (and partition, where one is
// named), and the full ones in the order in which they filled up.
//
// An open batch goes on collecting while it waits for room in the send window, so that requests
// grow under load by themselves.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "client/cpp/produce_batch.h"
#include "client/cpp/record_codec.h"

namespace millrace::client {

struct BatchBounds {
  int64_t bytes = 0;  // Of encoded records; a larger record goes alone.
  int32_t records = 0;
  absl::Duration linger;
};

class Accumulator {
 public:
  explicit Accumulator(const BatchBounds& bounds) : bounds_(bounds) {}

  // Adds a record.
  struct Added {
    int64_t charged_bytes = 0;
    int64_t batch_id = 0;
    bool began_batch = false;   // Because there was none, or the one before was full.
    bool filled_batch = false;  // The record was the last of its batch.
  };
  Added Add(std::string_view topic, std::optional<int32_t> partition, const RecordParts& record,
            size_t encoded_size, Producer::Callback callback);

  // The next batch to send, sealed: a full one, or an open one that is due at `now`. Null: none.
  std::unique_ptr<ProduceBatch> TakeNext(absl::Time now);

  // Batches that were begun before now are due at once.
  void MakeAllDue() { due_through_id_ = last_id_; }

  // When TakeNext has something to give; InfiniteFuture: not before more is added.
  absl::Time next_due() const;

  // Takes the batches out that were begun before `time`, oldest first.
  std::vector<std::unique_ptr<ProduceBatch>> TakeBegunBefore(absl::Time time);

  // When the oldest batch was begun; InfiniteFuture: there is none.
  absl::Time oldest() const;

  int64_t last_id() const { return last_id_; }

 private:
  struct Lane {
    std::string topic;
    std::optional<int32_t> partition;
    std::unique_ptr<ProduceBatch> open;
    size_t usual_bytes = 0;  // How large the batches before became.
  };

  Lane& LaneOf(std::string_view topic, std::optional<int32_t> partition);
  ProduceBatch& Begin(Lane& lane);
  std::unique_ptr<ProduceBatch> Finish(Lane& lane);
  bool IsDue(const ProduceBatch& batch, absl::Time now) const;

  const BatchBounds bounds_;
  absl::flat_hash_map<std::pair<std::string, int32_t>, std::unique_ptr<Lane>> lanes_;
  Lane* last_lane_ = nullptr;      // Most records go where the one before went.
  std::map<int64_t, Lane*> open_;  // By the id of the open batch: oldest first.
  std::deque<std::unique_ptr<ProduceBatch>> full_;
  int64_t last_id_ = 0;
  int64_t due_through_id_ = 0;
};

}  // namespace millrace::client
