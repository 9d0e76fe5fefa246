// A consumer group's streams and its log, for a GroupCoordinator to be tried on: random events, its
// actions carried out as the hub would, and the rules that must hold after each.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "server/hub/group_coordinator.h"
#include "storage/commit/offset_commit_rule.h"

namespace millrace::hub {

using storage::Offset;
using storage::PartitionId;
using storage::PositionEpoch;

inline constexpr int kEvents = 60;  // Of a schedule.
inline constexpr absl::Duration kGrace = absl::Seconds(30);
inline constexpr absl::Duration kRevokeTimeout = absl::Seconds(60);

// Thrown where a rule is broken.
struct Violation {
  std::string rule;
};

inline void Require(bool holds, const std::string& rule) {
  if (!holds) throw Violation{rule};
}

class GroupModel {
 public:
  explicit GroupModel(uint64_t seed) : random_(seed), coordinator_(MakeCoordinator()) {
    const int topics = Pick(1, 3);
    for (int i = 0; i < topics; ++i) Grow(i, Pick(1, 5));
  }

  void Run() {
    for (int i = 0; i < kEvents; ++i) {
      Step();
      CarryOut();
    }
    Settle();
  }

  std::string trace() const { return trace_; }

 private:
  // How a stream stands in a partition.
  struct View {
    Offset delivered;
    Offset processed;
    PositionEpoch epoch;
    bool stopped = false;
    absl::Duration stopped_at;
  };
  struct Stream {
    MemberSession session;
    std::string instance_id;
    bool open = true;
    bool over = false;  // Replaced or left: nothing of it counts any more.
    std::map<PartitionId, View> views;
  };
  struct Partition {
    int topic = 0;
    Offset end;
    std::optional<storage::StoredCommit> committed;
    PositionEpoch last_epoch;
    std::set<int64_t> processed;
    int writes_under_way = 0;
  };
  // A commit, or a reset, on its way to the log; written in order.
  struct Pending {
    bool reset = false;
    MemberSession session;
    PartitionId partition;
    Offset offset;
    PositionEpoch epoch;
  };

  static std::unique_ptr<GroupCoordinator> MakeCoordinator() {
    return std::make_unique<GroupCoordinator>(
        GroupCoordinator::Options{.rejoin_grace = kGrace, .settle_time = absl::Seconds(5)});
  }

  int Pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool Chance(int percent) { return Pick(1, 100) <= percent; }
  void Note(const std::string& what) { trace_ += "  " + what + "\n"; }
  static std::string NameOf(int topic) { return "t" + std::to_string(topic); }
  static std::string NameOf(PartitionId id) { return "p" + std::to_string(id.value()); }
  static std::string NameOf(const MemberSession& session) {
    return session.member_id + "." + std::to_string(session.member_epoch);
  }

  Stream* AnyStream(bool open) {
    std::vector<Stream*> found;
    for (auto& stream : streams_) {
      if (stream->open == open) found.push_back(stream.get());
    }
    return found.empty() ? nullptr : found[Pick(0, static_cast<int>(found.size()) - 1)];
  }

  Stream& StreamOf(const MemberSession& session) {
    for (auto& stream : streams_) {
      if (stream->session == session) return *stream;
    }
    throw Violation{"an action is for a session that there is"};
  }

  Offset CommittedIn(const Partition& partition) {
    return partition.committed ? partition.committed->next_offset : Offset(0);
  }

  std::vector<std::string> SomeTopics() {
    std::vector<std::string> topics;
    const bool all = Chance(70);
    for (const auto& [topic, ids] : topics_) {
      if (all || Chance(50)) topics.push_back(NameOf(topic));
    }
    if (topics.empty()) topics.push_back(NameOf(topics_.begin()->first));
    return topics;
  }

  // ---- Events

  void Step() {
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

  void Join() {
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

  // Members with the same topics give a newcomer no more than its share.
  void RequireFewRevoked() {
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

  void Break() {
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

  void Leave() {
    Stream* stream = AnyStream(true);
    if (stream == nullptr) return;
    Note("leave " + NameOf(stream->session));
    given_up_ = true;
    must_end_.insert(stream->session);
    coordinator_->Leave(now_, stream->session);
  }

  void Finish() {
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

  // A stream is sent records, and works through some of what it has.
  void Process() {
    Stream* stream = AnyStream(true);
    if (stream == nullptr) return;
    for (auto& [id, view] : stream->views) {
      Partition& partition = partitions_.at(id);
      partition.end += Pick(0, 2);
      if (!view.stopped) {
        view.delivered = std::min(partition.end, view.delivered + Pick(0, 3));
      }
      ProcessUpTo(partition, view, std::min(view.delivered, view.processed + Pick(0, 3)));
    }
  }

  static void ProcessUpTo(Partition& partition, View& view, Offset offset) {
    for (; view.processed < offset; ++view.processed) {
      partition.processed.insert(view.processed.value());
    }
  }

  void BeginCommit() {
    Stream* stream = AnyStream(!Chance(20));
    if (stream == nullptr) return;
    for (const auto& [id, view] : stream->views) {
      if (Chance(60)) Commit(*stream, id, view);
    }
  }

  void Commit(const Stream& stream, PartitionId id, const View& view) {
    const bool accepted = coordinator_->BeginCommit(stream.session, id);
    Note("commit of " + NameOf(stream.session) + " in " + NameOf(id) + " up to " +
         std::to_string(view.processed.value()) + (accepted ? "" : ": refused"));
    if (stream.open) Require(accepted, "a member may commit where it is assigned");
    if (stream.over) Require(!accepted, "a session that is over is fenced");
    if (!accepted) return;
    RequireNobodyElseHas(id, stream.session, "nobody commits where another member is assigned");
    ++partitions_.at(id).writes_under_way;
    pending_.push_back({false, stream.session, id, view.processed, view.epoch});
  }

  // A commit for a partition that the session has not got.
  void CommitAsAStranger() {
    Stream* stream = AnyStream(Chance(80));
    if (stream == nullptr) return;
    for (const auto& [id, partition] : partitions_) {
      if (stream->views.contains(id)) continue;
      Require(!coordinator_->BeginCommit(stream->session, id),
              "a partition that is not assigned is fenced");
    }
    MemberSession impostor = stream->session;
    impostor.member_epoch += 1'000;
    for (const auto& [id, view] : stream->views) {
      Require(!coordinator_->BeginCommit(impostor, id), "another epoch of a member is fenced");
    }
  }

  void Write() {
    if (pending_.empty()) return;
    const Pending pending = pending_.front();
    pending_.pop_front();
    const auto it = partitions_.find(pending.partition);
    if (it == partitions_.end()) {  // Deleted meanwhile: the log refuses it.
      if (pending.reset) return coordinator_->EndReset(now_, pending.partition, false);
      return coordinator_->EndCommit(now_, pending.session, pending.partition, std::nullopt);
    }
    Partition& partition = it->second;
    --partition.writes_under_way;
    if (Chance(10)) {
      Note("a write fails in " + NameOf(pending.partition));
      if (pending.reset) return coordinator_->EndReset(now_, pending.partition, false);
      return coordinator_->EndCommit(now_, pending.session, pending.partition, std::nullopt);
    }
    const auto decision =
        storage::DecideCommit(partition.committed, {.group = "g",
                                                    .partition = pending.partition,
                                                    .next_offset = pending.offset,
                                                    .metadata = "",
                                                    .position_epoch = pending.epoch});
    const bool stored = decision.verdict == storage::CommitVerdict::kStore;
    if (stored && !pending.reset) {
      Require(decision.committed.next_offset >= CommittedIn(partition),
              "no commit goes back but by a reset");
      for (int64_t offset = 0; offset < decision.committed.next_offset.value(); ++offset) {
        Require(partition.processed.contains(offset), "nothing is skipped");
      }
    }
    if (stored) partition.committed = decision.committed;
    Note("written in " + NameOf(pending.partition) + ": " +
         std::to_string(CommittedIn(partition).value()));
    if (pending.reset) return EndReset(pending, partition, stored);
    const bool fine = decision.verdict != storage::CommitVerdict::kSuperseded;
    coordinator_->EndCommit(now_, pending.session, pending.partition,
                            fine ? std::optional(CommittedIn(partition)) : std::nullopt);
  }

  void BeginReset() {
    if (partitions_.empty()) return;
    auto it = partitions_.begin();
    std::advance(it, Pick(0, static_cast<int>(partitions_.size()) - 1));
    auto& [id, partition] = *it;
    const Offset to(Pick(0, static_cast<int>(partition.end.value())));
    Note("reset of " + NameOf(id) + " to " + std::to_string(to.value()));
    coordinator_->BeginReset(id);
    ++partition.writes_under_way;
    pending_.push_back({true, {}, id, to, ++partition.last_epoch});
  }

  void EndReset(const Pending& pending, Partition& partition, bool stored) {
    if (stored) {  // What it skips it skips on purpose.
      given_up_ = true;
      for (int64_t i = 0; i < pending.offset.value(); ++i) partition.processed.insert(i);
      for (auto& stream : streams_) {
        const auto view = stream->views.find(pending.partition);
        if (!stream->open || view == stream->views.end() || view->second.stopped) continue;
        view->second = {pending.offset, pending.offset, pending.epoch};
      }
    }
    coordinator_->EndReset(now_, pending.partition, stored);
  }

  void Release() {
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

  bool OthersCouldHave(PartitionId id, const Stream& stream) {
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

  void ChangeTopics() {
    Stream* stream = AnyStream(true);
    if (stream == nullptr) return;
    Note("change topics of " + NameOf(stream->session));
    coordinator_->SetMemberTopics(now_, stream->session, SomeTopics());
  }

  void Grow(int topic, int by) {
    std::vector<PartitionId>& ids = topics_[topic];
    if (ids.size() + by > 8) return;
    for (int i = 0; i < by; ++i) {
      ids.emplace_back(++last_partition_);
      partitions_[ids.back()].topic = topic;
    }
    Note("topic " + NameOf(topic) + " has " + std::to_string(ids.size()));
    coordinator_->SetTopicPartitions(now_, NameOf(topic), ids);
  }

  void DeleteTopic() {
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

  void PassTime(absl::Duration time) {
    now_ += time;
    Note("time passes: " + absl::FormatDuration(time));
    coordinator_->Tick(now_);
    CarryOut();
    const auto next = coordinator_->NextDeadline();
    Require(!next || *next > now_, "what was due is done");
  }

  // The hub is killed: what was under way is lost, and so are the streams.
  void Restart() {
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

  // ---- Carrying out

  void CarryOut() {
    for (auto actions = coordinator_->TakeActions(); !actions.empty();
         actions = coordinator_->TakeActions()) {
      for (const GroupAction& action : actions) {
        std::visit([this](const auto& each) { Do(each); }, action);
      }
    }
    must_end_.erase(MemberSession{});
    Require(must_end_.empty(), "a session that is replaced or leaves is ended");
  }

  void RequireNobodyElseHas(PartitionId id, const MemberSession& session, const std::string& rule) {
    for (const auto& stream : streams_) {
      Require(!stream->open || stream->session == session || !stream->views.contains(id), rule);
    }
  }

  void Do(const AssignAction& assign) {
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

  void Do(const RevokeAction& revoke) {
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

  void Do(const TellRevokingAction& tell) {
    const Stream& stream = StreamOf(tell.session);
    Require(stream.views.contains(tell.partition) && stream.views.at(tell.partition).stopped,
            "who is told of a revocation has the partition, stopped");
    Require(stream.views.at(tell.partition).delivered > CommittedIn(partitions_.at(tell.partition)),
            "nobody is asked to commit what is committed");
    Require(tell.time_left > absl::ZeroDuration() && tell.time_left <= kRevokeTimeout,
            "a revocation leaves the member's time");
  }

  void Do(const LoseAction& lose) {
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

  void Do(const EndAction& end) {
    Note("  -> end " + NameOf(end.session));
    Stream& stream = StreamOf(end.session);
    stream.open = false;
    stream.over = true;
    must_end_.erase(end.session);
  }

  // ---- The end: everybody behaves and time passes

  void Settle() {
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

  void WriteAll() {
    while (!pending_.empty()) {
      Write();
      CarryOut();
    }
  }

  void CatchUp(Stream& stream) {
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

  bool AllCommitted() {
    for (const auto& stream : streams_) {
      if (!stream->open) continue;
      for (const auto& [id, view] : stream->views) {
        const Partition& partition = partitions_.at(id);
        if (CommittedIn(partition) != partition.end) return false;
      }
    }
    return true;
  }

  std::map<std::string, std::vector<std::string>> TopicsOfConnected() {
    std::map<std::string, std::vector<std::string>> topics;
    for (const GroupMemberState& member : coordinator_->Members()) {
      Require(member.presence == GroupMemberState::Presence::kConnected,
              "whoever does not come back is gone after the grace");
      topics[member.session.member_id] = member.topics;
    }
    return topics;
  }

  static bool Has(const std::vector<std::string>& topics, const std::string& topic) {
    return std::find(topics.begin(), topics.end(), topic) != topics.end();
  }

  void RequireAllAssigned() {
    const auto members = TopicsOfConnected();
    int open = 0;
    for (const auto& stream : streams_) open += stream->open;
    Require(open == static_cast<int>(members.size()), "every open stream is a member");
    for (const auto& [id, partition] : partitions_) {
      const std::string topic = NameOf(partition.topic);
      const bool wanted = std::any_of(members.begin(), members.end(), [&](const auto& member) {
        return Has(member.second, topic);
      });
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

  void RequireBalance() {
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

  std::mt19937_64 random_;
  std::string trace_;
  absl::Duration now_ = absl::Seconds(1);
  std::map<int, std::vector<PartitionId>> topics_;
  std::map<PartitionId, Partition> partitions_;
  uint32_t last_partition_ = 0;
  int members_ = 0;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::deque<Pending> pending_;
  std::set<MemberSession> must_end_;
  std::set<std::pair<MemberSession, PartitionId>> must_lose_;
  bool members_alike_ = false;
  bool gave_up_before_ = false;
  size_t revoked_ = 0;     // In this step.
  bool given_up_ = false;  // In this step somebody gave a partition up, or it was reset.
  std::unique_ptr<GroupCoordinator> coordinator_;
};

}  // namespace millrace::hub
