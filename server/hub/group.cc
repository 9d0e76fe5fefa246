#include "server/hub/group.h"

#include <algorithm>
#include <set>
#include <variant>

#include "absl/strings/str_cat.h"
#include "server/hub/group_state.h"
#include "server/hub/random_id.h"
#include "storage/error.h"

namespace millrace::hub {

using storage::Error;
using storage::Offset;
using storage::PartitionId;
using storage::Reason;

namespace {

// Changes of membership are kept so long after they happen, all of the meantime at once.
constexpr absl::Duration kKeepingDelay = absl::Milliseconds(100);

}  // namespace

Group::Group(GroupContext context, std::string name)
    : context_(context), name_(std::move(name)), coordinator_(context.options) {}

// ---- Beginning

void Group::Restore() {
  const auto kept = context_.engine.GroupState(name_);
  if (!kept.ok() || kept->empty()) return;
  std::lock_guard lock(mutex_);
  const absl::Duration now = MonotonicNow();
  for (const RememberedMember& member : DecodeGroupState(*kept)) {
    for (const std::string& topic : member.state.topics) RefreshTopic(topic);
    coordinator_.Restore(now, member.state, member.partitions);
  }
  CarryOut();
}

// ---- Members

absl::StatusOr<MemberSession> Group::Join(const std::shared_ptr<Subscription>& stream,
                                          const MemberRequest& request) {
  std::lock_guard lock(mutex_);
  const bool known = coordinator_.FindInstance(request.instance_id) != nullptr ||
                     coordinator_.Knows(request.resume_member_id);
  if (!known &&
      coordinator_.member_count() >= static_cast<size_t>(context_.limits.max_group_members)) {
    return Error(Reason::kLimitExceeded,
                 absl::StrCat("a group may have ", context_.limits.max_group_members, " members"),
                 {{"limit", "max_group_members"},
                  {"value", absl::StrCat(context_.limits.max_group_members)}});
  }
  for (const std::string& topic : request.topics) RefreshTopic(topic);
  const MemberSession session =
      coordinator_.Join(MonotonicNow(), {.new_member_id = RandomId(),
                                         .instance_id = request.instance_id,
                                         .resume_member_id = request.resume_member_id,
                                         .topics = request.topics,
                                         .revoke_timeout = request.revoke_timeout});
  streams_[session] = {stream, request.max_uncommitted_age, request.peer, context_.clock.Now()};
  stream->StartSession(session.member_id, session.member_epoch);
  context_.observer.OnMemberJoined(name_, session.member_id, request.instance_id,
                                   session.member_epoch);
  CarryOut();
  return session;
}

void Group::StreamClosed(const MemberSession& session, const Subscription& stream) {
  std::lock_guard lock(mutex_);
  const auto it = streams_.find(session);
  if (it == streams_.end()) return;
  NoteEpochs(stream);
  streams_.erase(it);
  if (frozen_) return;
  if (stream.ended_by() == EndingReason::kEndReached) {
    std::vector<GroupCoordinator::Progress> progress;
    for (const auto& [id, standing] : stream.Standings()) {
      progress.push_back({id, standing.next, CommittedIn(id)});
    }
    coordinator_.Finish(MonotonicNow(), session, progress);
  } else if (stream.ended_by() == EndingReason::kMaxAge) {
    coordinator_.Recall(MonotonicNow(), session);
  } else {
    coordinator_.Break(MonotonicNow(), session);
  }
  context_.observer.OnMemberGone(name_, session.member_id, "its stream is over");
  CarryOut();
}

void Group::SetTopics(const MemberSession& session, std::vector<std::string> topics) {
  std::lock_guard lock(mutex_);
  for (const std::string& topic : topics) RefreshTopic(topic);
  coordinator_.SetMemberTopics(MonotonicNow(), session, std::move(topics));
  CarryOut();
}

void Group::Release(const MemberSession& session, const std::vector<PartitionId>& partitions) {
  std::lock_guard lock(mutex_);
  for (const PartitionId id : partitions) {
    coordinator_.Release(MonotonicNow(), session, id);
    CarryOut();
  }
}

void Group::Leave(const MemberSession& session) {
  std::lock_guard lock(mutex_);
  coordinator_.Leave(MonotonicNow(), session);
  CarryOut();
}

void Group::OnTopicChanged(const std::string& topic) {
  std::lock_guard lock(mutex_);
  if (coordinator_.Concerns(topic)) RefreshTopic(topic);
}

void Group::RefreshTopic(const std::string& topic) {
  const storage::TopicPtr found = context_.engine.FindTopic(topic);
  std::vector<PartitionId> partitions;
  if (found != nullptr) {
    partitions = found->partitions;
    const auto shared_name = std::make_shared<const std::string>(topic);
    for (size_t i = 0; i < partitions.size(); ++i) {
      names_.try_emplace(partitions[i], PartitionName{shared_name, static_cast<int32_t>(i)});
    }
  }
  coordinator_.SetTopicPartitions(MonotonicNow(), topic, partitions);
  CarryOut();
}

bool Group::has_members() const {
  std::lock_guard lock(mutex_);
  return coordinator_.member_count() > 0;
}

// ---- Actions

void Group::CarryOut() {
  bool changed = false;
  for (auto actions = coordinator_.TakeActions(); !actions.empty();
       actions = coordinator_.TakeActions()) {
    changed = true;
    for (const GroupAction& action : actions) {
      std::visit([this](const auto& each) { Do(each); }, action);
    }
  }
  while (!outbox_.empty()) Send(outbox_.begin()->first);
  committed_.reset();
  if (changed) ScheduleKeeping();
  ScheduleTick();
}

void Group::Do(const AssignAction& assign) {
  Enqueue(assign.session, {.kind = Notice::kAssigned}, assign.partition);
}

void Group::Do(const TellRevokingAction& revoking) {
  Enqueue(revoking.session, {.kind = Notice::kRevoking, .time_left = revoking.time_left},
          revoking.partition);
}

void Group::Do(const LoseAction& lose) {
  if (lose.cause == LostCause::kRevokeTimeout || lose.cause == LostCause::kUncommittedTooLong) {
    context_.observer.OnPartitionTakenAway(name_, lose.session.member_id, names_[lose.partition],
                                           lose.cause);
  }
  if (const Subscription* stream = StreamOf(lose.session)) NoteEpoch(lose.partition, *stream);
  Enqueue(lose.session, {.kind = Notice::kLost, .cause = lose.cause}, lose.partition);
}

void Group::Do(const RevokeAction& revoke) {
  Send(revoke.session);  // It may be about this very partition.
  Subscription* stream = StreamOf(revoke.session);
  const auto standing =
      stream == nullptr ? std::optional<Standing>() : stream->Stop(revoke.partition);
  const Offset committed = CommittedIn(revoke.partition);
  coordinator_.Stopped(MonotonicNow(), revoke.session,
                       {revoke.partition, standing ? standing->next : committed, committed});
}

void Group::Do(const EndAction& end) {
  Send(end.session);
  const auto it = streams_.find(end.session);
  if (it == streams_.end()) return;
  NoteEpochs(*it->second.subscription);
  it->second.subscription->End(end.reason);
  streams_.erase(it);
  context_.observer.OnMemberGone(
      name_, end.session.member_id,
      end.reason == EndingReason::kInstanceReplaced ? "another stream took its place" : "it left");
}

// What one stream is told at once goes into one frame, as far as the order of kinds allows.
void Group::Enqueue(const MemberSession& session, const Notice& notice, PartitionId partition) {
  std::vector<Notice>& notices = outbox_[session];
  if (notices.empty() || notices.back().kind != notice.kind ||
      notices.back().cause != notice.cause) {
    notices.push_back(notice);
  }
  notices.back().partitions.push_back(partition);
}

void Group::Send(const MemberSession& session) {
  const auto node = outbox_.extract(session);
  Subscription* stream = StreamOf(session);
  if (node.empty() || stream == nullptr) return;
  for (const Notice& notice : node.mapped()) {
    switch (notice.kind) {
      case Notice::kAssigned:
        SendAssigned(*stream, notice.partitions);
        break;
      case Notice::kRevoking:
        stream->TellRevoking(notice.partitions, notice.time_left);
        break;
      case Notice::kLost:
        stream->Lose(notice.partitions, notice.cause);
        break;
    }
  }
}

void Group::SendAssigned(Subscription& stream, const std::vector<PartitionId>& partitions) {
  std::vector<PartitionStart> starts;
  for (const PartitionId id : partitions) {
    starts.push_back({.name = names_[id],
                      .id = id,
                      .offset = CommittedIn(id),
                      .position_epoch = NextEpoch(id),
                      .repositioned_from = std::nullopt});
  }
  stream.Assign(starts);
}

Subscription* Group::StreamOf(const MemberSession& session) const {
  const auto it = streams_.find(session);
  return it == streams_.end() ? nullptr : it->second.subscription.get();
}

// ---- Time

void Group::EvictLate(absl::Duration now) {
  std::vector<std::pair<MemberSession, PartitionId>> late;
  for (const auto& [session, stream] : streams_) {
    if (!stream.max_uncommitted_age) continue;
    for (const PartitionId id :
         stream.subscription->UncommittedSince(now - *stream.max_uncommitted_age)) {
      late.emplace_back(session, id);
    }
  }
  for (const auto& [session, id] : late) {
    coordinator_.Evict(now, session, id);
    CarryOut();
  }
}

void Group::Tick() {
  std::lock_guard lock(mutex_);
  tick_at_.reset();
  if (frozen_) return;
  const absl::Duration now = MonotonicNow();
  EvictLate(now);
  coordinator_.Tick(now);
  CarryOut();
}

std::optional<absl::Duration> Group::NextWake() const {
  std::optional<absl::Duration> next = coordinator_.NextDeadline();
  for (const auto& [session, stream] : streams_) {
    if (!stream.max_uncommitted_age) continue;
    const absl::Duration look = MonotonicNow() + *stream.max_uncommitted_age / 4;
    next = next ? std::min(*next, look) : look;
  }
  return next;
}

void Group::ScheduleTick() {
  const auto next = NextWake();
  if (frozen_ || !next || (tick_at_ && *tick_at_ <= *next)) return;
  tick_at_ = *next;
  ScheduleOnWorker(*next - MonotonicNow(), &Group::Tick);
}

void Group::ScheduleOnWorker(absl::Duration delay, void (Group::*task)()) {
  context_.timers.Schedule(delay, [weak = weak_from_this(), task] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    std::lock_guard lock(self->mutex_);
    if (self->frozen_) return;  // The workers may be gone.
    self->context_.workers.Post([self, task] { ((*self).*task)(); });
  });
}

// ---- Keeping who has what

void Group::ScheduleKeeping() {
  if (frozen_ || std::exchange(keeping_scheduled_, true)) return;
  ScheduleOnWorker(kKeepingDelay, &Group::Keep);
}

void Group::Keep() { Put(/*freeze=*/false); }

void Group::Freeze() { Put(/*freeze=*/true); }

void Group::Put(bool freeze) {
  std::string state;
  {
    std::lock_guard lock(mutex_);
    keeping_scheduled_ = false;
    if (frozen_) return;
    frozen_ = freeze;
    state = EncodeGroupState(coordinator_);
  }
  // It is a hint: where it cannot be kept the log has worse to tell.
  context_.engine.PutGroupState(name_, state).IgnoreError();
}

// ---- Looking

GroupView Group::View() const {
  std::lock_guard lock(mutex_);
  GroupView view;
  std::map<std::string, const Subscription*, std::less<>> stream_of_member;
  for (const GroupMemberState& member : coordinator_.Members()) {
    MemberView each{.member_id = member.session.member_id,
                    .instance_id = member.instance_id,
                    .topics = member.topics};
    if (const auto it = streams_.find(member.session); it != streams_.end()) {
      each.peer = it->second.peer;
      each.connect_time = it->second.connect_time;
      stream_of_member[each.member_id] = it->second.subscription.get();
    }
    view.members.push_back(std::move(each));
  }
  for (const auto& [id, partition] : coordinator_.Partitions()) {
    OwnerView owner{.member_id = partition.owner};
    if (const auto it = stream_of_member.find(partition.owner); it != stream_of_member.end()) {
      const auto standing = it->second->StandingOf(id);
      if (standing) owner.delivered = standing->next;
    }
    view.partitions.emplace(id, std::move(owner));
  }
  return view;
}

}  // namespace millrace::hub
