// A consumer group's streams and its log, for a GroupCoordinator to be tried on: random events, its
// actions carried out as the hub would, and the rules that must hold after each.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
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
  explicit GroupModel(uint64_t seed);

  void Run();

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

  static std::unique_ptr<GroupCoordinator> MakeCoordinator();
  int Pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  bool Chance(int percent) { return Pick(1, 100) <= percent; }
  void Note(const std::string& what) { trace_ += "  " + what + "\n"; }
  static std::string NameOf(int topic) { return "t" + std::to_string(topic); }
  static std::string NameOf(PartitionId id) { return "p" + std::to_string(id.value()); }
  static std::string NameOf(const MemberSession& session);
  Stream* AnyStream(bool open);
  Stream& StreamOf(const MemberSession& session);
  Offset CommittedIn(const Partition& partition);
  std::vector<std::string> SomeTopics();

  void Step();

  // ---- Events: group_model_events.cc

  void Join();
  // Members with the same topics give a newcomer no more than its share.
  void RequireFewRevoked();
  void Break();
  void Leave();
  void Finish();
  void Release();
  bool OthersCouldHave(PartitionId id, const Stream& stream);
  void ChangeTopics();
  void Grow(int topic, int by);
  void DeleteTopic();
  void PassTime(absl::Duration time);
  // The hub is killed: what was under way is lost, and so are the streams.
  void Restart();

  // ---- Commits: group_model_commits.cc

  // A stream is sent records, and works through some of what it has.
  void Process();
  static void ProcessUpTo(Partition& partition, View& view, Offset offset);
  void BeginCommit();
  void Commit(const Stream& stream, PartitionId id, const View& view);
  // A commit for a partition that the session has not got.
  void CommitAsAStranger();
  void Write();
  void BeginReset();
  void EndReset(const Pending& pending, Partition& partition, bool stored);

  // ---- Carrying out

  void CarryOut();
  void RequireNobodyElseHas(PartitionId id, const MemberSession& session, const std::string& rule);
  void Do(const AssignAction& assign);
  void Do(const RevokeAction& revoke);
  void Do(const TellRevokingAction& tell);
  void Do(const LoseAction& lose);
  void Do(const EndAction& end);

  // ---- The end: group_model_end.cc

  void Settle();
  void WriteAll();
  void CatchUp(Stream& stream);
  bool AllCommitted();
  std::map<std::string, std::vector<std::string>> TopicsOfConnected();
  static bool Has(const std::vector<std::string>& topics, const std::string& topic);
  void RequireAllAssigned();
  void RequireBalance();

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
