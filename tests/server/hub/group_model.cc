#include "tests/server/hub/group_model.h"

#include <algorithm>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace millrace::hub {

GroupModel::GroupModel(uint64_t seed) : random_(seed), coordinator_(MakeCoordinator()) {
  const int topics = Pick(1, 3);
  for (int i = 0; i < topics; ++i) Grow(i, Pick(1, 5));
}

void GroupModel::Run() {
  for (int i = 0; i < kEvents; ++i) {
    Step();
    CarryOut();
  }
  Settle();
}

std::unique_ptr<GroupCoordinator> GroupModel::MakeCoordinator() {
  return std::make_unique<GroupCoordinator>(
      GroupCoordinator::Options{.rejoin_grace = kGrace, .settle_time = absl::Seconds(5)});
}

std::string GroupModel::NameOf(const MemberSession& session) {
  return session.member_id + "." + std::to_string(session.member_epoch);
}

GroupModel::Stream* GroupModel::AnyStream(bool open) {
  std::vector<Stream*> found;
  for (auto& stream : streams_) {
    if (stream->open == open) found.push_back(stream.get());
  }
  return found.empty() ? nullptr : found[Pick(0, static_cast<int>(found.size()) - 1)];
}

GroupModel::Stream& GroupModel::StreamOf(const MemberSession& session) {
  for (auto& stream : streams_) {
    if (stream->session == session) return *stream;
  }
  throw Violation{"an action is for a session that there is"};
}

Offset GroupModel::CommittedIn(const Partition& partition) {
  return partition.committed ? partition.committed->next_offset : Offset(0);
}

std::vector<std::string> GroupModel::SomeTopics() {
  std::vector<std::string> topics;
  const bool all = Chance(70);
  for (const auto& [topic, ids] : topics_) {
    if (all || Chance(50)) topics.push_back(NameOf(topic));
  }
  if (topics.empty()) topics.push_back(NameOf(topics_.begin()->first));
  return topics;
}

void GroupModel::Step() {
  given_up_ = false;
  now_ += absl::Milliseconds(Pick(0, 200));
  switch (Pick(0, 19)) {
    case 0:
    case 1:
    case 2:
      return Join();
    case 3:
      return Break();
    case 4:
      return Leave();
    case 5:
      return Finish();
    case 6:
    case 7:
    case 8:
      return Process();
    case 9:
    case 10:
    case 11:
      return BeginCommit();
    case 12:
    case 13:
    case 14:
      return Write();
    case 15:
      return Release();
    case 16:
      return Chance(50) ? ChangeTopics() : Grow(Pick(0, 2), Pick(1, 2));
    case 17:
      return Chance(30) ? DeleteTopic() : BeginReset();
    case 18:
      return PassTime(absl::Seconds(Pick(1, 70)));
    case 19:
      return Chance(20) ? Restart() : CommitAsAStranger();
  }
}

void GroupModel::CarryOut() {
  for (auto actions = coordinator_->TakeActions(); !actions.empty();
       actions = coordinator_->TakeActions()) {
    for (const GroupAction& action : actions) {
      std::visit([this](const auto& each) { Do(each); }, action);
    }
  }
  must_end_.erase(MemberSession{});
  Require(must_end_.empty(), "a session that is replaced or leaves is ended");
}

void GroupModel::RequireNobodyElseHas(PartitionId id, const MemberSession& session,
                                      const std::string& rule) {
  for (const auto& stream : streams_) {
    Require(!stream->open || stream->session == session || !stream->views.contains(id), rule);
  }
}

void GroupModel::Do(const AssignAction& assign) {
  Note("  -> assign " + NameOf(assign.partition) + " to " + NameOf(assign.session));
  Stream& stream = StreamOf(assign.session);
  Require(stream.open, "partitions go to open streams");
  RequireNobodyElseHas(assign.partition, assign.session, "a partition has one owner");
  Require(!stream.views.contains(assign.partition), "a partition is assigned once");
  Partition& partition = partitions_.at(assign.partition);
  Require(partition.writes_under_way == 0, "nothing is assigned while a commit is under way");
  const Offset start = CommittedIn(partition);
  if (partition.committed) {
    partition.last_epoch = std::max(partition.last_epoch, partition.committed->position_epoch);
  }
  stream.views[assign.partition] = {start, start, ++partition.last_epoch};
}

void GroupModel::Do(const RevokeAction& revoke) {
  Note("  -> revoke " + NameOf(revoke.partition) + " of " + NameOf(revoke.session));
  Stream& stream = StreamOf(revoke.session);
  const auto it = stream.views.find(revoke.partition);
  Require(stream.open && it != stream.views.end() && !it->second.stopped,
          "what is revoked is being read");
  ++revoked_;
  it->second.stopped = true;
  it->second.stopped_at = now_;
  coordinator_->Stopped(
      now_, revoke.session,
      {revoke.partition, it->second.delivered, CommittedIn(partitions_.at(revoke.partition))});
}

void GroupModel::Do(const TellRevokingAction& tell) {
  const Stream& stream = StreamOf(tell.session);
  Require(stream.views.contains(tell.partition) && stream.views.at(tell.partition).stopped,
          "who is told of a revocation has the partition, stopped");
  Require(stream.views.at(tell.partition).delivered > CommittedIn(partitions_.at(tell.partition)),
          "nobody is asked to commit what is committed");
  Require(tell.time_left > absl::ZeroDuration() && tell.time_left <= kRevokeTimeout,
          "a revocation leaves the member's time");
}

void GroupModel::Do(const LoseAction& lose) {
  Note("  -> lose " + NameOf(lose.partition) + " of " + NameOf(lose.session));
  Stream& stream = StreamOf(lose.session);
  must_lose_.erase({lose.session, lose.partition});
  const auto view = stream.views.find(lose.partition);
  if (!stream.open) return;
  Require(view != stream.views.end(), "what is lost was there");
  const bool sent_is_committed =
      partitions_.contains(lose.partition) &&
      view->second.delivered <= CommittedIn(partitions_.at(lose.partition));
  switch (lose.cause) {
    case LostCause::kHandedOver:
    case LostCause::kUnsubscribed:
      Require(given_up_ || (view->second.stopped && sent_is_committed),
              "a partition is handed over when what was sent is committed");
      break;
    case LostCause::kRevokeTimeout:
      Require(now_ - view->second.stopped_at >= kRevokeTimeout,
              "a member has its whole revoke_timeout");
      break;
    case LostCause::kUncommittedTooLong:
      Require(given_up_, "nobody is evicted without cause");
      break;
    case LostCause::kTopicDeleted:
      Require(!partitions_.contains(lose.partition), "a topic that is there is not deleted");
      break;
  }
  stream.views.erase(view);
}

void GroupModel::Do(const EndAction& end) {
  Note("  -> end " + NameOf(end.session));
  Stream& stream = StreamOf(end.session);
  stream.open = false;
  stream.over = true;
  must_end_.erase(end.session);
}

}  // namespace millrace::hub
