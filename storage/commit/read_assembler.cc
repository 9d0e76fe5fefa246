#include "storage/commit/read_assembler.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "storage/batch/entries.h"
#include "storage/error.h"

namespace millrace::storage {
namespace {

absl::Status Damaged(Offset from, Offset to) {
  return Error(Reason::kDataLoss, "the framing of stored records is damaged",
               {{"from", std::to_string(from.value())}, {"to", std::to_string(to.value())}});
}

// Takes the first `records` records off a batch. False if the framing is damaged.
bool SkipRecords(FetchedBatch& batch, int32_t records) {
  size_t gone = 0;  // Slices that go as a whole.
  for (int32_t left = records; left > 0; ++gone) {
    if (gone == batch.entries.size()) return false;
    std::string_view& bytes = batch.entries[gone].bytes;
    const auto prefix = PrefixOfRecords(bytes, left);
    if (!prefix) return false;
    left -= prefix->records;
    batch.entries_bytes -= static_cast<int64_t>(prefix->bytes);
    bytes.remove_prefix(prefix->bytes);
    if (!bytes.empty()) break;
  }
  batch.entries.erase(batch.entries.begin(),
                      batch.entries.begin() + static_cast<std::ptrdiff_t>(gone));
  batch.base_offset += records;
  batch.record_count -= records;
  return !batch.entries.empty();
}

// Keeps the first `records` records of a batch, which has more. False if the framing is damaged.
bool KeepRecords(FetchedBatch& batch, int32_t records) {
  size_t slices = 0;
  int64_t bytes = 0;
  for (int32_t left = records; left > 0; ++slices) {
    if (slices == batch.entries.size()) return false;
    std::string_view& entries = batch.entries[slices].bytes;
    const auto prefix = PrefixOfRecords(entries, left);
    if (!prefix) return false;
    left -= prefix->records;
    bytes += static_cast<int64_t>(prefix->bytes);
    entries = entries.substr(0, prefix->bytes);
  }
  batch.entries.resize(slices);
  batch.record_count = records;
  batch.entries_bytes = bytes;
  return true;
}

// Keeps the records of a batch that fit into `max_bytes`, and the first one at all events. False if
// the framing is damaged.
bool KeepBytes(FetchedBatch& batch, int64_t max_bytes) {
  EntriesPrefix kept;
  size_t slices = 0;
  for (; slices < batch.entries.size(); ++slices) {
    std::string_view& bytes = batch.entries[slices].bytes;
    const size_t room = static_cast<size_t>(max_bytes) - std::min<size_t>(max_bytes, kept.bytes);
    auto prefix = PrefixOfBytes(bytes, room);
    if (prefix && prefix->records == 0 && kept.records == 0) prefix = PrefixOfRecords(bytes, 1);
    if (!prefix) return false;
    kept.records += prefix->records;
    kept.bytes += prefix->bytes;
    if (prefix->bytes < bytes.size()) {
      bytes = bytes.substr(0, prefix->bytes);
      slices += bytes.empty() ? 0 : 1;
      break;
    }
  }
  batch.entries.resize(slices);
  batch.record_count = kept.records;
  batch.entries_bytes = static_cast<int64_t>(kept.bytes);
  return true;
}

}  // namespace

absl::Status ReadAssembler::Add(FetchedBatch batch) {
  const Offset end = batch.base_offset + batch.record_count;
  if (full_ || end <= from_) return absl::OkStatus();
  if (batch.base_offset < from_ &&
      !SkipRecords(batch, static_cast<int32_t>(from_ - batch.base_offset))) {
    return Damaged(from_, end);
  }
  if (batch.record_count > records_left_ &&
      !KeepRecords(batch, static_cast<int32_t>(records_left_))) {
    return Damaged(batch.base_offset, end);
  }
  if (batch.entries_bytes > bytes_left_) {
    full_ = true;
    if (!result_.batches.empty()) return absl::OkStatus();
    if (!KeepBytes(batch, std::max<int64_t>(bytes_left_, 0))) {
      return Damaged(batch.base_offset, end);
    }
  }
  bytes_left_ -= batch.entries_bytes;
  records_left_ -= batch.record_count;
  full_ = full_ || bytes_left_ <= 0 || records_left_ <= 0;
  from_ = batch.base_offset + batch.record_count;
  result_.batches.push_back(std::move(batch));
  return absl::OkStatus();
}

ReadResult ReadAssembler::Finish(Offset earliest, Offset high_watermark) && {
  result_.next_offset = from_;
  result_.earliest = earliest;
  result_.high_watermark = high_watermark;
  return std::move(result_);
}

}  // namespace millrace::storage
