// What the log remembers of producers: read from disk when a producer is needed, kept in memory
// while it is used.
//
// For the committer's thread only, but for ListIdle.
#pragma once

#include <rocksdb/write_batch.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/commit/producer_window.h"
#include "storage/rocksdb/database.h"
#include "storage/types.h"

namespace millrace::storage {

class ProducerStore {
 public:
  ProducerStore(Database& database, int32_t window) : database_(database), window_(window) {}

  // Null: there is no such producer. Valid until EndGroup or Forget. An error of reading is taken
  // for an unknown producer and kept for TakeError.
  ProducerWindow* Find(std::string_view producer_id);
  absl::Status TakeError() { return std::exchange(error_, absl::OkStatus()); }

  // Adds the row of the next sequence to the batch and notes its outcome.
  void Store(ProducerWindow& window, std::string_view producer_id, ProducerOutcome outcome,
             UnixMillis now, rocksdb::WriteBatch& batch);

  // The row of a producer's next epoch.
  void AddEpochRow(std::string_view producer_id, const ProducerWindow& next, UnixMillis now,
                   rocksdb::WriteBatch& batch);

  // Forgets what is in memory: the next Find reads the disk. To be called where what was stored
  // here was not written.
  void Forget(std::string_view producer_id);

  // A producer and how far it was when it was looked at.
  struct IdleProducer {
    std::string id;
    ProducerEpoch epoch;
    int64_t last_sequence = 0;
  };
  // Those who stored nothing after `cutoff`. From any thread.
  absl::StatusOr<std::vector<IdleProducer>> ListIdle(UnixMillis cutoff);

  // Adds the deletion of all rows of a producer.
  void AddDeletion(std::string_view producer_id, rocksdb::WriteBatch& batch);

  // Gives memory back, between two commit groups.
  void EndGroup();

 private:
  using Windows = absl::flat_hash_map<std::string, std::unique_ptr<ProducerWindow>>;

  absl::StatusOr<std::unique_ptr<ProducerWindow>> Load(std::string_view producer_id);

  Database& database_;
  const int32_t window_;
  // Two generations: what is not used while `young_` fills up goes.
  Windows young_;
  Windows old_;
  absl::Status error_;
};

}  // namespace millrace::storage
