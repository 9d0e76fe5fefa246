// Cuts a stream of bytes into records at a separator.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace millrace::cli {

// Takes a stream of bytes piece by piece, however the pieces fall, and hands out the records
// between separators without copying more than the rest of a piece. Bytes are never changed; the
// separator belongs to no record. Two separators in a row have an empty record between them.
//
// One thread at a time.
class RecordSplitter {
 public:
  // Gets each record; the view is good during the call. An error stops the splitting.
  using Sink = std::function<absl::Status(std::string_view record)>;

  // An empty separator makes the whole stream one record. A record over `max_record_bytes` is an
  // error, so that input without any separator does not fill the memory.
  RecordSplitter(std::string separator, size_t max_record_bytes, Sink sink);

  // Takes the next piece. Errors: the sink's; ResourceExhausted for a record over the limit.
  absl::Status Feed(std::string_view bytes);

  // The stream ended: what follows the last separator is a record, unless it is empty. The next
  // Feed begins another stream. Errors: the sink's.
  absl::Status Finish();

 private:
  absl::Status CheckRest() const;

  const std::string separator_;
  const size_t max_record_bytes_;
  const Sink sink_;
  std::string rest_;     // What follows the last separator.
  size_t searched_ = 0;  // No separator begins before this byte of rest_.
};

}  // namespace millrace::cli
