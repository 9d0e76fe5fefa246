// How far members are: records are processed, and commits and resets go to the log and come back.
#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "storage/commit/offset_commit_rule.h"
#include "tests/server/hub/group_model.h"

namespace millrace::hub {

void GroupModel::Process() {
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

void GroupModel::ProcessUpTo(Partition& partition, View& view, Offset offset) {
  for (; view.processed < offset; ++view.processed) {
    partition.processed.insert(view.processed.value());
  }
}

void GroupModel::BeginCommit() {
  Stream* stream = AnyStream(!Chance(20));
  if (stream == nullptr) return;
  for (const auto& [id, view] : stream->views) {
    if (Chance(60)) Commit(*stream, id, view);
  }
}

void GroupModel::Commit(const Stream& stream, PartitionId id, const View& view) {
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

void GroupModel::CommitAsAStranger() {
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

void GroupModel::Write() {
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

void GroupModel::BeginReset() {
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

void GroupModel::EndReset(const Pending& pending, Partition& partition, bool stored) {
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

}  // namespace millrace::hub
