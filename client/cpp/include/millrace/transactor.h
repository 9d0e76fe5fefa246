// Exactly once: reading from topics, writing to topics and committing, all in one call.
//
//     auto transactor = Transactor::Open(connection, {.producer_id = "totals-3"});
//     auto consumer = GroupConsumer::Open(connection, {.topics = {"orders"}, .group = "totals"},
//                                         {.commit = CommitMode::kByHand});
//     while (running) {
//       auto records = (*consumer)->Poll(absl::Seconds(1));
//       if (!records.ok()) break;
//       auto stored = (*transactor)->Transact(Totals(*records), **consumer);
//       if (!stored.ok() && !absl::IsAborted(stored.status())) break;
//     }
//
// What is written and how far the group has come are stored in one atomic write, all or nothing.
// Transactions are numbered: one without an answer, because the connection broke or the hub was
// killed, is repeated under its number and stored exactly once. What a process had not stored when
// it crashed is neither written nor committed: its successor gets those records again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "millrace/admin.h"
#include "millrace/connection.h"
#include "millrace/group_consumer.h"
#include "millrace/record.h"

namespace millrace::client {

struct TransactorOptions {
  // A stable name, `[a-zA-Z0-9._-]{1,249}`, one for each process: opening it fences whoever used it
  // before. Empty: the hub makes one up; a predecessor is then kept out by the group alone, which
  // is enough where every transaction commits offsets.
  std::string producer_id = {};
  Durability durability = Durability::kHubDefault;
  // How long a transaction is repeated while the hub is away.
  absl::Duration timeout = absl::Minutes(2);
};

// Records for one topic, kept in order within a partition.
struct Append {
  std::string topic = {};
  std::optional<int32_t> partition = {};  // Absent: placed by key.
  std::vector<Record> records = {};
};

// Where records of one Append went.
struct AppendedRange {
  int32_t partition = 0;
  int64_t base_offset = 0;
  int32_t record_count = 0;
};

struct TransactionResult {
  std::vector<std::vector<AppendedRange>> appended = {};  // One entry for each Append, in order.
  std::vector<CommitResult> committed = {};               // One for each offset, in order.
  bool duplicate = false;  // An earlier attempt had stored it, whose answer did not come.
};

// Threads: any; transactions are made one after another.
class Transactor {
 public:
  // Opens the producer's next epoch, and learns which transaction was its last; waits for a hub
  // that is not there yet up to ConnectionOptions::request_timeout. INVALID_NAME,
  // UNSUPPORTED_BY_ENGINE.
  static absl::StatusOr<std::unique_ptr<Transactor>> Open(std::shared_ptr<Connection> connection,
                                                          TransactorOptions options = {});
  ~Transactor();
  Transactor(const Transactor&) = delete;
  Transactor& operator=(const Transactor&) = delete;

  // Stores the appends, and commits everything that the consumer's Poll returned. The consumer
  // commits by hand (FAILED_PRECONDITION otherwise). ABORTED (MEMBER_FENCED, SUPERSEDED): a
  // partition went to another member, or was moved, meanwhile; nothing is stored. As after every
  // refusal the consumer has then gone back to what is committed: poll again.
  absl::StatusOr<TransactionResult> Transact(const std::vector<Append>& appends,
                                             GroupConsumer& consumer);
  // The same for a Consumer of a group.
  absl::StatusOr<TransactionResult> Transact(const std::vector<Append>& appends,
                                             Consumer& consumer);
  // Stores the appends and commits these offsets; without a group, the appends alone.
  //
  // An error means that nothing is stored, but for two, which are final (every later call gives the
  // same): PRODUCER_FENCED, another process has taken this producer_id over; and DEADLINE_EXCEEDED
  // or UNAVAILABLE after `timeout`, whose transaction may be stored or not. Begin again then with a
  // new Transactor and a new consumer: they know.
  absl::StatusOr<TransactionResult> Transact(const std::vector<Append>& appends,
                                             const GroupCommit& commit = {});

  std::string producer_id() const;
  int64_t last_sequence() const;  // Of the last transaction that is stored; 0: none.

 private:
  class Impl;
  explicit Transactor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::client
