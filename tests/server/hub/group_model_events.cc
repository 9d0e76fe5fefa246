// What happens to a group: members come, go and change, topics grow and go, time passes.
#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/hub/group_model.h"

namespace millrace::hub {

void GroupModel::Join() {
  GroupCoordinator::JoinRequest request{.new_member_id = "m" + std::to_string(++members_),
                                        .topics = SomeTopics(),
                                        .revoke_timeout = kRevokeTimeout};
  if (Chance(50)) request.instance_id = "i" + std::to_string(Pick(1, 4));
  if (Chance(20) && !streams_.empty()) {
    request.resume_member_id =
        streams_[Pick(0, static_cast<int>(streams_.size()) - 1)]->session.member_id;
  }
  auto stream = std::make_unique<Stream>();
  stream->session = coordinator_->Join(now_, request);
  for (const GroupMemberState& member : coordinator_->Members()) {
    if (member.session == stream->session) stream->instance_id = member.instance_id;
  }
  Note("join " + NameOf(stream->session) + " instance " + request.instance_id);
  // Whoever was called so before is replaced.
  for (auto& other : streams_) {
    if (other->session.member_id != stream->session.member_id) continue;
    Require(other->session.member_epoch < stream->session.member_epoch,
            "a later session of a member has a larger epoch");
    other->over = true;
    must_end_.insert(other->open ? other->session : MemberSession{});
  }
  const bool newcomer = stream->session.member_epoch == 1;
  streams_.push_back(std::move(stream));
  revoked_ = 0;
  CarryOut();
  if (newcomer) RequireFewRevoked();
}

void GroupModel::RequireFewRevoked() {
  const std::vector<GroupMemberState> members = coordinator_->Members();
  size_t partitions = 0;
  for (const auto& [topic, ids] : topics_) {
    if (Has(members.front().topics, NameOf(topic))) partitions += ids.size();
  }
  size_t readers = 0;
  for (const GroupMemberState& member : members) {
    if (member.topics != members.front().topics) return;
    readers += member.presence == GroupMemberState::Presence::kConnected;
  }
  Require(revoked_ <= (partitions + readers - 1) / readers,
          "a newcomer takes no more than its share");
}

void GroupModel::Break() {
  Stream* stream = AnyStream(true);
  if (stream == nullptr) return;
  const bool recalled = Chance(30);
  const bool waits = recalled || !stream->instance_id.empty();
  Note((recalled ? "recall " : "break ") + NameOf(stream->session));
  stream->open = false;
  stream->over |= !waits;
  recalled ? coordinator_->Recall(now_, stream->session)
           : coordinator_->Break(now_, stream->session);
  if (!waits) return;
  const auto partitions = coordinator_->Partitions();
  for (const auto& [id, view] : stream->views) {
    Require(view.stopped || partitions.at(id).owner == stream->session.member_id,
            "the partitions of a member that is to come back wait for it");
  }
}

void GroupModel::Leave() {
  Stream* stream = AnyStream(true);
  if (stream == nullptr) return;
  Note("leave " + NameOf(stream->session));
  given_up_ = true;
  must_end_.insert(stream->session);
  coordinator_->Leave(now_, stream->session);
}

void GroupModel::Finish() {
  Stream* stream = AnyStream(true);
  if (stream == nullptr || !Chance(40)) return;
  Note("finish " + NameOf(stream->session));
  std::vector<GroupCoordinator::Progress> progress;
  for (const auto& [id, view] : stream->views) {
    progress.push_back({id, view.delivered, CommittedIn(partitions_.at(id))});
  }
  stream->open = false;
  coordinator_->Finish(now_, stream->session, progress);
}

void GroupModel::Release() {
  Stream* stream = AnyStream(true);
  if (stream == nullptr || stream->views.empty()) return;
  const PartitionId id = stream->views.begin()->first;
  const bool evict = Chance(30);
  Note((evict ? "evict " : "release ") + NameOf(stream->session) + " from " + NameOf(id));
  const bool others = OthersCouldHave(id, *stream);
  given_up_ = true;
  if (evict) {
    coordinator_->Evict(now_, stream->session, id);
  } else {
    coordinator_->Release(now_, stream->session, id);
  }
  CarryOut();
  // Of several that one member gave up, it may have to take one back for balance.
  const bool first = !std::exchange(gave_up_before_, true);
  if (others && members_alike_ && first) {
    Require(!stream->views.contains(id), "a partition that was given up goes to another");
  }
}

bool GroupModel::OthersCouldHave(PartitionId id, const Stream& stream) {
  const std::string topic = NameOf(partitions_.at(id).topic);
  int others = 0;
  std::set<std::vector<std::string>> topic_sets;
  for (const GroupMemberState& member : coordinator_->Members()) {
    topic_sets.insert(member.topics);
    if (member.session == stream.session ||
        member.presence != GroupMemberState::Presence::kConnected)
      continue;
    others += std::count(member.topics.begin(), member.topics.end(), topic) > 0;
  }
  members_alike_ = topic_sets.size() == 1 && stream.views.size() > 1;
  return others > 0;
}

void GroupModel::ChangeTopics() {
  Stream* stream = AnyStream(true);
  if (stream == nullptr) return;
  Note("change topics of " + NameOf(stream->session));
  coordinator_->SetMemberTopics(now_, stream->session, SomeTopics());
}

void GroupModel::Grow(int topic, int by) {
  std::vector<PartitionId>& ids = topics_[topic];
  if (ids.size() + by > 8) return;
  for (int i = 0; i < by; ++i) {
    ids.emplace_back(++last_partition_);
    partitions_[ids.back()].topic = topic;
  }
  Note("topic " + NameOf(topic) + " has " + std::to_string(ids.size()));
  coordinator_->SetTopicPartitions(now_, NameOf(topic), ids);
}

void GroupModel::DeleteTopic() {
  if (topics_.size() < 2) return;
  const int topic = topics_.begin()->first;
  Note("delete " + NameOf(topic));
  for (const PartitionId id : topics_.begin()->second) {
    partitions_.erase(id);
    for (auto& stream : streams_) {
      if (stream->open && stream->views.contains(id)) must_lose_.insert({stream->session, id});
    }
  }
  topics_.erase(topic);
  coordinator_->SetTopicPartitions(now_, NameOf(topic), {});
  CarryOut();
  Require(must_lose_.empty(), "a member is told of a deleted topic");
  for (auto& stream : streams_) {
    std::erase_if(stream->views,
                  [&](const auto& each) { return !partitions_.contains(each.first); });
  }
}

void GroupModel::PassTime(absl::Duration time) {
  now_ += time;
  Note("time passes: " + absl::FormatDuration(time));
  coordinator_->Tick(now_);
  CarryOut();
  const auto next = coordinator_->NextDeadline();
  Require(!next || *next > now_, "what was due is done");
}

void GroupModel::Restart() {
  Note("restart");
  const auto members = coordinator_->Members();
  const auto partitions = coordinator_->Partitions();
  coordinator_ = MakeCoordinator();
  for (const auto& [topic, ids] : topics_) {
    coordinator_->SetTopicPartitions(now_, NameOf(topic), ids);
  }
  for (const GroupMemberState& member : members) {
    std::vector<PartitionId> owned;
    for (const auto& [id, partition] : partitions) {
      if (partition.owner == member.session.member_id) owned.push_back(id);
    }
    coordinator_->Restore(now_, member, owned);
  }
  pending_.clear();
  for (auto& [id, partition] : partitions_) partition.writes_under_way = 0;
  for (auto& stream : streams_) {
    stream->open = false;
    stream->over = true;
  }
}

}  // namespace millrace::hub
