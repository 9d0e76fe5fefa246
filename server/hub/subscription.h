// One open Subscribe stream: what it reads, how far it has come, and the next frame it is owed.
//
// A transport (server/grpc, server/web) pulls: it asks for the next frame when it can write one,
// and gets it when there is one. So a stream has one outstanding frame, what it is owed is a
// position and not a queue, and a slow reader costs bounded memory and delays nobody.
//
// What happens to one partition:
//
//   assigned ──► reading ◄──► waiting (at the end; the log wakes it)
//                 │  ▲
//      error/pause▼  │Seek/Resume
//                idle
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/hub/executor.h"
#include "server/hub/frame.h"
#include "server/hub/frame_budget.h"
#include "storage/clock.h"
#include "storage/engine.h"

namespace millrace::hub {

// Where to begin.
struct Earliest {};
struct Latest {};
using StartPosition = std::variant<Earliest, Latest, absl::Time>;

enum class OutOfRangePolicy { kFail, kEarliest, kLatest };

// A partition to read, with its first position.
struct PartitionStart {
  PartitionName name;
  storage::PartitionId id;
  storage::Offset offset;
  std::optional<storage::Offset> repositioned_from;  // Out of range, and the policy says where to.
};

// Where Seek takes a partition.
struct SeekTarget {
  std::string topic;
  int32_t partition = 0;
  std::variant<storage::Offset, StartPosition> target;
  std::optional<storage::LogEpoch> log_epoch;
};

struct SeekOutcome {
  storage::Offset offset;
  storage::PositionEpoch position_epoch;
};

struct SubscriptionOptions {
  std::string session_id;
  std::string group;  // Empty: an independent reader.
  std::string member_id;
  int32_t member_epoch = 0;
  std::string instance_id;
  std::vector<std::string> missing_topics;
  OutOfRangePolicy out_of_range = OutOfRangePolicy::kFail;
  int64_t max_frame_bytes = 1 << 20;
  absl::Duration heartbeat_interval = absl::Seconds(10);
  bool end_at_current = false;
};

// What Subscription needs of the hub; all outlive it.
struct SubscriptionContext {
  storage::Engine& engine;
  const storage::Clock& clock;
  Executor& deliveries;
  FrameBudget& budget;
};

// Threads: any. Owned by shared_ptr: by the transport while the stream is open, and weakly by all
// who wake it.
class Subscription : public storage::ReadWaiter, public std::enable_shared_from_this<Subscription> {
 public:
  // A frame, or nothing more: after an EndingFrame, or the error that the stream ends with.
  using FrameCallback = absl::AnyInvocable<void(absl::StatusOr<Frame>) &&>;

  Subscription(SubscriptionContext context, SubscriptionOptions options);
  ~Subscription() override;

  const SubscriptionOptions& options() const { return options_; }

  // Adds partitions and tells the reader. Called once before the first Next, and again when a topic
  // grows or appears.
  void Assign(const std::vector<PartitionStart>& partitions);

  // Calls `callback` once with the next frame: inside the call where there is one, else from
  // another thread later. One call at a time: the next one only after the frame of the last was
  // written, which is also what frees its memory budget.
  void Next(FrameCallback callback);

  // The stream is over for the transport (client gone). No callback is called any more.
  void Cancel();

  // Ends the stream: the next frame is the last. The first ending wins.
  void End(EndingReason reason, bool retry, std::optional<absl::Duration> retry_after,
           std::string_view message);

  // Moves one partition. `offset` was judged to be within the partition. PARTITION_NOT_ASSIGNED.
  absl::StatusOr<SeekOutcome> Seek(std::string_view topic, int32_t partition,
                                   storage::Offset offset);

  // Holds or goes on with one partition; of all where none is named. PARTITION_NOT_ASSIGNED:
  // nothing is changed. Gives the partitions that are held afterwards.
  absl::StatusOr<std::vector<PartitionName>> SetPaused(
      const std::vector<std::pair<std::string, int32_t>>& partitions, bool paused);

  // Takes a partition away, as the member asked for. Unknown ones are no error.
  void Release(std::string_view topic, int32_t partition);

  bool IsAssigned(std::string_view topic, int32_t partition) const;

  // Of topics that this stream reads or waits for: the number of partitions it has of each.
  int32_t PartitionCount(std::string_view topic) const;

  // The heartbeat timer: sends one if the stream was silent for the interval. Gives how long to
  // wait until the next look; absent when the stream is over.
  std::optional<absl::Duration> CheckHeartbeat(absl::Time now);

  void OnReadable(storage::PartitionId partition) override;

 private:
  struct Cursor;

  SubscriptionContext context_;
  const SubscriptionOptions options_;
};

}  // namespace millrace::hub
