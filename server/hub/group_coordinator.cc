#include "server/hub/group_coordinator.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "server/hub/partition_balancer.h"

namespace millrace::hub {

using storage::Offset;
using storage::PartitionId;
using Presence = GroupMemberState::Presence;

struct GroupCoordinator::Member : GroupMemberState {
  int64_t joined = 0;  // Counts first joins.

  bool connected() const { return presence == Presence::kConnected; }
  bool subscribes(const std::string& topic) const {
    return std::binary_search(topics.begin(), topics.end(), topic);
  }
};

// A partition of a topic that the group has to do with.
struct GroupCoordinator::Slot {
  PartitionId id;
  std::string topic;
  Member* owner = nullptr;
  Member* target = nullptr;  // Who is to have it.
  Member* avoid = nullptr;   // Who gave it up, until somebody has it again.
  bool announced = false;    // The owner's present session was told that it has it.
  // While it is being taken away from its owner:
  bool revoking = false;
  std::optional<Offset> delivered;  // What is to be committed. Absent: Stopped has not come yet.
  absl::Duration deadline;
  int commits_under_way = 0;  // Of any owner.
};

namespace {

std::vector<std::string> Sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

GroupCoordinator::GroupCoordinator(Options options) : options_(options) {}
GroupCoordinator::~GroupCoordinator() = default;

// ---- Members

GroupCoordinator::Member* GroupCoordinator::FindPresent(const MemberSession& session) {
  const auto it = members_.find(session.member_id);
  if (it == members_.end() || it->second->session != session) return nullptr;
  return it->second.get();
}

const GroupCoordinator::Member* GroupCoordinator::FindPresent(const MemberSession& session) const {
  return const_cast<GroupCoordinator*>(this)->FindPresent(session);
}

const std::string* GroupCoordinator::FindInstance(std::string_view instance_id) const {
  if (instance_id.empty()) return nullptr;
  for (const auto& [id, member] : members_) {
    if (member->instance_id == instance_id) return &id;
  }
  return nullptr;
}

GroupCoordinator::Member& GroupCoordinator::FindOrAdd(const JoinRequest& request) {
  const std::string* known = FindInstance(request.instance_id);
  if (known == nullptr && Knows(request.resume_member_id)) known = &request.resume_member_id;
  std::unique_ptr<Member>& member = members_[known != nullptr ? *known : request.new_member_id];
  if (member == nullptr) {
    member = std::make_unique<Member>();
    member->session.member_id = request.new_member_id;
    member->joined = joins_++;
    return *member;
  }
  TakeOver(*member);
  return *member;
}

// Ends the member's session, for a new one to follow.
void GroupCoordinator::TakeOver(Member& member) {
  if (member.connected()) {
    actions_.push_back(EndAction{member.session, EndingReason::kInstanceReplaced});
  }
  for (auto& [id, slot] : slots_) {
    if (slot.owner != &member) continue;
    slot.announced = false;
    if (slot.revoking) Free(slot);  // Nobody is left to commit what was sent.
  }
}

MemberSession GroupCoordinator::Join(absl::Duration now, const JoinRequest& request) {
  Member& member = FindOrAdd(request);
  ++member.session.member_epoch;
  if (!request.instance_id.empty()) member.instance_id = request.instance_id;
  member.topics = Sorted(request.topics);
  member.revoke_timeout = request.revoke_timeout;
  member.presence = Presence::kConnected;
  Rebalance(now);
  return member.session;
}

void GroupCoordinator::Restore(absl::Duration now, const GroupMemberState& member,
                               const std::vector<PartitionId>& partitions) {
  auto restored = std::make_unique<Member>();
  static_cast<GroupMemberState&>(*restored) = member;
  restored->joined = joins_++;
  restored->presence = Presence::kAbsent;
  restored->gone_at = now + PatienceWith(member);
  for (const PartitionId id : partitions) {
    const auto it = slots_.find(id);
    if (it == slots_.end() || it->second.owner != nullptr) continue;
    it->second.owner = it->second.target = restored.get();
  }
  members_[member.session.member_id] = std::move(restored);
}

void GroupCoordinator::Break(absl::Duration now, const MemberSession& session) {
  Member* member = FindPresent(session);
  if (member == nullptr || !member->connected()) return;
  if (member->instance_id.empty()) {
    Remove(*member);
  } else {
    AwaitUntil(now + options_.rejoin_grace, *member);
  }
  Rebalance(now);
}

void GroupCoordinator::Recall(absl::Duration now, const MemberSession& session) {
  Member* member = FindPresent(session);
  if (member == nullptr || !member->connected()) return;
  AwaitUntil(now + PatienceWith(*member), *member);
  Rebalance(now);
}

void GroupCoordinator::AwaitUntil(absl::Duration time, Member& member) {
  member.presence = Presence::kAbsent;
  member.gone_at = time;
  for (auto& [id, slot] : slots_) {
    if (slot.owner == &member && slot.revoking) Free(slot);
  }
}

absl::Duration GroupCoordinator::PatienceWith(const GroupMemberState& member) const {
  return member.instance_id.empty() ? options_.settle_time : options_.rejoin_grace;
}

void GroupCoordinator::Leave(absl::Duration now, const MemberSession& session) {
  Member* member = FindPresent(session);
  if (member == nullptr) return;
  for (auto& [id, slot] : slots_) {
    if (slot.owner == member) GiveUp(slot, LostCause::kHandedOver);
  }
  actions_.push_back(EndAction{session, EndingReason::kLeft});
  Remove(*member);
  Rebalance(now);
}

void GroupCoordinator::Finish(absl::Duration now, const MemberSession& session,
                              const std::vector<Progress>& progress) {
  Member* member = FindPresent(session);
  if (member == nullptr || !member->connected()) return;
  member->presence = Presence::kFinishing;
  member->gone_at = now + options_.rejoin_grace;
  for (const Progress& each : progress) {
    Slot* slot = FindOwned(member, each.partition);
    if (slot == nullptr || slot->delivered) continue;
    slot->revoking = true;
    slot->deadline = member->gone_at;
    slot->delivered = each.delivered;
    GiveUpIfSettled(*slot, each.committed);
  }
  Rebalance(now);
}

void GroupCoordinator::Remove(Member& member) {
  for (auto& [id, slot] : slots_) {
    if (slot.owner == &member) Free(slot);
    if (slot.target == &member) slot.target = nullptr;
    if (slot.avoid == &member) slot.avoid = nullptr;
  }
  const std::string id = member.session.member_id;
  members_.erase(id);
}

// Members whose stream came to its end and who have nothing left to commit.
void GroupCoordinator::RemoveFinished() {
  std::vector<Member*> done;
  for (const auto& each : members_) {
    Member* member = each.second.get();
    if (member->presence != Presence::kFinishing) continue;
    const bool has_any = std::any_of(slots_.begin(), slots_.end(),
                                     [&](const auto& slot) { return slot.second.owner == member; });
    if (!has_any) done.push_back(member);
  }
  for (Member* member : done) Remove(*member);
}

void GroupCoordinator::SetMemberTopics(absl::Duration now, const MemberSession& session,
                                       std::vector<std::string> topics) {
  Member* member = FindPresent(session);
  if (member == nullptr) return;
  member->topics = Sorted(std::move(topics));
  Rebalance(now);
}

// ---- Partitions

void GroupCoordinator::SetTopicPartitions(absl::Duration now, const std::string& topic,
                                          const std::vector<PartitionId>& partitions) {
  bool changed = false;
  const std::set<PartitionId> present(partitions.begin(), partitions.end());
  for (auto it = slots_.begin(); it != slots_.end();) {
    Slot& slot = it->second;
    const bool gone = slot.topic == topic && !present.contains(slot.id);
    if (gone) GiveUp(slot, LostCause::kTopicDeleted);
    changed |= gone;
    it = gone ? slots_.erase(it) : std::next(it);
  }
  for (const PartitionId id : partitions) {
    changed |= slots_.try_emplace(id, Slot{.id = id, .topic = topic}).second;
  }
  if (changed) Rebalance(now);
}

GroupCoordinator::Slot* GroupCoordinator::FindOwned(const Member* member, PartitionId partition) {
  const auto it = slots_.find(partition);
  if (member == nullptr || it == slots_.end() || it->second.owner != member) return nullptr;
  return it->second.announced ? &it->second : nullptr;
}

bool GroupCoordinator::Owns(const MemberSession& session, PartitionId partition) const {
  const Member* member = FindPresent(session);
  return const_cast<GroupCoordinator*>(this)->FindOwned(member, partition) != nullptr;
}

void GroupCoordinator::Free(Slot& slot) {
  slot.owner = nullptr;
  slot.announced = false;
  slot.revoking = false;
  slot.delivered.reset();
}

void GroupCoordinator::GiveUp(Slot& slot, LostCause cause) {
  if (slot.owner != nullptr && slot.announced) {
    if (cause == LostCause::kHandedOver && !slot.owner->subscribes(slot.topic)) {
      cause = LostCause::kUnsubscribed;
    }
    actions_.push_back(LoseAction{slot.owner->session, slot.id, cause});
  }
  Free(slot);
}

void GroupCoordinator::GiveUpIfSettled(Slot& slot, Offset committed) {
  if (slot.revoking && slot.delivered && committed >= *slot.delivered) {
    GiveUp(slot, LostCause::kHandedOver);
  }
}

void GroupCoordinator::Stopped(absl::Duration now, const MemberSession& session,
                               const Progress& progress) {
  Slot* slot = FindOwned(FindPresent(session), progress.partition);
  if (slot == nullptr || !slot->revoking || slot->delivered) return;
  slot->delivered = progress.delivered;
  GiveUpIfSettled(*slot, progress.committed);
  if (slot->owner != nullptr) {
    actions_.push_back(TellRevokingAction{session, slot->id, slot->deadline - now});
  }
  Pursue(now, *slot);
}

bool GroupCoordinator::BeginCommit(const MemberSession& session, PartitionId partition) {
  Slot* slot = FindOwned(FindPresent(session), partition);
  if (slot == nullptr) return false;
  ++slot->commits_under_way;
  return true;
}

void GroupCoordinator::EndCommit(absl::Duration now, const MemberSession& session,
                                 PartitionId partition, std::optional<Offset> committed) {
  const auto it = slots_.find(partition);
  if (it == slots_.end()) return;
  Slot& slot = it->second;
  --slot.commits_under_way;
  if (committed && FindOwned(FindPresent(session), partition) != nullptr) {
    GiveUpIfSettled(slot, *committed);
  }
  const bool free = slot.owner == nullptr;
  Pursue(now, slot);
  if (free) RemoveFinished();
}

void GroupCoordinator::Release(absl::Duration now, const MemberSession& session,
                               PartitionId partition) {
  GiveBack(now, session, partition, LostCause::kHandedOver);
}

void GroupCoordinator::Evict(absl::Duration now, const MemberSession& session,
                             PartitionId partition) {
  GiveBack(now, session, partition, LostCause::kUncommittedTooLong);
}

void GroupCoordinator::GiveBack(absl::Duration now, const MemberSession& session,
                                PartitionId partition, LostCause cause) {
  Slot* slot = FindOwned(FindPresent(session), partition);
  if (slot == nullptr) return;
  slot->avoid = slot->owner;
  if (slot->target == slot->owner) slot->target = nullptr;
  GiveUp(*slot, cause);
  Rebalance(now);
}

void GroupCoordinator::BeginReset(PartitionId partition) {
  const auto it = slots_.find(partition);
  if (it != slots_.end()) ++it->second.commits_under_way;
}

void GroupCoordinator::EndReset(absl::Duration now, PartitionId partition, bool done) {
  const auto it = slots_.find(partition);
  if (it == slots_.end()) return;
  --it->second.commits_under_way;
  if (done && it->second.revoking) GiveUp(it->second, LostCause::kHandedOver);
  Pursue(now, it->second);
  RemoveFinished();
}

bool GroupCoordinator::Concerns(const std::string& topic) const {
  return std::any_of(members_.begin(), members_.end(),
                     [&](const auto& each) { return each.second->subscribes(topic); }) ||
         std::any_of(slots_.begin(), slots_.end(),
                     [&](const auto& each) { return each.second.topic == topic; });
}

bool GroupCoordinator::IsRevoking(PartitionId partition) const {
  const auto it = slots_.find(partition);
  return it != slots_.end() && it->second.revoking;
}

void GroupCoordinator::Tick(absl::Duration now) {
  for (auto& [id, slot] : slots_) {
    if (!slot.revoking || slot.deadline > now) continue;
    GiveUp(slot, LostCause::kRevokeTimeout);
    Pursue(now, slot);
  }
  std::vector<Member*> gone;
  for (auto& [id, member] : members_) {
    if (!member->connected() && member->gone_at <= now) gone.push_back(member.get());
  }
  if (gone.empty()) return;
  for (Member* member : gone) Remove(*member);
  Rebalance(now);
}

// ---- Balance

void GroupCoordinator::Rebalance(absl::Duration now) {
  ChooseTargets();
  for (auto& [id, slot] : slots_) Pursue(now, slot);
  RemoveFinished();
}

std::vector<GroupCoordinator::Member*> GroupCoordinator::ByTimeOfFirstJoin() const {
  std::vector<Member*> members;
  for (const auto& [id, member] : members_) members.push_back(member.get());
  std::sort(members.begin(), members.end(),
            [](const Member* a, const Member* b) { return a->joined < b->joined; });
  return members;
}

void GroupCoordinator::ChooseTargets() {
  const std::vector<Member*> members = ByTimeOfFirstJoin();
  std::map<const Member*, size_t> place;
  for (size_t i = 0; i < members.size(); ++i) place[members[i]] = i;
  const auto place_of = [&](const Member* member) {
    return member == nullptr ? kNobody : place.at(member);
  };

  std::map<std::string_view, size_t> topics;
  std::vector<BalancedPartition> partitions;
  for (const auto& [id, slot] : slots_) {
    const size_t topic = topics.try_emplace(slot.topic, topics.size()).first->second;
    // Where an absent member's stream will not come for a partition, another may have it.
    const Member* target = slot.target;
    const bool kept =
        target != nullptr &&
        (target->connected() || (target->presence == Presence::kAbsent && target == slot.owner));
    partitions.push_back({.topic = topic,
                          .target = kept ? place_of(target) : kNobody,
                          .avoid = place_of(slot.avoid),
                          .in_transit = slot.owner != target || !slot.announced});
  }
  std::vector<BalancedMember> balanced;
  for (const Member* member : members) {
    BalancedMember each{.topics = {}, .receives = member->connected()};
    for (const std::string& topic : member->topics) {
      if (const auto it = topics.find(topic); it != topics.end()) each.topics.push_back(it->second);
    }
    std::sort(each.topics.begin(), each.topics.end());
    balanced.push_back(std::move(each));
  }
  BalancePartitions(balanced, partitions);
  size_t i = 0;
  for (auto& [id, slot] : slots_) {
    const size_t target = partitions[i++].target;
    slot.target = target == kNobody ? nullptr : members[target];
  }
}

// Does what can be done now to bring a partition to its target.
void GroupCoordinator::Pursue(absl::Duration now, Slot& slot) {
  if (slot.revoking) return;
  if (slot.owner != nullptr && slot.owner != slot.target) {
    if (slot.announced && slot.owner->connected()) {
      slot.revoking = true;
      slot.deadline = now + slot.owner->revoke_timeout;
      actions_.push_back(RevokeAction{slot.owner->session, slot.id});
      return;
    }
    Free(slot);
  }
  const bool can_start = slot.target != nullptr && slot.target->connected();
  if (!can_start || slot.announced || slot.commits_under_way > 0) return;
  slot.owner = slot.target;
  slot.avoid = nullptr;
  slot.announced = true;
  actions_.push_back(AssignAction{slot.owner->session, slot.id});
}

// ---- Answers

std::vector<GroupAction> GroupCoordinator::TakeActions() { return std::exchange(actions_, {}); }

std::optional<absl::Duration> GroupCoordinator::NextDeadline() const {
  std::optional<absl::Duration> next;
  const auto consider = [&](absl::Duration at) { next = next ? std::min(*next, at) : at; };
  for (const auto& [id, member] : members_) {
    if (!member->connected()) consider(member->gone_at);
  }
  for (const auto& [id, slot] : slots_) {
    if (slot.revoking) consider(slot.deadline);
  }
  return next;
}

std::vector<GroupMemberState> GroupCoordinator::Members() const {
  std::vector<GroupMemberState> states;
  for (const Member* member : ByTimeOfFirstJoin()) states.push_back(*member);
  return states;
}

std::map<PartitionId, GroupPartitionState> GroupCoordinator::Partitions() const {
  std::map<PartitionId, GroupPartitionState> states;
  for (const auto& [id, slot] : slots_) {
    states[id] = {.topic = slot.topic,
                  .owner = slot.owner == nullptr ? "" : slot.owner->session.member_id};
  }
  return states;
}

}  // namespace millrace::hub
