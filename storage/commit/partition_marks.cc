#include "storage/commit/partition_marks.h"

#include <algorithm>
#include <cstddef>

namespace millrace::storage {

std::optional<PartitionMark> PartitionMarks::DueMark(UnixMillis append_time) const {
  const int64_t marked_bytes = marks_.empty() ? 0 : marks_.back().bytes_before;
  const bool far = bytes_ - marked_bytes >= spacing_.bytes;
  const bool late =
      first_time_since_mark_ != kNoTime && append_time - first_time_since_mark_ >= spacing_.time_ms;
  if (!far && !late && !all_dropped_) return std::nullopt;
  return PartitionMark{end_, last_append_time_, bytes_};
}

void PartitionMarks::AddMark(PartitionMark mark) {
  marks_.push_back(mark);
  all_dropped_ = false;
  first_time_since_mark_ = kNoTime;
}

void PartitionMarks::Append(Offset end, UnixMillis append_time, int64_t bytes) {
  end_ = end;
  last_append_time_ = append_time;
  if (first_time_since_mark_ == kNoTime) first_time_since_mark_ = append_time;
  bytes_ += bytes;
}

void PartitionMarks::Restore(Offset end, UnixMillis last_append_time, int64_t bytes_since_mark) {
  end_ = end;
  last_append_time_ = last_append_time;
  // What followed the last mark was stored at this time or earlier: the next mark comes a little
  // late at worst.
  first_time_since_mark_ = last_append_time;
  bytes_ = (marks_.empty() ? 0 : marks_.back().bytes_before) + bytes_since_mark;
}

int64_t PartitionMarks::BytesFrom(Offset from) const {
  if (from >= end_) return 0;
  const auto after = std::upper_bound(
      marks_.begin(), marks_.end(), from,
      [](Offset wanted, const PartitionMark& mark) { return wanted < mark.offset; });
  return bytes_ - (after == marks_.begin() ? 0 : std::prev(after)->bytes_before);
}

Offset PartitionMarks::StartByAge(UnixMillis cutoff) const {
  if (last_append_time_ < cutoff) return end_;
  const auto young = std::partition_point(
      marks_.begin(), marks_.end(),
      [cutoff](const PartitionMark& mark) { return mark.time_before < cutoff; });
  return young == marks_.begin() ? Offset() : std::prev(young)->offset;
}

Offset PartitionMarks::StartByBytes(int64_t max_bytes) const {
  if (marks_.empty() || bytes_ <= max_bytes) return Offset();
  const auto fits = std::partition_point(marks_.begin(), marks_.end(),
                                         [this, max_bytes](const PartitionMark& mark) {
                                           return bytes_ - mark.bytes_before > max_bytes;
                                         });
  return fits == marks_.end() ? marks_.back().offset : fits->offset;
}

size_t PartitionMarks::DropBefore(Offset earliest) {
  if (earliest >= end_) {
    const size_t all = marks_.size();
    marks_.clear();
    all_dropped_ = true;
    return all;
  }
  // The last mark at or before `earliest` is kept: bytes are counted from it.
  size_t gone = 0;
  while (gone + 1 < marks_.size() && marks_[gone + 1].offset <= earliest) ++gone;
  marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(gone));
  return gone;
}

}  // namespace millrace::storage
