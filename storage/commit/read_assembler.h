// Puts together the answer of a Read from stored batches: skips what lies before the offset asked
// for, inside the first batch, and ends before the batch that does not fit. Cut between records is
// the first batch alone, where it is larger than the limit of bytes, and the last one at the limit
// of records: whoever reads on would have to load a batch that was cut once more.
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

  // Whether Add would take something of a further batch with so many bytes of entries. To be asked
  // before one is verified and copied.
  bool HasRoomFor(int64_t entries_bytes) const {
    return !full_ && (result_.batches.empty() || entries_bytes <= bytes_left_);
  }

  // Takes as much of a batch as is to be given: the batches that reach beyond `from`, in offset
  // order. The first record is taken whatever its size. DATA_LOSS (from, to) if the framing of its
  // entries is damaged.
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
