// The inner loops of the hot path on input that is always the same: micro_benchmarks times them,
// and instructions counts what they execute.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>

#include "server/hub/frame.h"
#include "storage/types.h"

namespace millrace::bench {

inline constexpr int kRecords = 1000;  // Of each work.

// `records` entries of kRecords records, each with a key, a value of so many bytes and so many
// headers.
std::string MakeEntries(int64_t value_bytes, int64_t headers);

// What the hub does to each record that arrives: validates its bytes, and takes from them what it
// needs.
class WireWalk {
 public:
  WireWalk(int64_t value_bytes, int64_t headers) : entries_(MakeEntries(value_bytes, headers)) {}

  // How many records were accepted: kRecords.
  int Run() const;

 private:
  std::string entries_;
};

// The header of a batch of kRecords records, its checksum above all.
class BatchHeader {
 public:
  explicit BatchHeader(int64_t value_bytes) : entries_(MakeEntries(value_bytes, 0)) {}

  // The last byte of the header.
  char Run() const;
  int64_t bytes() const { return static_cast<int64_t>(entries_.size()); }

 private:
  std::string entries_;
};

// A frame for a subscriber, of batches as a log keeps them.
class FrameEncode {
 public:
  // kRecords records in so many batches.
  FrameEncode(int64_t value_bytes, int batches);

  // The bytes of the frame.
  int64_t Run() const;

 private:
  hub::BatchesFrame frame_;
};

}  // namespace millrace::bench
