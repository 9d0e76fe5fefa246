#include "client/cli/input/record_splitter.h"

#include <algorithm>
#include <utility>

namespace millrace::cli {

RecordSplitter::RecordSplitter(std::string separator, size_t max_record_bytes, Sink sink)
    : separator_(std::move(separator)),
      max_record_bytes_(max_record_bytes),
      sink_(std::move(sink)) {}

absl::Status RecordSplitter::Feed(std::string_view bytes) {
  rest_.append(bytes);
  if (separator_.empty()) return CheckRest();

  size_t begin = 0;
  for (;;) {
    const size_t end = rest_.find(separator_, std::max(begin, searched_));
    if (end == std::string::npos) break;
    if (absl::Status status = sink_(std::string_view(rest_).substr(begin, end - begin));
        !status.ok()) {
      return status;
    }
    begin = end + separator_.size();
  }
  rest_.erase(0, begin);
  // A separator may lie across this piece and the next.
  searched_ = rest_.size() - std::min(rest_.size(), separator_.size() - 1);
  return CheckRest();
}

absl::Status RecordSplitter::Finish() {
  searched_ = 0;
  const std::string last = std::exchange(rest_, {});
  return last.empty() ? absl::OkStatus() : sink_(last);
}

absl::Status RecordSplitter::CheckRest() const {
  if (rest_.size() <= max_record_bytes_) return absl::OkStatus();
  return absl::ResourceExhaustedError("the input has a record of more than " +
                                      std::to_string(max_record_bytes_) +
                                      " bytes; is --delimiter right?");
}

}  // namespace millrace::cli
