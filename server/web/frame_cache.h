// The messages in which WebSockets are sent records. A thousand readers of one topic mostly stand
// at the same place: a message that one of them was sent is shared by the others.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "server/hub/frame.h"
#include "server/web/pieces.h"
#include "server/web/recent.h"

namespace millrace::server {

// Of one subprotocol. Threads: any.
class FrameCache {
 public:
  // Keeps the newest messages, up to so many bytes.
  explicit FrameCache(int64_t max_bytes) : messages_(max_bytes) {}

  // The message that says `frame` under `id`. `make` makes it where no reader had the same lately.
  Pieces Get(int32_t id, const hub::BatchesFrame& frame, absl::FunctionRef<Pieces()> make);

  // How many messages had to be made so far.
  int64_t made_count() const { return messages_.made_count(); }

 private:
  // Batches of one partition that follow each other, which the log never changes. The log epoch
  // tells a topic from an earlier one of its name.
  struct Run {
    std::string topic;
    int32_t partition;
    int64_t from;
    int64_t to;
    int64_t batch_count;
    int64_t log_epoch;
    int64_t position_epoch;
    int64_t high_watermark;

    friend bool operator==(const Run&, const Run&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Run& run) {
      return H::combine(std::move(state), run.topic, run.partition, run.from, run.to,
                        run.batch_count, run.log_epoch, run.position_epoch, run.high_watermark);
    }
  };
  struct Key {
    int32_t id;
    std::vector<Run> runs;

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const Key& key) {
      return H::combine(std::move(state), key.id, key.runs);
    }
  };

  static Key KeyOf(int32_t id, const hub::BatchesFrame& frame);
  static bool GoesOn(const Run& run, const hub::DeliveredBatch& delivered);

  Recent<Key, Pieces> messages_;
};

}  // namespace millrace::server
