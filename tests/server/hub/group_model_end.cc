// The end of a schedule: everybody behaves and time passes.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/server/hub/group_model.h"

namespace millrace::hub {

void GroupModel::Settle() {
  Note("settle");
  for (int round = 0; round < 4; ++round) {
    WriteAll();
    for (auto& stream : streams_) CatchUp(*stream);
    WriteAll();
    PassTime(kGrace + kRevokeTimeout);
  }
  RequireAllAssigned();
  RequireBalance();
  for (auto& stream : streams_) CatchUp(*stream);
  WriteAll();
  for (auto& stream : streams_) CatchUp(*stream);  // A write may have failed.
  while (!AllCommitted()) {
    for (auto& stream : streams_) CatchUp(*stream);
    WriteAll();
  }
}

void GroupModel::WriteAll() {
  while (!pending_.empty()) {
    Write();
    CarryOut();
  }
}

void GroupModel::CatchUp(Stream& stream) {
  if (!stream.open) return;
  const auto views = stream.views;
  for (const auto& [id, copy] : views) {
    View& view = stream.views.at(id);
    Partition& partition = partitions_.at(id);
    if (!view.stopped) view.delivered = partition.end;
    ProcessUpTo(partition, view, view.delivered);
    Commit(stream, id, view);
  }
}

bool GroupModel::AllCommitted() {
  for (const auto& stream : streams_) {
    if (!stream->open) continue;
    for (const auto& [id, view] : stream->views) {
      const Partition& partition = partitions_.at(id);
      if (CommittedIn(partition) != partition.end) return false;
    }
  }
  return true;
}

std::map<std::string, std::vector<std::string>> GroupModel::TopicsOfConnected() {
  std::map<std::string, std::vector<std::string>> topics;
  for (const GroupMemberState& member : coordinator_->Members()) {
    Require(member.presence == GroupMemberState::Presence::kConnected,
            "whoever does not come back is gone after the grace");
    topics[member.session.member_id] = member.topics;
  }
  return topics;
}

bool GroupModel::Has(const std::vector<std::string>& topics, const std::string& topic) {
  return std::find(topics.begin(), topics.end(), topic) != topics.end();
}

void GroupModel::RequireAllAssigned() {
  const auto members = TopicsOfConnected();
  int open = 0;
  for (const auto& stream : streams_) open += stream->open;
  Require(open == static_cast<int>(members.size()), "every open stream is a member");
  for (const auto& [id, partition] : partitions_) {
    const std::string topic = NameOf(partition.topic);
    const bool wanted = std::any_of(members.begin(), members.end(),
                                    [&](const auto& member) { return Has(member.second, topic); });
    int owners = 0;
    for (const auto& stream : streams_) {
      if (!stream->open || !stream->views.contains(id)) continue;
      ++owners;
      Require(!stream->views.at(id).stopped, "no revocation stays open");
      Require(Has(members.at(stream->session.member_id), topic),
              "members get partitions of their topics");
    }
    Require(owners == (wanted ? 1 : 0), "every partition that somebody wants is assigned");
  }
}

void GroupModel::RequireBalance() {
  const auto members = TopicsOfConnected();
  for (const auto& giver : streams_) {
    if (!giver->open) continue;
    for (const auto& receiver : streams_) {
      if (!receiver->open || giver->views.size() < receiver->views.size() + 2) continue;
      for (const auto& [id, view] : giver->views) {
        Require(!Has(members.at(receiver->session.member_id), NameOf(partitions_.at(id).topic)),
                "the assignment is balanced");
      }
    }
  }
}

}  // namespace millrace::hub
