// Keeps the replay of the write-ahead log to a prefix of what was written.
//
// The log consists of several files, and a power cut takes what is not synced in any order: the end
// of one may be gone, at a boundary between two writes, while the beginning of the next is there.
// RocksDB sees no damage in that and would replay later writes without earlier ones, so that a
// producer's outcome comes back without its records. Every write has the next sequence numbers: the
// replay ends where they do not follow one another.
#pragma once

#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

#include <cstdint>
#include <optional>
#include <string>

namespace millrace::storage {

// Of one write in the write-ahead log.
struct SequenceRange {
  uint64_t first = 0;
  uint64_t end = 0;
};
// How a write begins there: its first sequence number, 8 bytes, and how many it takes, one for each
// of its rows, 4 bytes; little-endian. (RocksDB, db/write_batch.cc.)
SequenceRange SequencesOf(const rocksdb::WriteBatch& write);

// For one replay, on the thread that does it.
class ReplayOrder {
 public:
  // Whether a write follows the one before it. Once it does not, none does.
  bool Follows(const SequenceRange& write);

 private:
  std::optional<uint64_t> next_;
  bool broken_ = false;
};

// The filter that ends a replay so.
class ReplayInOrder final : public rocksdb::WalFilter {
 public:
  WalProcessingOption LogRecordFound(unsigned long long log,  // NOLINT(google-runtime-int)
                                     const std::string& file, const rocksdb::WriteBatch& write,
                                     rocksdb::WriteBatch* instead, bool* changed) override;
  const char* Name() const override { return "millrace.ReplayInOrder"; }

 private:
  ReplayOrder order_;
};

}  // namespace millrace::storage
