// A sparse index of one partition by time and size: what retention, search by time and the size of
// a partition go by. A mark is set before a batch about every so many bytes or milliseconds, and
// says what lies before it; so everything is exact up to the distance of two marks, and exact for a
// partition that is idle, where all may have to go.
//
// A plain value without locks: its owner sees to threads, and keeps the marks on disk. At open it
// adds them in order, then calls Restore. Answers may lie below the start of the partition, where
// nothing is to be dropped: take the larger one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/types.h"

namespace millrace::storage {

struct PartitionMark {
  Offset offset;  // The base offset of a batch.
  UnixMillis time_before =
      kNoTime;               // The append time of the batch before; kNoTime: there was none.
  int64_t bytes_before = 0;  // Of all batches ever stored before it.

  friend bool operator==(const PartitionMark&, const PartitionMark&) = default;
};

class PartitionMarks {
 public:
  struct Spacing {
    int64_t bytes = 1 << 20;
    int64_t time_ms = 10'000;
  };

  PartitionMarks() : PartitionMarks(Spacing()) {}
  explicit PartitionMarks(Spacing spacing) : spacing_(spacing) {}

  // ---- Appending. Ask for the mark before the write that stores both, tell when it is stored.

  // The mark to set before a batch that is appended now; absent if none is due.
  std::optional<PartitionMark> DueMark(UnixMillis append_time) const;
  void AddMark(PartitionMark mark);

  // Notes a batch at the end: the offset after it, its append time (never below the one before) and
  // its bytes as stored.
  void Append(Offset end, UnixMillis append_time, int64_t bytes);

  // ---- Opening

  // Sets the end as it was found on disk, after all marks were added: the offset after the last
  // batch, its append time (kNoTime: there never was one), and the bytes stored after the last mark
  // (or ever, where there is no mark).
  void Restore(Offset end, UnixMillis last_append_time, int64_t bytes_since_mark);

  // ---- Asking

  Offset end() const { return end_; }
  UnixMillis last_append_time() const { return last_append_time_; }  // kNoTime: nothing was stored.

  // The bytes of batches from `from` to the end, counted from the last mark that is not after
  // `from`; 0 at the end.
  int64_t BytesFrom(Offset from) const;

  // The largest offset with nothing but records older than `cutoff` before it, as far as the marks
  // tell; the end, if all are older.
  Offset StartByAge(UnixMillis cutoff) const;

  // The smallest offset from which on at most `max_bytes` are kept, as far as the marks tell: what
  // was stored since the last mark always stays. Never below the first mark.
  Offset StartByBytes(int64_t max_bytes) const;

  // Where to begin to look for the first record that is not older than `time`: all before are
  // older. The end, if all are older.
  Offset SearchStart(UnixMillis time) const { return StartByAge(time); }

  // Forgets the marks that are not needed once nothing before `earliest` is kept. Answers how many
  // went: the first ones. Where nothing at all is kept, the next batch sets a mark, so that what
  // went is not counted any more.
  size_t DropBefore(Offset earliest);

  const std::vector<PartitionMark>& marks() const { return marks_; }  // By offset.

 private:
  Spacing spacing_;
  std::vector<PartitionMark> marks_;
  Offset end_;
  UnixMillis last_append_time_ = kNoTime;
  UnixMillis first_time_since_mark_ = kNoTime;
  int64_t bytes_ = 0;  // Of all batches ever stored.
  bool all_dropped_ = false;
};

}  // namespace millrace::storage
