// Subscriptions of the fake hub, see fake_hub.h.
#include <algorithm>
#include <chrono>

#include "tests/support/fake_hub.h"

namespace millrace::testing {

namespace {

constexpr int kNotFound = 5;
constexpr int kAborted = 10;
constexpr int kOutOfRange = 11;

v1::RequestError WithPlace(v1::RequestError error, const std::string& topic, int partition) {
  (*error.mutable_metadata())["topic"] = topic;
  (*error.mutable_metadata())["partition"] = std::to_string(partition);
  return error;
}

}  // namespace

grpc::Status FakeHub::OpenSession(const v1::SubscribeRequest& request, const std::string& id,
                                  std::vector<v1::SubscribeResponse>& frames) {
  Session session{.member_id = request.group().empty() ? "" : "member-" + id,
                  .group = request.group(),
                  .cursors = {},
                  .revoking = {},
                  .control = {}};
  const bool earliest = request.has_start() ? request.start().earliest() : !request.group().empty();
  for (const std::string& topic : request.topics()) {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) {
      v1::RequestError error = MakeRequestError(kNotFound, "TOPIC_NOT_FOUND");
      (*error.mutable_metadata())["topic"] = topic;
      return ToStatus(error);
    }
    for (int i = 0; i < static_cast<int>(found->second.size()); ++i) {
      const Partition& partition = found->second[i];
      const auto committed = committed_.find({request.group(), {topic, i}});
      const auto end = static_cast<int64_t>(partition.records.size());
      int64_t start = earliest ? partition.earliest : end;
      if (committed != committed_.end()) start = committed->second;
      session.cursors[{topic, i}].next = start;
    }
  }
  for (const v1::Position& position : request.positions()) {
    const Partition& partition = topics_.at(position.topic()).at(position.partition());
    if (position.has_log_epoch() && position.log_epoch() < partition.first_log_epoch) {
      return ToStatus(WithPlace(MakeRequestError(kAborted, "LOG_EPOCH_CHANGED"), position.topic(),
                                position.partition()));
    }
    if (position.offset() < partition.earliest ||
        position.offset() > static_cast<int64_t>(partition.records.size())) {
      return ToStatus(WithPlace(MakeRequestError(kOutOfRange, "OFFSET_OUT_OF_RANGE"),
                                position.topic(), position.partition()));
    }
    session.cursors[{position.topic(), position.partition()}].next = position.offset();
  }

  v1::SessionStarted& started = *frames.emplace_back().mutable_session_started();
  started.set_session_id(id);
  started.set_member_id(session.member_id);
  started.set_member_epoch(1);
  started.set_log_epoch(log_epoch_);
  v1::Assigned& assigned = *frames.emplace_back().mutable_assigned();
  for (auto& [name, cursor] : session.cursors) {
    cursor.position_epoch = ++last_position_epoch_;
    cursor.caught_up_at =
        static_cast<int64_t>(topics_.at(name.first).at(name.second).records.size());
    v1::Assignment& assignment = *assigned.add_assignments();
    assignment.set_topic(name.first);
    assignment.set_partition(name.second);
    assignment.set_start_offset(cursor.next);
    assignment.set_position_epoch(cursor.position_epoch);
    assignment.set_high_watermark(cursor.caught_up_at);
  }
  sessions_[id] = std::move(session);
  return grpc::Status::OK;
}

// The next frame that the session is owed now.
std::optional<v1::SubscribeResponse> FakeHub::NextFrame(Session& session) {
  v1::SubscribeResponse frame;
  if (!session.control.empty()) {
    frame = session.control.front();
    session.control.erase(session.control.begin());
    return frame;
  }
  for (auto& [name, cursor] : session.cursors) {
    const Partition& partition = topics_.at(name.first).at(name.second);
    const auto end = static_cast<int64_t>(partition.records.size());
    if (cursor.paused || cursor.next >= end) continue;
    v1::RecordBatch& batch = *frame.mutable_batches()->add_batches();
    batch.set_topic(name.first);
    batch.set_partition(name.second);
    batch.set_base_offset(cursor.next);
    batch.set_position_epoch(cursor.position_epoch);
    batch.set_high_watermark(end);
    batch.set_log_epoch(partition.records[cursor.next].log_epoch);
    // A batch lies under one log epoch.
    while (cursor.next < end && batch.records_size() < batch_records_ &&
           partition.records[cursor.next].log_epoch == batch.log_epoch()) {
      *batch.add_records() = partition.records[cursor.next++].record;
    }
  }
  if (frame.has_batches()) return frame;
  for (auto& [name, cursor] : session.cursors) {
    if (cursor.caught_up || cursor.next < cursor.caught_up_at) continue;
    cursor.caught_up = true;
    v1::TopicPartition& partition = *frame.mutable_caught_up()->add_partitions();
    partition.set_topic(name.first);
    partition.set_partition(name.second);
  }
  if (frame.has_caught_up()) return frame;
  return std::nullopt;
}

grpc::Status FakeHub::Subscribe(grpc::ServerContext& context, const v1::SubscribeRequest& request,
                                int stream, SubscribeWriter& writer) {
  const std::string id = "session-" + std::to_string(stream);
  std::vector<v1::SubscribeResponse> frames;
  FrameScript script;
  std::chrono::milliseconds silence(request.heartbeat_interval().seconds() * 1000 +
                                    request.heartbeat_interval().nanos() / 1000000);
  {
    std::lock_guard lock(mutex_);
    script = frame_script_;
    const grpc::Status opened = OpenSession(request, id, frames);
    if (!opened.ok()) return opened;
  }
  grpc::Status status = grpc::Status::OK;
  int index = 0;
  const auto send = [&](const v1::SubscribeResponse& frame) {
    if (script && script(frame, stream, index++)) {
      status = {grpc::StatusCode::UNAVAILABLE, "cut by the test"};
      return false;
    }
    return writer.Write(frame);
  };
  bool alive = true;
  for (const auto& frame : frames) alive = alive && send(frame);

  std::unique_lock lock(mutex_);
  auto silent_since = std::chrono::steady_clock::now();
  while (alive && !killed_ && !context.IsCancelled()) {
    Session& session = sessions_[id];
    std::optional<v1::SubscribeResponse> frame = NextFrame(session);
    if (!frame) {
      const auto& cursors = session.cursors;
      const bool all_caught_up = std::all_of(
          cursors.begin(), cursors.end(), [](const auto& entry) { return entry.second.caught_up; });
      if (request.end_at_current() && all_caught_up) {
        frame.emplace().mutable_ending()->set_reason(v1::ENDING_REASON_END_REACHED);
      } else if (std::chrono::steady_clock::now() - silent_since >= silence) {
        frame.emplace().mutable_heartbeat();
      } else {
        changed_.wait_for(lock, std::chrono::milliseconds(5));
        continue;
      }
    }
    lock.unlock();
    alive = send(*frame) && !frame->has_ending();
    lock.lock();
    silent_since = std::chrono::steady_clock::now();
  }
  sessions_.erase(id);
  changed_.notify_all();
  return status;
}

v1::SeekResult FakeHub::Seek(Session& session, const v1::SeekTarget& target) {
  v1::SeekResult result;
  result.set_topic(target.topic());
  result.set_partition(target.partition());
  const auto found = session.cursors.find({target.topic(), target.partition()});
  if (found == session.cursors.end()) {
    *result.mutable_error() = MakeRequestError(9, "PARTITION_NOT_ASSIGNED");
    return result;
  }
  const Partition& partition = topics_.at(target.topic()).at(target.partition());
  if (target.has_log_epoch() && target.log_epoch() < partition.first_log_epoch) {
    *result.mutable_error() = MakeRequestError(kAborted, "LOG_EPOCH_CHANGED");
    return result;
  }
  const auto end = static_cast<int64_t>(partition.records.size());
  int64_t offset = target.offset();
  if (target.has_start()) offset = target.start().earliest() ? partition.earliest : end;
  if (offset < partition.earliest || offset > end) {
    *result.mutable_error() = MakeRequestError(kOutOfRange, "OFFSET_OUT_OF_RANGE");
    return result;
  }
  Cursor& cursor = found->second;
  v1::Repositioned& moved = *session.control.emplace_back().mutable_repositioned();
  moved.set_topic(target.topic());
  moved.set_partition(target.partition());
  moved.set_from_offset(cursor.next);
  moved.set_to_offset(offset);
  moved.set_cause(v1::REPOSITION_CAUSE_SEEK);
  moved.set_position_epoch(++last_position_epoch_);
  cursor = {.next = offset,
            .position_epoch = last_position_epoch_,
            .caught_up_at = end,
            .caught_up = false,
            .paused = cursor.paused};
  result.set_offset(offset);
  result.set_position_epoch(last_position_epoch_);
  return result;
}

}  // namespace millrace::testing
