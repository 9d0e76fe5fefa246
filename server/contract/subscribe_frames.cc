#include "server/contract/subscribe_frames.h"

#include <variant>

#include "server/contract/conversions.h"
#include "server/contract/request_error.h"

namespace millrace::server {
namespace {

template <typename Message>
void SetName(const hub::PartitionName& name, Message* message) {
  message->set_topic(*name.topic);
  message->set_partition(name.partition);
}

void Fill(const hub::SessionStartedFrame& frame, v1::SubscribeResponse& response) {
  v1::SessionStarted* started = response.mutable_session_started();
  started->set_session_id(frame.session_id);
  started->set_member_id(frame.member_id);
  started->set_member_epoch(frame.member_epoch);
  started->set_log_epoch(frame.log_epoch.value());
  for (const std::string& topic : frame.missing_topics) started->add_missing_topics(topic);
}

void Fill(const hub::AssignedFrame& frame, v1::SubscribeResponse& response) {
  v1::Assigned* assigned = response.mutable_assigned();
  for (const hub::Assignment& each : frame.assignments) {
    v1::Assignment* assignment = assigned->add_assignments();
    SetName(each.name, assignment);
    assignment->set_start_offset(each.start_offset.value());
    assignment->set_position_epoch(each.position_epoch.value());
    assignment->set_high_watermark(each.high_watermark.value());
  }
}

void Fill(const hub::RevokingFrame& frame, v1::SubscribeResponse& response) {
  v1::Revoking* revoking = response.mutable_revoking();
  for (const hub::PartitionName& name : frame.partitions) {
    SetName(name, revoking->add_partitions());
  }
  *revoking->mutable_time_left() = ToDuration(frame.time_left);
}

void Fill(const hub::LostFrame& frame, v1::SubscribeResponse& response) {
  v1::Lost* lost = response.mutable_lost();
  for (const hub::PartitionName& name : frame.partitions) SetName(name, lost->add_partitions());
  lost->set_cause(static_cast<v1::LostCause>(frame.cause));
}

void Fill(const hub::RepositionedFrame& frame, v1::SubscribeResponse& response) {
  v1::Repositioned* repositioned = response.mutable_repositioned();
  SetName(frame.name, repositioned);
  repositioned->set_from_offset(frame.from.value());
  repositioned->set_to_offset(frame.to.value());
  repositioned->set_cause(static_cast<v1::RepositionCause>(frame.cause));
  repositioned->set_position_epoch(frame.position_epoch.value());
}

void Fill(const hub::PartitionErrorFrame& frame, v1::SubscribeResponse& response) {
  v1::PartitionError* error = response.mutable_partition_error();
  SetName(frame.name, error);
  *error->mutable_error() = ToRequestError(frame.error);
  error->set_earliest_offset(frame.earliest.value());
  error->set_latest_offset(frame.latest.value());
}

void Fill(const hub::CaughtUpFrame& frame, v1::SubscribeResponse& response) {
  v1::CaughtUp* caught_up = response.mutable_caught_up();
  for (const hub::PartitionName& name : frame.partitions) {
    SetName(name, caught_up->add_partitions());
  }
}

void Fill(const hub::HeartbeatFrame& frame, v1::SubscribeResponse& response) {
  v1::Heartbeat* heartbeat = response.mutable_heartbeat();
  *heartbeat->mutable_hub_time() = ToTimestamp(frame.hub_time);
  for (const hub::PartitionProgress& each : frame.changed) {
    v1::PartitionProgress* progress = heartbeat->add_changed();
    SetName(each.name, progress);
    progress->set_earliest_offset(each.earliest.value());
    progress->set_high_watermark(each.high_watermark.value());
    progress->set_next_offset(each.next_offset.value());
  }
  for (const hub::PartitionName& name : frame.waiting_for_commit) {
    SetName(name, heartbeat->add_waiting_for_commit());
  }
}

void Fill(const hub::EndingFrame& frame, v1::SubscribeResponse& response) {
  v1::Ending* ending = response.mutable_ending();
  ending->set_reason(static_cast<v1::EndingReason>(frame.reason));
  const v1::RequestError error = ToRequestError(frame.status);
  ending->set_retry(error.has_retry_after());
  if (error.has_retry_after()) *ending->mutable_retry_after() = error.retry_after();
  ending->set_message(error.message());
  for (const hub::ReadPosition& each : frame.resume_at) {
    v1::Position* position = ending->add_resume_at();
    SetName(each.name, position);
    position->set_offset(each.offset.value());
    if (each.log_epoch) position->set_log_epoch(each.log_epoch->value());
  }
}

void Fill(const hub::BatchesFrame&, v1::SubscribeResponse&) {}  // Not here.

}  // namespace

v1::SubscribeResponse ToSubscribeResponse(const hub::Frame& frame) {
  v1::SubscribeResponse response;
  std::visit([&](const auto& each) { Fill(each, response); }, frame);
  return response;
}

}  // namespace millrace::server
