#include "server/hub/subscriptions.h"

#include <algorithm>
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
               metadata);
}

absl::Status Draining() { return Error(Reason::kDraining, "the hub is stopping"); }

}  // namespace

Subscriptions::Subscriptions(storage::Engine& engine, const storage::Clock& clock,
                             const Limits& limits, const Topics& topics, Groups& groups,
                             Executor& deliveries, TimerQueue& timers, FrameBudget& budget,
                             DeliveryCounts& delivery_counts, HubObserver& observer,
                             absl::Duration watch_interval)
    : engine_(engine),
      clock_(clock),
      limits_(limits),
      topics_(topics),
      groups_(groups),
      deliveries_(deliveries),
      timers_(timers),
      budget_(budget),
      delivery_counts_(delivery_counts),
      observer_(observer),
      watch_interval_(watch_interval) {}

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
  if (absl::Status status = CheckMembership(command); !status.ok()) return status;
  if (command.max_frame_bytes.value_or(1) > limits_.max_frame_bytes) {
    return Error(Reason::kInvalidConfig,
                 absl::StrCat("max_batch_bytes may be ", limits_.max_frame_bytes, " here, not ",
                              *command.max_frame_bytes),
                 {{"field", "max_batch_bytes"}});
  }
  return absl::OkStatus();
}

// What only makes sense in a group, or only within bounds.
absl::Status Subscriptions::CheckMembership(const SubscribeCommand& command) const {
  const auto refuse = [](const std::string& field, const std::string& why) {
    return Error(Reason::kInvalidConfig, field + " " + why, {{"field", field}});
  };
  const bool alone = command.group.empty();
  const std::pair<std::string, bool> given[] = {
      {"instance_id", !command.instance_id.empty()},
      {"resume_member_id", !command.resume_member_id.empty()},
      {"max_in_flight_records", command.max_in_flight_records.has_value()},
      {"max_in_flight_bytes", command.max_in_flight_bytes.has_value()},
      {"max_uncommitted_age", command.max_uncommitted_age.has_value()},
  };
  for (const auto& [field, is_given] : given) {
    if (alone && is_given) return refuse(field, "is for members of a group: nothing is committed");
  }
  if (!command.instance_id.empty() && !ValidateName("instance", command.instance_id).ok()) {
    return ValidateName("instance", command.instance_id);
  }
  if (command.max_in_flight_records.value_or(1) <= 0) {
    return refuse("max_in_flight_records", "must be positive");
  }
  if (command.max_in_flight_bytes.value_or(1) <= 0) {
    return refuse("max_in_flight_bytes", "must be positive");
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

absl::Status Subscriptions::PlanTopics(const std::vector<std::string>& names, bool allow_missing,
                                       Plan& plan) const {
  const std::set<std::string> sorted(names.begin(), names.end());
  plan.topics.assign(sorted.begin(), sorted.end());
  for (const std::string& name : plan.topics) {
    const auto topic = topics_.Find(name);
    if (topic.ok()) continue;
    const bool missing = storage::ReasonOf(topic.status()) == Reason::kTopicNotFound;
    if (!missing || !allow_missing) return topic.status();
    plan.missing_topics.push_back(name);
  }
  return absl::OkStatus();
}

absl::Status Subscriptions::PlanStarts(const std::string& name, const StartPosition& start,
                                       Plan& plan) const {
  const auto topic = topics_.Find(name);
  if (!topic.ok()) return absl::OkStatus();  // It may be missing; PlanTopics has judged that.
  const auto shared_name = std::make_shared<const std::string>(name);
  for (size_t i = 0; i < (*topic)->partitions.size(); ++i) {
    const PartitionId id = (*topic)->partitions[i];
    const bool has_position =
        std::any_of(plan.starts.begin(), plan.starts.end(),
                    [&](const PartitionStart& each) { return each.id == id; });
    if (has_position) continue;
    const auto offset = Resolve(id, start);
    if (!offset.ok()) return offset.status();
    plan.starts.push_back({.name = {shared_name, static_cast<int32_t>(i)},
                           .id = id,
                           .offset = *offset,
                           .position_epoch = PositionEpoch(1),
                           .repositioned_from = std::nullopt});
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
  absl::Status status = PlanTopics(command.topics, command.allow_missing_topics, plan);
  if (!status.ok()) return status;
  if (!command.group.empty()) return plan;
  for (const std::string& topic : plan.topics) {
    status = PlanStarts(topic, command.start.value_or(Latest{}), plan);
    if (!status.ok()) return status;
  }
  return plan;
}

absl::Status Subscriptions::PrepareGroup(const std::string& group,
                                         const std::vector<std::string>& topics,
                                         const std::optional<StartPosition>& start) {
  return groups_.Prepare(group, topics,
                         [&](PartitionId id) { return Resolve(id, start.value_or(Earliest{})); });
}

// ---- Opening and closing

std::shared_ptr<Subscription> Subscriptions::Make(const SubscribeCommand& command,
                                                  const Plan& plan) const {
  SubscriptionOptions options{.session_id = RandomId(),
                              .missing_topics = plan.missing_topics,
                              .group = command.group,
                              .owner = command.owner,
                              .out_of_range = command.out_of_range,
                              .max_in_flight_records = command.max_in_flight_records,
                              .max_in_flight_bytes = command.max_in_flight_bytes,
                              .notes_age_in_flight = command.max_uncommitted_age.has_value(),
                              .end_at_current = command.end_at_current};
  if (command.max_frame_bytes) options.max_frame_bytes = *command.max_frame_bytes;
  if (command.heartbeat_interval) options.heartbeat_interval = *command.heartbeat_interval;
  options.credit_records = command.credit_records;
  TaskRunner& deliveries = command.deliveries != nullptr ? *command.deliveries : deliveries_;
  return std::make_shared<Subscription>(
      SubscriptionContext{engine_, clock_, deliveries, budget_, delivery_counts_},
      std::move(options));
}

absl::StatusOr<std::shared_ptr<Subscription>> Subscriptions::Open(const SubscribeCommand& command) {
  if (absl::Status status = CheckCommand(command); !status.ok()) return status;
  auto plan = MakePlan(command);
  if (!plan.ok()) return plan.status();
  auto subscription = Make(command, *plan);
  absl::Status status =
      Register(subscription, {.subscription = subscription,
                              .topics = plan->topics,
                              .start = command.start,
                              .allow_missing_topics = command.allow_missing_topics,
                              .member = std::nullopt});
  if (!status.ok()) return status;
  status = Start(command, *plan, subscription);
  if (!status.ok()) {
    Close(subscription);
    return status;
  }
  ScheduleHeartbeat(subscription, subscription->options().heartbeat_interval);
  ScheduleWatch(subscription);
  return subscription;
}

absl::Status Subscriptions::Start(const SubscribeCommand& command, const Plan& plan,
                                  const std::shared_ptr<Subscription>& subscription) {
  if (command.group.empty()) {
    subscription->StartSession("", 0);
    subscription->Assign(plan.starts);
    // A topic may have appeared or grown since the plan was made.
    for (const std::string& topic : plan.topics) AssignNew(*subscription, topic);
    return absl::OkStatus();
  }
  absl::Status status = PrepareGroup(command.group, plan.topics, command.start);
  if (!status.ok()) return status;
  MemberRequest request{.instance_id = command.instance_id,
                        .resume_member_id = command.resume_member_id,
                        .topics = plan.topics,
                        .max_uncommitted_age = command.max_uncommitted_age,
                        .peer = command.peer};
  if (command.revoke_timeout) {
    request.revoke_timeout = std::min(*command.revoke_timeout, limits_.max_revoke_timeout);
  }
  auto session = groups_.Join(command.group, subscription, request);
  if (!session.ok()) return session.status();
  std::lock_guard lock(mutex_);
  by_session_[subscription->options().session_id].member = *std::move(session);
  return absl::OkStatus();
}

absl::Status Subscriptions::Register(const std::shared_ptr<Subscription>& subscription,
                                     Entry entry) {
  std::lock_guard lock(mutex_);
  if (draining_) return Draining();
  if (by_session_.size() >= static_cast<size_t>(limits_.max_subscriptions)) {
    return Error(
        Reason::kLimitExceeded,
        absl::StrCat("this hub may have ", limits_.max_subscriptions, " open subscriptions"),
        {{"limit", "max_subscriptions"}, {"value", absl::StrCat(limits_.max_subscriptions)}});
  }
  by_session_[subscription->options().session_id] = std::move(entry);
  return absl::OkStatus();
}

void Subscriptions::Close(const std::shared_ptr<Subscription>& subscription) {
  subscription->Cancel();
  std::optional<MemberSession> member;
  {
    std::lock_guard lock(mutex_);
    const auto node = by_session_.extract(subscription->options().session_id);
    if (!node.empty()) member = node.mapped().member;
  }
  if (member) groups_.StreamClosed(subscription->options().group, *member, *subscription);
}

absl::StatusOr<std::shared_ptr<Subscription>> Subscriptions::Find(std::string_view session_id,
                                                                  std::string_view owner) const {
  std::shared_ptr<Subscription> found;
  {
    std::lock_guard lock(mutex_);
    const auto it = by_session_.find(std::string(session_id));
    if (it != by_session_.end()) found = it->second.subscription.lock();
  }
  if (found != nullptr && found->options().owner == owner) return found;
  return Error(Reason::kSessionNotFound, "there is no open subscription with this session_id",
               {{"field", "session_id"}});
}

std::vector<std::string> Subscriptions::TopicsOf(const Subscription& subscription) const {
  std::lock_guard lock(mutex_);
  const auto it = by_session_.find(subscription.options().session_id);
  return it == by_session_.end() ? std::vector<std::string>() : it->second.topics;
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
    for (const auto& [id, entry] : by_session_) {
      if (auto subscription = entry.subscription.lock()) open.push_back(std::move(subscription));
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
    for (const auto& [id, entry] : by_session_) {
      auto subscription = entry.subscription.lock();
      if (subscription == nullptr || !subscription->options().group.empty()) continue;
      if (std::binary_search(entry.topics.begin(), entry.topics.end(), topic)) {
        readers.push_back(std::move(subscription));
      }
    }
  }
  for (const auto& reader : readers) AssignNew(*reader, topic);
  groups_.OnTopicChanged(std::string(topic));
}

absl::StatusOr<std::vector<std::string>> Subscriptions::UpdateTopics(
    std::string_view session_id, std::string_view owner, const std::vector<std::string>& topics) {
  const auto subscription = Find(session_id, owner);
  if (!subscription.ok()) return subscription.status();
  if (topics.empty()) {
    return Error(Reason::kEmptyRequest, "there is no topic to subscribe to", {{"field", "topics"}});
  }
  Entry before;
  {
    std::lock_guard lock(mutex_);
    before = by_session_[std::string(session_id)];
  }
  Plan plan;
  absl::Status status = PlanTopics(topics, before.allow_missing_topics, plan);
  const std::string& group = (*subscription)->options().group;
  if (status.ok() && !group.empty()) status = PrepareGroup(group, plan.topics, before.start);
  if (!status.ok()) return status;
  {
    std::lock_guard lock(mutex_);
    const auto it = by_session_.find(std::string(session_id));
    if (it != by_session_.end()) it->second.topics = plan.topics;
  }
  if (before.member) {
    groups_.SetTopics(group, *before.member, plan.topics);
  } else {
    UpdateReader(**subscription, before, plan);
  }
  return plan.missing_topics;
}

void Subscriptions::UpdateReader(Subscription& subscription, const Entry& before,
                                 const Plan& plan) {
  std::vector<PartitionId> dropped;
  for (const std::string& name : before.topics) {
    const auto topic = topics_.Find(name);
    if (!topic.ok() || std::binary_search(plan.topics.begin(), plan.topics.end(), name)) continue;
    dropped.insert(dropped.end(), (*topic)->partitions.begin(), (*topic)->partitions.end());
  }
  subscription.Lose(dropped, LostCause::kUnsubscribed);
  Plan added;
  for (const std::string& name : plan.topics) {
    if (std::binary_search(before.topics.begin(), before.topics.end(), name)) continue;
    PlanStarts(name, before.start.value_or(Latest{}), added).IgnoreError();  // Gone meanwhile.
  }
  subscription.Assign(added.starts);
}

void Subscriptions::ScheduleHeartbeat(std::weak_ptr<Subscription> subscription,
                                      absl::Duration delay) {
  timers_.Schedule(delay, [this, subscription = std::move(subscription)] {
    const auto open = subscription.lock();
    if (open == nullptr) return;
    if (const auto next = open->CheckHeartbeat()) ScheduleHeartbeat(subscription, *next);
  });
}

void Subscriptions::ScheduleWatch(std::weak_ptr<Subscription> subscription) {
  timers_.Schedule(watch_interval_, [this, subscription = std::move(subscription)]() mutable {
    const auto open = subscription.lock();
    if (open == nullptr) return;
    for (const PartitionName& partition : open->HealStalled()) {
      ++healed_;
      observer_.OnStalledPartitionHealed(open->options().session_id, partition);
    }
    ScheduleWatch(std::move(subscription));
  });
}

}  // namespace millrace::hub
