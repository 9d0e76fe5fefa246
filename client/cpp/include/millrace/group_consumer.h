// A member of a consumer group that processes every record at least once.
//
//     auto consumer = GroupConsumer::Open(connection, {.topics = {"orders"}, .group = "billing"});
//     while (running) {
//       auto records = (*consumer)->Poll(absl::Seconds(1));
//       if (!records.ok()) break;
//       for (const ReceivedRecord& record : *records) Handle(record);
//     }
//     (*consumer)->Close();
//
// The members of a group share the partitions of its topics. What was committed is where the next
// owner of a partition begins, be it after a rebalance, a restart or a crash.
//
// Committing by itself (the default), the consumer commits what is processed: what Poll returned
// counts as processed at the next Poll, so a commit never covers records that the caller still
// works on, and a crash at any moment repeats records but loses none. It does so every
// commit_interval, at once for partitions that are about to go to another member, and in Close.
//
// Over broken connections and restarts of the hub it keeps its place in the group, see Consumer.
// A commit that came too late, for a partition that went to another member meanwhile, is told and
// is no reason to end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "millrace/admin.h"
#include "millrace/connection.h"
#include "millrace/consumer.h"
#include "millrace/record.h"

namespace millrace::client {

enum class CommitMode {
  kAutomatic,  // What is processed, every commit_interval and whenever partitions are handed on.
  kByHand,     // What Commit says, or a Transactor (transactor.h).
};

// How a member behaves. The callbacks run inside Poll, on its thread, when everything that came
// before has been returned. They may call any method but Poll, Run and Close.
struct GroupOptions {
  CommitMode commit = CommitMode::kAutomatic;
  absl::Duration commit_interval = absl::Seconds(5);
  Durability commit_durability = Durability::kHubDefault;

  // Partitions that this member reads from now on.
  absl::AnyInvocable<void(const PartitionsAssigned&)> on_assigned = {};

  // Partitions that are about to go to another member; no more records of them come. Everything
  // that was returned of them is processed. Committing automatically, it is committed after the
  // callback, and the partitions are given up; by hand, Commit does both, until time_left is over.
  // (A partition with nothing to commit goes at once, without this or while it is told.)
  absl::AnyInvocable<void(const PartitionsRevoking&)> on_revoking = {};

  // Partitions that this member no longer has.
  absl::AnyInvocable<void(const PartitionsLost&)> on_lost = {};

  // An automatic commit failed: MEMBER_FENCED (the partition went to another member, which repeats
  // what was not committed), or the hub is away, and it will be tried again.
  absl::AnyInvocable<void(const absl::Status&)> on_commit_failed = {};
};

// Threads: Poll, Run and Close from one thread at a time; everything else from any thread.
class GroupConsumer {
 public:
  // Joins the group `subscription.group` (needed), see Consumer::Open. `subscription.on_event` is
  // told of everything, before the callbacks of `options`.
  static absl::StatusOr<std::unique_ptr<GroupConsumer>> Open(std::shared_ptr<Connection> connection,
                                                             ConsumerOptions subscription,
                                                             GroupOptions options = {});

  // As Close, but what the last Poll returned does not count as processed: whoever leaves without
  // Close may have left in the middle of it.
  ~GroupConsumer();
  GroupConsumer(const GroupConsumer&) = delete;
  GroupConsumer& operator=(const GroupConsumer&) = delete;

  // Says that what it returned before is processed, and returns the next records, see
  // Consumer::Poll. INSTANCE_REPLACED is final: another process has taken this instance_id over.
  absl::StatusOr<std::vector<ReceivedRecord>> Poll(absl::Duration timeout,
                                                   size_t max_records = 10'000);

  // Polls and gives every batch of records to `handler` until Stop, the end (end_at_current) or an
  // error; then closes. The records of a call that answered an error are not processed: they come
  // again, to this member's successor. Answers the handler's error, Poll's, or Close's.
  absl::Status Run(
      absl::AnyInvocable<absl::Status(const std::vector<ReceivedRecord>& records)> handler);

  // Makes Run return after the batch it is at, and Poll at once. Safe in a thread that handles
  // signals.
  void Stop();

  // Commits now: by hand everything that Poll returned; automatically what is processed. See
  // Consumer::Commit.
  absl::Status Commit();
  // By hand only (FAILED_PRECONDITION otherwise): commits these offsets.
  absl::StatusOr<std::vector<CommitResult>> Commit(std::vector<OffsetCommit> offsets);

  // Everything else is the Consumer's: Seek, Pause, Resume, Release, Positions, lag, ended, Wake,
  // and PrepareCommit for a Transactor. Not its Poll, Next and Close.
  Consumer& consumer();
  CommitMode commit_mode() const;

  // Committing automatically, commits everything that Poll returned; leaves the group, so that the
  // other members have its partitions at once; ends the subscription. The commit's error. Waits for
  // a hub that is away up to ConnectionOptions::request_timeout. Idempotent.
  absl::Status Close();

 private:
  class Impl;
  explicit GroupConsumer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::client
