// Puts together the answer of a Read from stored batches: skips what lies before the offset asked
// for, inside the first batch, and cuts between records where the limit is reached.
//
// A plain value, for one thread at a time. Slices are shared, never copied.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "storage/engine.h"
#include "storage/types.h"

namespace millrace::storage {

class ReadAssembler {
 public:
  ReadAssembler(Offset from, ReadLimits limits)
      : from_(from), bytes_left_(limits.max_bytes), records_left_(limits.max_records) {}

  // Whether nothing more fits. To be asked before a further batch is fetched.
  bool full() const { return full_; }

  // Takes as much of a batch as fits: the batches that reach beyond `from`, in offset order. The
  // first record is taken whatever its size. DATA_LOSS (from, to) if the framing of its entries is
  // damaged.
  absl::Status Add(FetchedBatch batch);

  // The answer.
  ReadResult Finish(Offset earliest, Offset high_watermark) &&;

 private:
  Offset from_;  // The next record wanted.
  int64_t bytes_left_;
  int64_t records_left_;
  bool full_ = false;
  ReadResult result_;
};

}  // namespace millrace::storage
