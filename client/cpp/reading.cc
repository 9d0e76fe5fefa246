#include "client/cpp/reading.h"

#include <algorithm>
#include <charconv>

#include "client/cpp/convert.h"
#include "client/cpp/status.h"
#include "millrace/error.h"

namespace millrace::client {
namespace {

LostCause FromProto(v1::LostCause cause) {
  switch (cause) {
    case v1::LOST_CAUSE_HANDED_OVER:
      return LostCause::kHandedOver;
    case v1::LOST_CAUSE_REVOKE_TIMEOUT:
      return LostCause::kRevokeTimeout;
    case v1::LOST_CAUSE_UNCOMMITTED_TOO_LONG:
      return LostCause::kUncommittedTooLong;
    case v1::LOST_CAUSE_TOPIC_DELETED:
      return LostCause::kTopicDeleted;
    case v1::LOST_CAUSE_UNSUBSCRIBED:
      return LostCause::kUnsubscribed;
    default:
      return LostCause::kUnspecified;
  }
}

RepositionCause FromProto(v1::RepositionCause cause) {
  switch (cause) {
    case v1::REPOSITION_CAUSE_SEEK:
      return RepositionCause::kSeek;
    case v1::REPOSITION_CAUSE_RESET:
      return RepositionCause::kReset;
    case v1::REPOSITION_CAUSE_OUT_OF_RANGE:
      return RepositionCause::kOutOfRange;
    default:
      return RepositionCause::kUnspecified;
  }
}

int64_t NumberIn(const ErrorMetadata& metadata, const std::string& name, int64_t otherwise) {
  const auto entry = metadata.find(name);
  int64_t number = otherwise;
  if (entry != metadata.end()) {
    std::from_chars(entry->second.data(), entry->second.data() + entry->second.size(), number);
  }
  return number;
}

}  // namespace

void Reading::MoveTo(int64_t offset, std::optional<int64_t> log_epoch) {
  known = true;
  failed = false;
  resuming = false;
  caught_up = false;
  received = returned = {offset, log_epoch};
  processed = offset;
  ++moves;
  ++generation;
  held.clear();
}

void Reading::Forget() {
  known = assigned = failed = revoking = revoking_told = released = resuming = false;
  commit_asked = 0;
  ++moves;
  ++generation;
  held.clear();
}

void Reading::VoidUncommitted() {
  if (known && returned.offset != committed) voided = returned.offset;
}

Reading* ReadingTable::Find(std::string_view topic, int32_t partition) {
  const auto entry = readings_.find({topic, partition});
  return entry == readings_.end() ? nullptr : entry->second.get();
}

Reading& ReadingTable::FindOrAdd(const std::string& topic, int32_t partition) {
  if (Reading* const found = Find(topic, partition)) return *found;
  auto added = std::make_unique<Reading>();
  added->name = {topic, partition};
  Reading& reading = *added;
  readings_.emplace(Key(reading.name.topic, partition), std::move(added));
  return reading;
}

void ReadingTable::ForEach(const std::function<void(Reading&)>& visit) {
  for (auto& [key, reading] : readings_) visit(*reading);
}

void ReadingTable::ForEach(const std::function<void(const Reading&)>& visit) const {
  for (const auto& [key, reading] : readings_) visit(*reading);
}

bool ReadingTable::any_resuming() const {
  return std::any_of(readings_.begin(), readings_.end(),
                     [](const auto& entry) { return entry.second->resuming; });
}

bool ReadingTable::awaits_assignment() const {
  return first_assigned_of_session_ &&
         std::any_of(readings_.begin(), readings_.end(),
                     [](const auto& entry) { return entry.second->known; });
}

void ReadingTable::OnSubscribe() {
  for (auto& [key, reading] : readings_) reading->committed_before = reading->committed;
}

void ReadingTable::OnSessionStarted(int64_t log_epoch) {
  for (auto& [key, reading] : readings_) {
    reading->assigned = false;
    reading->resuming = false;
    reading->revoking = reading->revoking_told = reading->released = false;
    // After a kill the hub counts on from the last commit: what it numbers so is another position.
    reading->silent_epoch = 0;
  }
  first_assigned_of_session_ = true;
  session_log_epoch_ = log_epoch > 0 ? std::optional(log_epoch) : std::nullopt;
}

std::vector<ConsumerEvent> ReadingTable::OnAssigned(const v1::Assigned& frame) {
  std::vector<ConsumerEvent> events;
  PartitionsAssigned assigned;
  for (const v1::Assignment& assignment : frame.assignments()) {
    Reading& reading = FindOrAdd(assignment.topic(), assignment.partition());
    reading.assigned = true;
    reading.revoking = reading.revoking_told = reading.released = false;
    reading.position_epoch = assignment.position_epoch();
    reading.high_watermark = assignment.high_watermark();
    if (!reading.known || reading.failed) {
      // The session's log epoch vouches for what it was opened with. Later the hub may write under
      // a newer one, which a position must not be judged by.
      reading.MoveTo(assignment.start_offset(),
                     first_assigned_of_session_ ? session_log_epoch_ : std::nullopt);
      reading.committed = assignment.start_offset();
      assigned.partitions.push_back(
          {reading.name, assignment.start_offset(), assignment.high_watermark()});
    } else if (in_group_) {
      OnGroupAssignment(reading, assignment, events);
    }
    // An independent reader said itself where to go on; `repositioned` tells where it cannot.
  }
  if (!assigned.partitions.empty()) events.push_back(std::move(assigned));
  for (ConsumerEvent& event : OnSettled()) events.push_back(std::move(event));
  ever_assigned_ = true;
  return events;
}

std::vector<ConsumerEvent> ReadingTable::OnSettled() {
  if (!std::exchange(first_assigned_of_session_, false) || !in_group_) return {};
  PartitionsLost lost{.partitions = {}, .cause = LostCause::kDisconnected};
  for (auto& [key, reading] : readings_) {
    if (!reading->known || reading->assigned) continue;
    reading->VoidUncommitted();
    reading->Forget();
    lost.partitions.push_back(reading->name);
  }
  if (lost.partitions.empty()) return {};
  return {std::move(lost)};
}

void ReadingTable::MarkProcessed() {
  for (auto& [key, reading] : readings_) reading->processed = reading->returned.offset;
}

void ReadingTable::MarkRevokingTold(const std::vector<TopicPartition>& partitions) {
  for (const TopicPartition& partition : partitions) {
    Reading* const reading = Find(partition);
    if (reading != nullptr && reading->revoking) reading->revoking_told = true;
  }
}

// The hub begins at what the group committed; this consumer may have received more, or was sent
// back by its own Seek.
void ReadingTable::OnGroupAssignment(Reading& reading, const v1::Assignment& assignment,
                                     std::vector<ConsumerEvent>& events) {
  const int64_t start = assignment.start_offset();
  // A commit of our own may have been answered while the session was being opened, without yet
  // being where it begins.
  const bool own_commit_between = reading.committed != reading.committed_before;
  // Or its answer was lost. What is beyond, another member has committed, who had the partition
  // meanwhile: what is buffered of it, and what was returned and not committed, is done.
  const bool others_advanced =
      start > std::max({reading.committed_before, reading.committed, reading.commit_asked});
  const bool was_reset = start < std::min(reading.committed_before, reading.committed);
  if (others_advanced || was_reset) reading.VoidUncommitted();
  if ((others_advanced && start != reading.returned.offset) || was_reset) {
    events.push_back(PartitionRepositioned{.partition = reading.name,
                                           .from_offset = reading.returned.offset,
                                           .to_offset = start,
                                           .cause = RepositionCause::kReset});
    reading.MoveTo(start, session_log_epoch_);
    reading.committed = start;
    return;
  }
  if (!own_commit_between) reading.committed = start;
  reading.session_start = start;
  reading.resuming = start != reading.received.offset;
}

std::vector<ConsumerEvent> ReadingTable::OnRevoking(const v1::Revoking& frame) {
  PartitionsRevoking event{.partitions = {}, .time_left = client::FromProto(frame.time_left())};
  for (const v1::TopicPartition& partition : frame.partitions()) {
    Reading* const reading = Find(partition.topic(), partition.partition());
    if (reading == nullptr) continue;
    reading->revoking = true;
    reading->received = reading->returned;
    ++reading->generation;
    reading->held.clear();
    event.partitions.push_back(reading->name);
  }
  return {std::move(event)};
}

std::vector<ConsumerEvent> ReadingTable::OnLost(const v1::Lost& frame) {
  PartitionsLost event{.partitions = {}, .cause = FromProto(frame.cause())};
  for (const v1::TopicPartition& partition : frame.partitions()) {
    Reading* const reading = Find(partition.topic(), partition.partition());
    if (reading == nullptr) continue;
    reading->VoidUncommitted();
    reading->Forget();
    event.partitions.push_back(reading->name);
  }
  return {std::move(event)};
}

std::vector<ConsumerEvent> ReadingTable::OnRepositioned(const v1::Repositioned& frame) {
  Reading* const reading = Find(frame.topic(), frame.partition());
  if (reading == nullptr || frame.position_epoch() < reading->position_epoch) return {};
  if (frame.position_epoch() == reading->silent_epoch) return {};
  const bool already_there = reading->received.offset == frame.to_offset();
  const bool newer = frame.position_epoch() > reading->position_epoch;
  reading->position_epoch = frame.position_epoch();
  if (reading->resuming && already_there) {
    // The Seek that brings this session to where the last one ended: nothing changes.
    reading->resuming = false;
    return {};
  }
  if (frame.cause() == v1::REPOSITION_CAUSE_RESET) reading->VoidUncommitted();
  if (newer || !already_there) reading->MoveTo(frame.to_offset(), std::nullopt);
  if (frame.cause() == v1::REPOSITION_CAUSE_RESET) reading->committed = frame.to_offset();
  return {PartitionRepositioned{.partition = reading->name,
                                .from_offset = frame.from_offset(),
                                .to_offset = frame.to_offset(),
                                .cause = FromProto(frame.cause())}};
}

void ReadingTable::OnSought(Reading& reading, int64_t offset, int64_t position_epoch) {
  if (position_epoch <= reading.position_epoch) return;
  reading.position_epoch = position_epoch;
  reading.MoveTo(offset, std::nullopt);
}

std::vector<ConsumerEvent> ReadingTable::OnPartitionError(const v1::PartitionError& frame) {
  Reading& reading = FindOrAdd(frame.topic(), frame.partition());
  reading.failed = true;
  reading.resuming = false;
  return {PartitionFailed{.partition = reading.name,
                          .status = FromRequestError(frame.error()),
                          .earliest_offset = frame.earliest_offset(),
                          .latest_offset = frame.latest_offset()}};
}

std::vector<ConsumerEvent> ReadingTable::OnResumeRefused(const absl::Status& error) {
  const ErrorMetadata metadata = MetadataOf(error);
  const auto topic = metadata.find("topic");
  if (topic == metadata.end()) return {};
  const int64_t partition = NumberIn(metadata, "partition", -1);
  std::vector<ConsumerEvent> events;
  for (auto& [key, reading] : readings_) {
    if (!reading->known || reading->failed || reading->name.topic != topic->second) continue;
    if (partition >= 0 && reading->name.partition != partition) continue;
    reading->failed = true;
    events.push_back(PartitionFailed{.partition = reading->name,
                                     .status = error,
                                     .earliest_offset = NumberIn(metadata, "earliest", 0),
                                     .latest_offset = NumberIn(metadata, "latest", 0)});
  }
  return events;
}

std::vector<ConsumerEvent> ReadingTable::OnCaughtUp(const v1::CaughtUp& frame) {
  CaughtUp event;
  for (const v1::TopicPartition& partition : frame.partitions()) {
    Reading* const reading = Find(partition.topic(), partition.partition());
    // A session that only resumes an earlier one says it again.
    if (reading == nullptr || reading->resuming || std::exchange(reading->caught_up, true)) {
      continue;
    }
    event.partitions.push_back(reading->name);
  }
  if (event.partitions.empty()) return {};
  return {std::move(event)};
}

void ReadingTable::OnHeartbeat(const v1::Heartbeat& frame) {
  for (const v1::PartitionProgress& progress : frame.changed()) {
    if (Reading* const reading = Find(progress.topic(), progress.partition())) {
      reading->high_watermark = progress.high_watermark();
    }
  }
}

Acceptance ReadingTable::OnBatch(const EncodedBatch& batch) {
  Reading* const reading = Find(batch.topic, batch.partition);
  if (reading == nullptr || !reading->assigned || reading->revoking || reading->resuming) return {};
  if (batch.position_epoch < reading->position_epoch) return {};
  if (batch.position_epoch > reading->position_epoch) {
    OnSought(*reading, batch.base_offset, batch.position_epoch);
  }
  reading->high_watermark = std::max(reading->high_watermark, batch.high_watermark);
  const int64_t end = batch.base_offset + batch.record_count;
  const int64_t skip = std::max<int64_t>(0, reading->received.offset - batch.base_offset);
  if (skip >= batch.record_count) return {};
  reading->received = {end, batch.log_epoch > 0 ? std::optional(batch.log_epoch) : std::nullopt};
  return {reading, skip};
}

}  // namespace millrace::client
