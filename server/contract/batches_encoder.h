// The hot half of Subscribe's frames: a SubscribeResponse that carries batches, written by hand so
// that stored bytes become wire bytes as they are.
#pragma once

#include <string_view>

#include "server/hub/frame.h"
#include "storage/batch/shared_slice.h"

namespace millrace::server {

// Takes a message piece by piece, in order.
class PieceSink {
 public:
  virtual ~PieceSink() = default;

  virtual void AddText(std::string_view text) = 0;  // To be copied.
  virtual void AddShared(const storage::SharedSlice& slice) = 0;
};

void EncodeBatches(const hub::BatchesFrame& frame, PieceSink& sink);

}  // namespace millrace::server
