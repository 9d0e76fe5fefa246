#include "server/hub/subscriptions.h"

#include <algorithm>
#include <future>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/hub/names.h"
#include "server/hub/random_id.h"
#include "storage/error.h"

namespace millrace::hub {

using storage::Error;
using storage::Offset;
using storage::PartitionId;
using storage::PositionEpoch;
using storage::Reason;

namespace {

absl::Status OutOfRange(const PartitionName& name, Offset offset,
                        const storage::PartitionStatus& status) {
  return Error(Reason::kOffsetOutOfRange,
               absl::StrCat("partition ", name.partition, " of \"", *name.topic, "\" has offsets ",
                            status.earliest.value(), " to ", status.high_watermark.value(),
                            ", not ", offset.value()),
               {{"topic", *name.topic},
                {"partition", absl::StrCat(name.partition)},
                {"earliest", absl::StrCat(status.earliest.value())},
                {"latest", absl::StrCat(status.high_watermark.value())}});
}

// Says which of a request's positions an error is about.
absl::Status AtPlace(const absl::Status& error, const std::string& topic, int32_t partition) {
  storage::ErrorMetadata metadata = storage::MetadataOf(error);
  metadata["topic"] = topic;
  metadata["partition"] = absl::StrCat(partition);
  return Error(storage::ReasonOf(error).value_or(Reason::kInternal), std::string(error.message()),
               std::move(metadata));
}

absl::Status Draining() { return Error(Reason::kDraining, "the hub is stopping"); }

}  // namespace

Subscriptions::Subscriptions(storage::Engine& engine, const storage::Clock& clock,
                             const Limits& limits, const Topics& topics, Groups& groups,
                             Executor& deliveries, TimerQueue& timers, FrameBudget& budget)
    : engine_(engine),
      clock_(clock),
      limits_(limits),
      topics_(topics),
      groups_(groups),
      deliveries_(deliveries),
      timers_(timers),
      budget_(budget) {}

// ---- Planning

absl::Status Subscriptions::CheckCommand(const SubscribeCommand& command) const {
  if (command.topics.empty() && command.positions.empty()) {
    return Error(Reason::kEmptyRequest, "there is no topic to subscribe to", {{"field", "topics"}});
  }
  if (!command.group.empty()) {
    if (absl::Status status = ValidateName("group", command.group); !status.ok()) return status;
    if (!command.positions.empty()) {
      return Error(Reason::kPositionsWithGroup,
                   "a group reads from its committed offsets: use Seek to move a member",
                   {{"field", "positions"}});
    }
  }
  if (command.max_frame_bytes.value_or(1) > limits_.max_frame_bytes) {
    return Error(Reason::kInvalidConfig,
                 absl::StrCat("max_batch_bytes may be ", limits_.max_frame_bytes, " here, not ",
                              *command.max_frame_bytes),
                 {{"field", "max_batch_bytes"}});
  }
  return absl::OkStatus();
}

absl::StatusOr<Offset> Subscriptions::Resolve(PartitionId id, const StartPosition& start) const {
  if (const auto* time = std::get_if<absl::Time>(&start)) return engine_.OffsetAtTime(id, *time);
  const auto status = engine_.Status(id);
  if (!status.ok()) return status.status();
  return std::holds_alternative<Earliest>(start) ? status->earliest : status->high_watermark;
}

absl::StatusOr<PartitionStart> Subscriptions::StartAt(PartitionName name, PartitionId id,
                                                      Offset offset,
                                                      OutOfRangePolicy policy) const {
  const auto status = engine_.Status(id);
  if (!status.ok()) return status.status();
  PartitionStart start{.name = std::move(name),
                       .id = id,
                       .offset = offset,
                       .position_epoch = PositionEpoch(1),
                       .repositioned_from = std::nullopt};
  if (offset >= status->earliest && offset <= status->high_watermark) return start;
  if (policy == OutOfRangePolicy::kFail) return OutOfRange(start.name, offset, *status);
  start.repositioned_from = offset;
  start.offset = policy == OutOfRangePolicy::kEarliest ? status->earliest : status->high_watermark;
  return start;
}

absl::StatusOr<PartitionStart> Subscriptions::PlanPosition(
    const SubscribeCommand& command, const RequestedPosition& position) const {
  const auto topic = topics_.Find(position.topic);
  if (!topic.ok()) return topic.status();
  const auto id = Topics::PartitionOf(**topic, position.partition);
  if (!id.ok()) return id.status();
  if (position.log_epoch) {
    const absl::Status valid = engine_.ValidatePosition(*id, position.offset, *position.log_epoch);
    if (!valid.ok()) return AtPlace(valid, position.topic, position.partition);
  }
  return StartAt({std::make_shared<const std::string>(position.topic), position.partition}, *id,
                 position.offset, command.out_of_range);
}

absl::Status Subscriptions::PlanTopic(const SubscribeCommand& command, const std::string& name,
                                      const CommittedById& committed, Plan& plan) const {
  const auto topic = topics_.Find(name);
  if (!topic.ok()) {
    const bool missing = storage::ReasonOf(topic.status()) == Reason::kTopicNotFound;
    if (!missing || !command.allow_missing_topics) return topic.status();
    plan.missing_topics.push_back(name);
    return absl::OkStatus();
  }
  const auto& ids = (*topic)->partitions;
  const auto is_committed = [&](PartitionId id) { return committed.contains(id); };
  // A partition that was added to a topic which the group has been reading is read from its start.
  const bool group_knows_topic = std::any_of(ids.begin(), ids.end(), is_committed);
  const StartPosition start =
      group_knows_topic ? StartPosition(Earliest{})
                        : command.start.value_or(command.group.empty() ? StartPosition(Latest{})
                                                                       : StartPosition(Earliest{}));
  const auto shared_name = std::make_shared<const std::string>(name);
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto has_position = [&](const PartitionStart& each) { return each.id == ids[i]; };
    if (std::any_of(plan.starts.begin(), plan.starts.begin() + command.positions.size(),
                    has_position)) {
      continue;
    }
    const auto found = committed.find(ids[i]);
    const auto offset = found == committed.end()
                            ? Resolve(ids[i], start)
                            : absl::StatusOr<Offset>(found->second.next_offset);
    if (!offset.ok()) return offset.status();
    auto planned =
        StartAt({shared_name, static_cast<int32_t>(i)}, ids[i], *offset, command.out_of_range);
    if (!planned.ok()) return planned.status();
    if (found != committed.end()) planned->position_epoch = found->second.position_epoch + 1;
    plan.starts.push_back(*std::move(planned));
  }
  return absl::OkStatus();
}

absl::StatusOr<Subscriptions::Plan> Subscriptions::MakePlan(const SubscribeCommand& command) const {
  Plan plan;
  for (const RequestedPosition& position : command.positions) {
    auto start = PlanPosition(command, position);
    if (!start.ok()) return start.status();
    plan.starts.push_back(*std::move(start));
  }
  CommittedById committed;
  if (!command.group.empty()) {
    auto offsets = engine_.CommittedOffsets(command.group);
    if (!offsets.ok()) return offsets.status();
    for (auto& each : *offsets) committed.emplace(each.partition, std::move(each));
  }
  const std::set<std::string> topics(command.topics.begin(), command.topics.end());
  plan.topics.assign(topics.begin(), topics.end());
  for (const std::string& name : plan.topics) {
    absl::Status status = PlanTopic(command, name, committed, plan);
    if (!status.ok()) return status;
  }
  if (command.group.empty()) return plan;
  absl::Status status = CommitStarts(command, plan, committed);
  if (!status.ok()) return status;
  return plan;
}

absl::Status Subscriptions::CommitStarts(const SubscribeCommand& command, const Plan& plan,
                                         const CommittedById& committed) const {
  storage::WriteSet set;
  for (const PartitionStart& start : plan.starts) {
    if (committed.contains(start.id)) continue;
    set.commits.push_back({.group = command.group,
                           .partition = start.id,
                           .next_offset = start.offset,
                           .metadata = "",
                           .position_epoch = start.position_epoch});
  }
  if (set.commits.empty()) return absl::OkStatus();
  std::promise<absl::Status> committed_now;
  engine_.Write(std::move(set), [&](absl::StatusOr<storage::WriteResult> result) {
    committed_now.set_value(result.status());
  });
  return committed_now.get_future().get();
}

// ---- Opening and closing

absl::StatusOr<std::shared_ptr<Subscription>> Subscriptions::Open(const SubscribeCommand& command) {
  if (absl::Status status = CheckCommand(command); !status.ok()) return status;
  auto plan = MakePlan(command);
  if (!plan.ok()) return plan.status();
  SubscriptionOptions options{.session_id = RandomId(),
                              .topics = plan->topics,
                              .missing_topics = plan->missing_topics,
                              .group = command.group,
                              .out_of_range = command.out_of_range,
                              .end_at_current = command.end_at_current};
  if (!command.group.empty()) {
    options.member_id = RandomId();
    options.member_epoch = 1;
    options.instance_id = command.instance_id;
  }
  if (command.max_frame_bytes) options.max_frame_bytes = *command.max_frame_bytes;
  if (command.heartbeat_interval) options.heartbeat_interval = *command.heartbeat_interval;
  auto subscription = std::make_shared<Subscription>(
      SubscriptionContext{engine_, clock_, deliveries_, budget_}, std::move(options));
  subscription->Assign(plan->starts);
  if (absl::Status status = Register(subscription); !status.ok()) return status;
  // A topic may have appeared or grown since the plan was made.
  for (const std::string& topic : plan->topics) AssignNew(*subscription, topic);
  ScheduleHeartbeat(subscription, subscription->options().heartbeat_interval);
  return subscription;
}

absl::Status Subscriptions::Register(const std::shared_ptr<Subscription>& subscription) {
  {
    std::lock_guard lock(mutex_);
    if (draining_) return Draining();
    if (by_session_.size() >= static_cast<size_t>(limits_.max_subscriptions)) {
      return Error(
          Reason::kLimitExceeded,
          absl::StrCat("this hub may have ", limits_.max_subscriptions, " open subscriptions"),
          {{"limit", "max_subscriptions"}, {"value", absl::StrCat(limits_.max_subscriptions)}});
    }
    by_session_[subscription->options().session_id] = subscription;
  }
  if (subscription->options().group.empty()) return absl::OkStatus();
  absl::Status status = groups_.Join(subscription);
  if (!status.ok()) Close(subscription);
  return status;
}

void Subscriptions::Close(const std::shared_ptr<Subscription>& subscription) {
  subscription->Cancel();
  if (!subscription->options().group.empty()) groups_.Leave(*subscription);
  std::lock_guard lock(mutex_);
  by_session_.erase(subscription->options().session_id);
}

absl::StatusOr<std::shared_ptr<Subscription>> Subscriptions::Find(
    std::string_view session_id) const {
  std::shared_ptr<Subscription> found;
  {
    std::lock_guard lock(mutex_);
    const auto it = by_session_.find(std::string(session_id));
    if (it != by_session_.end()) found = it->second.lock();
  }
  if (found != nullptr) return found;
  return Error(Reason::kSessionNotFound, "there is no open subscription with this session_id",
               {{"field", "session_id"}});
}

int64_t Subscriptions::count() const {
  std::lock_guard lock(mutex_);
  return static_cast<int64_t>(by_session_.size());
}

void Subscriptions::Drain() {
  std::vector<std::shared_ptr<Subscription>> open;
  {
    std::lock_guard lock(mutex_);
    draining_ = true;
    for (const auto& [id, weak] : by_session_) {
      if (auto subscription = weak.lock()) open.push_back(std::move(subscription));
    }
  }
  for (const auto& subscription : open) subscription->End(EndingReason::kDraining);
}

// ---- While they are open

absl::StatusOr<SeekOutcome> Subscriptions::SeekOne(Subscription& subscription,
                                                   const SeekTarget& target) const {
  const auto& [name, number] = target.partition;
  const auto topic = topics_.Find(name);
  if (!topic.ok()) return topic.status();
  const auto id = Topics::PartitionOf(**topic, number);
  if (!id.ok()) return id.status();
  if (const auto* start = std::get_if<StartPosition>(&target.target)) {
    const auto offset = Resolve(*id, *start);
    if (!offset.ok()) return offset.status();
    return subscription.Seek(target.partition, *offset);
  }
  const Offset offset = std::get<Offset>(target.target);
  if (target.log_epoch) {
    absl::Status valid = engine_.ValidatePosition(*id, offset, *target.log_epoch);
    if (!valid.ok()) return valid;
  }
  const auto checked = StartAt({std::make_shared<const std::string>(name), number}, *id, offset,
                               OutOfRangePolicy::kFail);
  if (!checked.ok()) return checked.status();
  return subscription.Seek(target.partition, offset);
}

std::vector<absl::StatusOr<SeekOutcome>> Subscriptions::Seek(
    Subscription& subscription, const std::vector<SeekTarget>& targets) {
  std::vector<absl::StatusOr<SeekOutcome>> outcomes;
  outcomes.reserve(targets.size());
  for (const SeekTarget& target : targets) outcomes.push_back(SeekOne(subscription, target));
  return outcomes;
}

void Subscriptions::AssignNew(Subscription& subscription, std::string_view name) {
  const auto topic = topics_.Find(name);
  if (!topic.ok()) return;
  const auto shared_name = std::make_shared<const std::string>(name);
  std::vector<PartitionStart> starts;
  for (size_t i = 0; i < (*topic)->partitions.size(); ++i) {
    const auto number = static_cast<int32_t>(i);
    if (subscription.IsAssigned({(*topic)->name, number})) continue;
    starts.push_back({.name = {shared_name, number},
                      .id = (*topic)->partitions[i],
                      .offset = Offset(0),
                      .position_epoch = PositionEpoch(1),
                      .repositioned_from = std::nullopt});
  }
  subscription.Assign(starts);
}

void Subscriptions::OnTopicChanged(std::string_view topic) {
  std::vector<std::shared_ptr<Subscription>> readers;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, weak] : by_session_) {
      auto subscription = weak.lock();
      if (subscription == nullptr) continue;
      const auto& topics = subscription->options().topics;
      if (std::binary_search(topics.begin(), topics.end(), topic)) {
        readers.push_back(std::move(subscription));
      }
    }
  }
  for (const auto& reader : readers) AssignNew(*reader, topic);
}

void Subscriptions::ScheduleHeartbeat(std::weak_ptr<Subscription> subscription,
                                      absl::Duration delay) {
  timers_.Schedule(delay, [this, subscription = std::move(subscription)] {
    const auto open = subscription.lock();
    if (open == nullptr) return;
    if (const auto next = open->CheckHeartbeat()) ScheduleHeartbeat(subscription, *next);
  });
}

}  // namespace millrace::hub
