#include "server/hub/groups.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/hub/names.h"
#include "storage/error.h"

namespace millrace::hub {

using storage::Error;
using storage::Offset;
using storage::PositionEpoch;
using storage::Reason;

namespace {

// Far above any epoch that is ever reached, and far below where adding to it would overflow.
constexpr PositionEpoch kLargestEpoch(int64_t{1} << 60);

absl::Status WithPlace(const absl::Status& error, const CommitEntry& entry) {
  storage::ErrorMetadata metadata = storage::MetadataOf(error);
  metadata["topic"] = entry.topic;
  metadata["partition"] = absl::StrCat(entry.partition);
  return Error(storage::ReasonOf(error).value_or(Reason::kInternal), std::string(error.message()),
               metadata);
}

}  // namespace

Groups::Groups(GroupContext context, const Topics& topics, storage::Durability default_durability)
    : context_(context), topics_(topics), default_durability_(default_durability) {
  for (std::string& group : context_.engine.Groups()) known_.insert(std::move(group));
}

// ---- Membership

absl::Status Groups::Register(const std::string& group) {
  std::lock_guard lock(mutex_);
  if (known_.contains(group)) return absl::OkStatus();
  const int32_t limit = context_.limits.max_groups;
  if (known_.size() >= static_cast<size_t>(limit)) {
    return Error(Reason::kLimitExceeded,
                 absl::StrCat("this hub may have ", limit, " consumer groups"),
                 {{"limit", "max_groups"}, {"value", absl::StrCat(limit)}});
  }
  known_.insert(group);
  return absl::OkStatus();
}

std::shared_ptr<Group> Groups::Find(std::string_view group) const {
  std::lock_guard lock(mutex_);
  const auto it = groups_.find(group);
  return it == groups_.end() ? nullptr : it->second;
}

std::shared_ptr<Group> Groups::FindOrCreate(const std::string& group) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<Group>& found = groups_[group];
  if (found == nullptr) {
    found = std::make_shared<Group>(context_, group);
    found->Restore();
  }
  return found;
}

std::vector<std::shared_ptr<Group>> Groups::All() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Group>> all;
  for (const auto& [name, group] : groups_) all.push_back(group);
  return all;
}

bool Groups::HasMembers(std::string_view group) const {
  const auto found = Find(group);
  return found != nullptr && found->has_members();
}

absl::Status Groups::Prepare(const std::string& group, const std::vector<std::string>& topics,
                             Group::StartResolver resolve) {
  if (absl::Status status = Register(group); !status.ok()) return status;
  return FindOrCreate(group)->CommitStarts(topics, resolve);
}

absl::StatusOr<MemberSession> Groups::Join(const std::string& group,
                                           const std::shared_ptr<Subscription>& stream,
                                           const MemberRequest& request) {
  std::shared_lock lock(forgetting_mutex_);
  return FindOrCreate(group)->Join(stream, request);
}

void Groups::StreamClosed(const std::string& group, const MemberSession& session,
                          const Subscription& stream) {
  if (const auto found = Find(group)) found->StreamClosed(session, stream);
  std::lock_guard lock(mutex_);
  left_at_[group] = context_.clock.Now();
}

void Groups::SetTopics(const std::string& group, const MemberSession& session,
                       std::vector<std::string> topics) {
  if (const auto found = Find(group)) found->SetTopics(session, std::move(topics));
}

void Groups::OnTopicChanged(const std::string& topic) {
  for (const auto& group : All()) group->OnTopicChanged(topic);
}

void Groups::Freeze() {
  for (const auto& group : All()) group->Freeze();
}

// ---- Commits

absl::StatusOr<storage::OffsetCommit> Groups::CheckEntry(const CommitCommand& command,
                                                         const CommitEntry& entry) const {
  const auto limit = static_cast<size_t>(context_.limits.max_commit_metadata_bytes);
  if (entry.metadata.size() > limit) {
    return Error(Reason::kMetadataTooLarge,
                 absl::StrCat("the metadata of a commit may have ", limit, " bytes, not ",
                              entry.metadata.size()));
  }
  if (entry.position_epoch.value_or(PositionEpoch(0)) > kLargestEpoch) {
    return Error(Reason::kInvalidConfig, "there is no such position epoch",
                 {{"field", "position_epoch"}});
  }
  const auto topic = topics_.Find(entry.topic);
  if (!topic.ok()) return topic.status();
  const auto partition = Topics::PartitionOf(**topic, entry.partition);
  if (!partition.ok()) return partition.status();
  return storage::OffsetCommit{.group = command.group,
                               .partition = *partition,
                               .next_offset = entry.next_offset,
                               .metadata = entry.metadata,
                               .position_epoch = entry.position_epoch};
}

absl::Status Groups::BeginEntry(const CommitCommand& command, const CommitEntry& entry,
                                BegunCommit& begun) const {
  auto commit = CheckEntry(command, entry);
  if (!commit.ok()) return commit.status();
  if (!command.member_id.empty()) {
    if (begun.group == nullptr) {
      return WithPlace(Error(Reason::kMemberFenced,
                             absl::StrCat("group \"", command.group, "\" has no member \"",
                                          command.member_id, "\"")),
                       entry);
    }
    const auto epoch =
        begun.group->BeginCommit(begun.session, commit->partition, commit->position_epoch);
    if (!epoch.ok()) return WithPlace(epoch.status(), entry);
    commit->position_epoch = *epoch;
  }
  begun.commits.push_back(*std::move(commit));
  return absl::OkStatus();
}

absl::StatusOr<BegunCommit> Groups::BeginCommit(const CommitCommand& command) {
  if (absl::Status status = ValidateName("group", command.group); !status.ok()) return status;
  if (command.member_id.empty() && HasMembers(command.group)) {
    return Error(Reason::kGroupHasMembers,
                 absl::StrCat("group \"", command.group,
                              "\" has members: only they may commit, with their member_id"),
                 {{"group", command.group}});
  }
  if (absl::Status status = Register(command.group); !status.ok()) return status;
  BegunCommit begun;
  if (!command.member_id.empty()) {
    begun.group = Find(command.group);
    begun.session = {command.member_id, command.member_epoch};
  }
  for (const CommitEntry& entry : command.entries) {
    begun.refusals.push_back(BeginEntry(command, entry, begun));
  }
  return begun;
}

void Groups::EndCommit(const BegunCommit& begun,
                       const absl::StatusOr<storage::WriteResult>& result) {
  if (begun.group == nullptr) return;
  for (size_t i = 0; i < begun.commits.size(); ++i) {
    const bool judged = result.ok() && i < result->commits.size();
    begun.group->EndCommit(begun.session, begun.commits[i].partition,
                           judged        ? result->commits[i]
                           : result.ok() ? absl::StatusOr<Offset>(absl::UnknownError("no result"))
                                         : result.status());
  }
}

void Groups::HandOver(const CommitCommand& command) {
  const auto group = Find(command.group);
  if (group == nullptr || command.member_id.empty()) return;
  const MemberSession session{command.member_id, command.member_epoch};
  std::vector<storage::PartitionId> released;
  for (const auto& [name, number] : command.released) {
    const auto topic = topics_.Find(name);
    if (!topic.ok()) continue;
    if (const auto id = Topics::PartitionOf(**topic, number); id.ok()) released.push_back(*id);
  }
  group->Release(session, released);
  if (command.leave) group->Leave(session);
}

void Groups::Commit(CommitCommand command, CommitCompletion done) {
  if (command.entries.empty() && command.released.empty() && !command.leave) {
    absl::Status status = ValidateName("group", command.group);
    if (status.ok()) {
      status = Error(Reason::kEmptyRequest, "there is nothing to commit", {{"field", "offsets"}});
    }
    return std::move(done)(status);
  }
  auto begun = BeginCommit(command);
  if (!begun.ok()) return std::move(done)(begun.status());

  storage::WriteSet set{.commits = begun->commits,
                        .durability = command.durability.value_or(default_durability_)};
  auto finish = [this, command = std::move(command), begun = *std::move(begun),
                 done = std::move(done)](absl::StatusOr<storage::WriteResult> result) mutable {
    EndCommit(begun, result);
    if (!result.ok()) return std::move(done)(result.status());
    HandOver(command);
    CommitOutcome outcome;
    auto written = result->commits.begin();
    for (absl::Status& refusal : begun.refusals) {
      if (refusal.ok()) {
        outcome.push_back(*std::move(written++));
      } else {
        outcome.emplace_back(std::move(refusal));
      }
    }
    std::move(done)(std::move(outcome));
  };
  if (set.commits.empty()) return finish(storage::WriteResult{});
  context_.engine.Write(std::move(set), std::move(finish));
}

// ---- Looking and changing

std::vector<std::string> Groups::Names() const {
  std::vector<std::string> names = context_.engine.Groups();
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, group] : groups_) {
      if (group->has_members()) names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

absl::Status Groups::CheckExists(std::string_view group) const {
  if (absl::Status status = ValidateName("group", group); !status.ok()) return status;
  if (HasMembers(group)) return absl::OkStatus();
  const auto committed = context_.engine.CommittedOffsets(group);
  if (!committed.ok()) return committed.status();
  if (!committed->empty()) return absl::OkStatus();
  return Error(Reason::kGroupNotFound,
               absl::StrCat("there is no consumer group \"", std::string(group),
                            "\": a group comes to be when "
                            "somebody subscribes with its name or commits for it"),
               {{"group", std::string(group)}});
}

GroupView Groups::View(const std::string& group) const {
  const auto found = Find(group);
  return found == nullptr ? GroupView() : found->View();
}

std::vector<absl::Status> Groups::Reset(const std::string& group,
                                        const std::vector<Group::ResetTarget>& targets) {
  return FindOrCreate(group)->Reset(targets);
}

absl::Status Groups::Delete(const std::string& group) {
  if (absl::Status status = CheckExists(group); !status.ok()) return status;
  return Forget(group);
}

absl::Status Groups::Forget(const std::string& group) {
  std::unique_lock forgetting(forgetting_mutex_);
  if (HasMembers(group)) {
    return Error(Reason::kGroupHasMembers,
                 absl::StrCat("group \"", group, "\" has members: they must leave first"),
                 {{"group", group}});
  }
  if (absl::Status status = context_.engine.DeleteGroup(group); !status.ok()) return status;
  std::lock_guard lock(mutex_);
  known_.erase(group);
  left_at_.erase(group);
  groups_.erase(group);
  return absl::OkStatus();
}

bool Groups::HasBeenIdleSince(const std::string& group, absl::Time cutoff) const {
  if (HasMembers(group)) return false;
  {
    std::lock_guard lock(mutex_);
    const auto left = left_at_.find(group);
    if (left != left_at_.end() && left->second > cutoff) return false;
  }
  const auto committed = context_.engine.CommittedOffsets(group);
  return committed.ok() &&
         std::none_of(committed->begin(), committed->end(),
                      [&](const auto& each) { return each.commit_time > cutoff; });
}

absl::Status Groups::ExpireIdle(absl::Time cutoff) {
  for (const std::string& group : context_.engine.Groups()) {
    if (!HasBeenIdleSince(group, cutoff)) continue;
    if (absl::Status status = Forget(group); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// ---- Reading what is committed

absl::StatusOr<CommittedEntry> Groups::CommittedIn(
    const TopicPartition& partition, const std::vector<storage::CommittedOffset>& committed) const {
  const auto topic = topics_.Find(partition.first);
  if (!topic.ok()) return topic.status();
  const auto id = Topics::PartitionOf(**topic, partition.second);
  if (!id.ok()) return id.status();
  CommittedEntry entry{.topic = partition.first, .partition = partition.second};
  const auto it = std::lower_bound(
      committed.begin(), committed.end(), *id,
      [](const auto& each, storage::PartitionId id) { return each.partition < id; });
  if (it != committed.end() && it->partition == *id) entry.committed = *it;
  return entry;
}

std::vector<CommittedEntry> Groups::NameAll(
    const std::vector<storage::CommittedOffset>& committed) const {
  absl::flat_hash_map<storage::PartitionId, const storage::CommittedOffset*> by_id;
  for (const auto& each : committed) by_id[each.partition] = &each;
  std::vector<CommittedEntry> result;
  for (const storage::TopicPtr& topic : context_.engine.Topics()) {
    for (size_t i = 0; i < topic->partitions.size(); ++i) {
      const auto it = by_id.find(topic->partitions[i]);
      if (it == by_id.end()) continue;
      result.push_back({topic->name, static_cast<int32_t>(i), *it->second});
    }
  }
  return result;
}

absl::StatusOr<std::vector<CommittedEntry>> Groups::Committed(
    std::string_view group, const std::vector<TopicPartition>& partitions) const {
  if (absl::Status status = ValidateName("group", group); !status.ok()) return status;
  const auto committed = context_.engine.CommittedOffsets(group);
  if (!committed.ok()) return committed.status();
  if (partitions.empty()) return NameAll(*committed);
  std::vector<CommittedEntry> result;
  for (const TopicPartition& partition : partitions) {
    auto entry = CommittedIn(partition, *committed);
    if (!entry.ok()) return entry.status();
    result.push_back(*std::move(entry));
  }
  return result;
}

}  // namespace millrace::hub
