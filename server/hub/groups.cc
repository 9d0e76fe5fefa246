#include "server/hub/groups.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/hub/names.h"
#include "storage/error.h"

namespace millrace::hub {

using storage::Error;
using storage::Offset;
using storage::Reason;

Groups::Groups(storage::Engine& engine, const storage::Clock& clock, const Topics& topics,
               const Limits& limits, storage::Durability default_durability)
    : engine_(engine),
      clock_(clock),
      topics_(topics),
      limits_(limits),
      default_durability_(default_durability) {
  for (std::string& group : engine_.Groups()) known_.insert(std::move(group));
}

// ---- Members

absl::Status Groups::Register(const std::string& group) {
  std::lock_guard lock(mutex_);
  if (known_.contains(group)) return absl::OkStatus();
  if (known_.size() >= static_cast<size_t>(limits_.max_groups)) {
    return Error(Reason::kLimitExceeded,
                 absl::StrCat("this hub may have ", limits_.max_groups, " consumer groups"),
                 {{"limit", "max_groups"}, {"value", absl::StrCat(limits_.max_groups)}});
  }
  known_.insert(group);
  return absl::OkStatus();
}

absl::Status Groups::Join(const std::shared_ptr<Subscription>& member) {
  const SubscriptionOptions& options = member->options();
  if (absl::Status status = Register(options.group); !status.ok()) return status;
  std::shared_ptr<Subscription> replaced;
  {
    std::lock_guard lock(mutex_);
    std::weak_ptr<Subscription>& slot = members_[options.group];
    replaced = slot.lock();
    if (replaced != nullptr &&
        (options.instance_id.empty() || replaced->options().instance_id != options.instance_id)) {
      return Error(Reason::kGroupHasMembers,
                   absl::StrCat("group \"", options.group,
                                "\" has a member already, and this version of the hub does not "
                                "share a group's partitions between members"),
                   {{"group", options.group}, {"member_id", replaced->options().member_id}});
    }
    slot = member;
  }
  if (replaced != nullptr) replaced->End(EndingReason::kInstanceReplaced);
  return absl::OkStatus();
}

void Groups::Leave(const Subscription& member) {
  std::lock_guard lock(mutex_);
  const auto it = members_.find(member.options().group);
  if (it == members_.end()) return;
  const std::shared_ptr<Subscription> present = it->second.lock();
  if (present != nullptr && present.get() != &member) return;
  members_.erase(it);
  left_at_[member.options().group] = clock_.Now();
}

bool Groups::HasBeenIdleSince(const std::string& group, absl::Time cutoff) const {
  if (MemberOf(group) != nullptr) return false;
  {
    std::lock_guard lock(mutex_);
    const auto left = left_at_.find(group);
    if (left != left_at_.end() && left->second > cutoff) return false;
  }
  const auto committed = engine_.CommittedOffsets(group);
  return committed.ok() &&
         std::none_of(committed->begin(), committed->end(),
                      [&](const auto& each) { return each.commit_time > cutoff; });
}

absl::Status Groups::ExpireIdle(absl::Time cutoff) {
  for (const std::string& group : engine_.Groups()) {
    if (!HasBeenIdleSince(group, cutoff)) continue;
    if (absl::Status status = engine_.DeleteGroup(group); !status.ok()) return status;
    std::lock_guard lock(mutex_);
    known_.erase(group);
    left_at_.erase(group);
  }
  return absl::OkStatus();
}

std::shared_ptr<Subscription> Groups::MemberOf(const std::string& group) const {
  std::lock_guard lock(mutex_);
  const auto it = members_.find(group);
  return it == members_.end() ? nullptr : it->second.lock();
}

// ---- Commits

absl::StatusOr<std::shared_ptr<Subscription>> Groups::Sender(const CommitCommand& command) const {
  std::shared_ptr<Subscription> member = MemberOf(command.group);
  if (command.member_id.empty()) {
    if (member == nullptr) return member;
    return Error(Reason::kGroupHasMembers,
                 absl::StrCat("group \"", command.group,
                              "\" has members: only they may commit, with their member_id"),
                 {{"group", command.group}});
  }
  if (member == nullptr || member->options().member_id != command.member_id ||
      member->options().member_epoch != command.member_epoch) {
    member = nullptr;
  }
  return member;
}

absl::StatusOr<storage::OffsetCommit> Groups::CheckEntry(const CommitCommand& command,
                                                         const CommitEntry& entry,
                                                         const Subscription* member) const {
  if (entry.metadata.size() > static_cast<size_t>(limits_.max_commit_metadata_bytes)) {
    return Error(Reason::kMetadataTooLarge, absl::StrCat("the metadata of a commit may have ",
                                                         limits_.max_commit_metadata_bytes,
                                                         " bytes, not ", entry.metadata.size()));
  }
  const auto topic = topics_.Find(entry.topic);
  if (!topic.ok()) return topic.status();
  const auto partition = Topics::PartitionOf(**topic, entry.partition);
  if (!partition.ok()) return partition.status();
  const bool owned = member != nullptr && member->IsAssigned({entry.topic, entry.partition});
  if (!command.member_id.empty() && !owned) {
    return Error(Reason::kMemberFenced,
                 absl::StrCat("member \"", command.member_id, "\" does not have partition ",
                              entry.partition, " of \"", entry.topic, "\""),
                 {{"topic", entry.topic}, {"partition", absl::StrCat(entry.partition)}});
  }
  return storage::OffsetCommit{.group = command.group,
                               .partition = *partition,
                               .next_offset = entry.next_offset,
                               .metadata = entry.metadata,
                               .position_epoch = entry.position_epoch};
}

void Groups::Commit(CommitCommand command, CommitCompletion done) {
  if (absl::Status status = ValidateName("group", command.group); !status.ok()) {
    return std::move(done)(status);
  }
  if (command.entries.empty() && command.released.empty() && !command.leave) {
    return std::move(done)(
        Error(Reason::kEmptyRequest, "there is nothing to commit", {{"field", "offsets"}}));
  }
  auto member = Sender(command);
  if (!member.ok()) return std::move(done)(member.status());

  storage::WriteSet set{.durability = command.durability.value_or(default_durability_)};
  CommitOutcome outcome;
  std::vector<size_t> written;  // Of each commit of the set: its place in the outcome.
  for (const CommitEntry& entry : command.entries) {
    auto commit = CheckEntry(command, entry, member->get());
    if (commit.ok()) {
      written.push_back(outcome.size());
      set.commits.push_back(*std::move(commit));
    }
    outcome.emplace_back(commit.ok() ? absl::StatusOr<Offset>(entry.next_offset) : commit.status());
  }

  auto finish = [this, member = *std::move(member), released = std::move(command.released),
                 leave = command.leave, outcome = std::move(outcome), written = std::move(written),
                 done = std::move(done)](absl::StatusOr<storage::WriteResult> result) mutable {
    if (!result.ok()) return std::move(done)(result.status());
    for (size_t i = 0; i < written.size(); ++i) outcome[written[i]] = result->commits[i];
    if (member != nullptr) {
      for (const TopicPartition& partition : released) member->Release(partition);
      if (leave) {
        member->ReleaseAll();
        Leave(*member);
      }
    }
    std::move(done)(std::move(outcome));
  };
  if (set.commits.empty()) return finish(storage::WriteResult{});
  if (absl::Status status = Register(command.group); !status.ok()) return finish(status);
  engine_.Write(std::move(set), std::move(finish));
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
  for (const storage::TopicPtr& topic : engine_.Topics()) {
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
  const auto committed = engine_.CommittedOffsets(group);
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
