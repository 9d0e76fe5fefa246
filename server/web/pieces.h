// The bytes of one message, as they will be written: runs of text of its own, and slices that it
// shares with others.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "server/contract/batches_encoder.h"
#include "storage/batch/shared_slice.h"

namespace millrace::server {

class Pieces final : public PieceSink {
 public:
  Pieces() = default;
  // One piece.
  explicit Pieces(std::string text);

  void AddText(std::string_view text) override { text_ += text; }
  void AddShared(const storage::SharedSlice& slice) override;

  // What was added so far is shared by the copies of this message that are made from now on.
  void Seal();

  size_t size() const;  // In bytes.

  // Ends the message and gives its slices, in order.
  std::vector<storage::SharedSlice> Take() &&;

  // A copy in one piece, for tests and for small messages.
  std::string Text() const;

 private:
  std::vector<storage::SharedSlice> slices_;
  std::string text_;  // Behind the slices.
};

}  // namespace millrace::server
