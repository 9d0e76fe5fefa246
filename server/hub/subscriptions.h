// All open subscriptions: opening them from a request, finding them by session id, waking them when
// a topic changes, ending them when the hub drains.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/hub/frame_budget.h"
#include "server/hub/groups.h"
#include "server/hub/subscription.h"
#include "server/hub/timer_queue.h"
#include "server/hub/topics.h"

namespace millrace::hub {

// Where to begin.
struct Earliest {};
struct Latest {};
using StartPosition = std::variant<Earliest, Latest, absl::Time>;

// Where Seek takes a partition.
struct SeekTarget {
  TopicPartition partition;
  std::variant<storage::Offset, StartPosition> target;
  std::optional<storage::LogEpoch> log_epoch;  // Goes with an offset; absent: unchecked.
};

// A position that a reader asks for.
struct RequestedPosition {
  std::string topic;
  int32_t partition = 0;
  storage::Offset offset;
  std::optional<storage::LogEpoch> log_epoch;
};

// A Subscribe request in the hub's types; SubscribeRequest of the contract describes each field.
struct SubscribeCommand {
  std::vector<std::string> topics;
  std::string group;
  std::vector<RequestedPosition> positions;
  std::optional<StartPosition> start;
  OutOfRangePolicy out_of_range = OutOfRangePolicy::kFail;
  std::string instance_id;
  std::string resume_member_id;
  std::optional<int64_t> max_in_flight_records;
  std::optional<int64_t> max_in_flight_bytes;
  std::optional<absl::Duration> revoke_timeout;
  std::optional<absl::Duration> max_uncommitted_age;
  std::string peer;   // The client's address.
  std::string owner;  // Who alone finds it by its session id; empty where nobody is asked.
  std::optional<int64_t> max_frame_bytes;
  std::optional<absl::Duration> heartbeat_interval;
  bool allow_missing_topics = false;
  bool end_at_current = false;
  std::optional<int64_t> credit_records;  // See SubscriptionOptions; not negative.
  // Who calls back with frames that come later; outlives the Close. Null: the hub's own threads.
  TaskRunner* deliveries = nullptr;
};

// Threads: any.
class Subscriptions {
 public:
  // All outlive this object.
  Subscriptions(storage::Engine& engine, const storage::Clock& clock, const Limits& limits,
                const Topics& topics, Groups& groups, Executor& deliveries, TimerQueue& timers,
                FrameBudget& budget, DeliveryCounts& delivery_counts, HubObserver& observer,
                absl::Duration watch_interval);

  // Judges the request and opens the subscription; its first frames are session_started and
  // assigned. Blocks (search by time, a group's first commit). The reasons are those of
  // EventHubService.Subscribe.
  absl::StatusOr<std::shared_ptr<Subscription>> Open(const SubscribeCommand& command);

  // The transport is done with it.
  void Close(const std::shared_ptr<Subscription>& subscription);

  // SESSION_NOT_FOUND: there is none, or it is not this owner's.
  absl::StatusOr<std::shared_ptr<Subscription>> Find(std::string_view session_id,
                                                     std::string_view owner) const;

  // The topics whose partitions an open subscription reads, as they are named now; none where it is
  // not open.
  std::vector<std::string> TopicsOf(const Subscription& subscription) const;

  // Judges and moves; one result a target, in order. Blocks (search by time).
  std::vector<absl::StatusOr<SeekOutcome>> Seek(Subscription& subscription,
                                                const std::vector<SeekTarget>& targets);

  // Replaces the topics of an open subscription; gives those that do not exist (yet).
  // SESSION_NOT_FOUND, and those of a request's topics. Blocks.
  absl::StatusOr<std::vector<std::string>> UpdateTopics(std::string_view session_id,
                                                        std::string_view owner,
                                                        const std::vector<std::string>& topics);

  // Where a start lies in a partition. May block. TOPIC_NOT_FOUND.
  absl::StatusOr<storage::Offset> Resolve(storage::PartitionId id,
                                          const StartPosition& start) const;

  // A topic is new, has grown or is gone.
  void OnTopicChanged(std::string_view topic);

  // Ends every stream with DRAINING and refuses new ones.
  void Drain();

  int64_t count() const;

  // Partitions whose lost wake-up was noticed; see Subscription::HealStalled.
  int64_t healed_count() const { return healed_.load(); }

 private:
  // An open subscription with what it was asked for.
  struct Entry {
    std::weak_ptr<Subscription> subscription;
    std::vector<std::string> topics;  // Sorted; read in all partitions, also those yet to come.
    std::optional<StartPosition> start;
    bool allow_missing_topics = false;
    std::optional<MemberSession> member;  // Of a group.
  };
  // What Open found out about a request before the subscription exists.
  struct Plan {
    std::vector<std::string> topics;  // Sorted.
    std::vector<std::string> missing_topics;
    std::vector<PartitionStart> starts;  // Of an independent reader.
  };

  absl::Status CheckCommand(const SubscribeCommand& command) const;
  absl::Status CheckMembership(const SubscribeCommand& command) const;
  absl::StatusOr<Plan> MakePlan(const SubscribeCommand& command) const;
  // Sorts the names, and finds those that do not exist. TOPIC_NOT_FOUND unless they may be missing.
  absl::Status PlanTopics(const std::vector<std::string>& names, bool allow_missing,
                          Plan& plan) const;
  absl::Status PrepareGroup(const std::string& group, const std::vector<std::string>& topics,
                            const std::optional<StartPosition>& start);
  absl::StatusOr<PartitionStart> PlanPosition(const SubscribeCommand& command,
                                              const RequestedPosition& position) const;
  absl::Status PlanStarts(const std::string& topic, const StartPosition& start, Plan& plan) const;
  // Applies the policy to an offset that may be out of range.
  absl::StatusOr<PartitionStart> StartAt(PartitionName name, storage::PartitionId id,
                                         storage::Offset offset, OutOfRangePolicy policy) const;
  absl::StatusOr<SeekOutcome> SeekOne(Subscription& subscription, const SeekTarget& target) const;
  std::shared_ptr<Subscription> Make(const SubscribeCommand& command, const Plan& plan) const;
  absl::Status Register(const std::shared_ptr<Subscription>& subscription, Entry entry);
  absl::Status Start(const SubscribeCommand& command, const Plan& plan,
                     const std::shared_ptr<Subscription>& subscription);
  // Assigns partitions of a topic that an independent reader reads but does not have yet.
  void AssignNew(Subscription& subscription, std::string_view topic);
  void UpdateReader(Subscription& subscription, const Entry& before, const Plan& plan);
  void ScheduleHeartbeat(std::weak_ptr<Subscription> subscription, absl::Duration delay);
  void ScheduleWatch(std::weak_ptr<Subscription> subscription);

  storage::Engine& engine_;
  const storage::Clock& clock_;
  const Limits& limits_;
  const Topics& topics_;
  Groups& groups_;
  Executor& deliveries_;
  TimerQueue& timers_;
  FrameBudget& budget_;
  DeliveryCounts& delivery_counts_;
  HubObserver& observer_;
  const absl::Duration watch_interval_;
  std::atomic<int64_t> healed_{0};

  mutable std::mutex mutex_;
  bool draining_ = false;
  absl::flat_hash_map<std::string, Entry> by_session_;
};

}  // namespace millrace::hub
