#include "server/contract/inspection.h"

#include <memory>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "server/contract/conversions.h"
#include "server/contract/readable_record.h"
#include "storage/batch/entries.h"
#include "storage/batch/record_walk.h"
#include "storage/error.h"

namespace millrace::server {

using storage::Error;
using storage::Reason;

namespace {

absl::StatusOr<hub::StartPosition> StartOf(const v1::TailRequest& request) {
  if (request.from_beginning()) return hub::Earliest{};
  if (!request.has_time()) return hub::Latest{};
  auto time = FromTimestamp(request.time(), "time");
  if (!time.ok()) return time.status();
  return *time;
}

// One partition is read by position, and where it starts has to be found out first.
absl::StatusOr<storage::Offset> OffsetOf(hub::Hub& hub, const v1::TailRequest& request,
                                         const hub::StartPosition& start) {
  if (request.has_offset()) return storage::Offset(request.offset());
  const auto topic = hub.topics().Find(request.topic());
  if (!topic.ok()) return topic.status();
  const auto id = hub::Topics::PartitionOf(**topic, request.partition());
  if (!id.ok()) return id.status();
  if (const auto* time = std::get_if<absl::Time>(&start)) {
    return hub.engine().OffsetAtTime(*id, *time);
  }
  const auto status = hub.engine().Status(*id);
  if (!status.ok()) return status.status();
  return std::holds_alternative<hub::Earliest>(start) ? status->earliest : status->high_watermark;
}

}  // namespace

absl::StatusOr<hub::SubscribeCommand> ToSubscribeCommand(hub::Hub& hub,
                                                         const v1::TailRequest& request) {
  if (request.from_beginning() + request.has_offset() + request.has_time() > 1) {
    return InvalidField("from_beginning", "say one of from_beginning, offset and time");
  }
  if (request.has_offset() && !request.has_partition()) {
    return InvalidField("partition", "an offset is about one partition: name it");
  }
  if (request.limit() < 0) return InvalidField("limit", "limit must not be negative");
  auto start = StartOf(request);
  if (!start.ok()) return start.status();
  hub::SubscribeCommand command{.start = *start, .end_at_current = request.end_at_current()};
  if (!request.has_partition()) {
    command.topics = {request.topic()};
    return command;
  }
  const auto offset = OffsetOf(hub, request, *start);
  if (!offset.ok()) return offset.status();
  command.positions = {
      {.topic = request.topic(), .partition = request.partition(), .offset = *offset}};
  return command;
}

absl::StatusOr<hub::ProduceCommand> ToProduceCommand(const v1::SendRequest& request,
                                                     const hub::Limits& limits) {
  auto entry = TakeRecord(request);
  if (!entry.ok()) return entry.status();
  storage::EntryReader reader(*entry);
  std::string_view record;
  reader.Next(&record);
  storage::RecordFacts facts;
  const storage::WalkError found =
      storage::WalkRecord(record,
                          {.max_record_bytes = static_cast<size_t>(limits.max_record_bytes),
                           .max_key_bytes = static_cast<size_t>(limits.max_key_bytes),
                           .max_headers = limits.max_record_headers},
                          &facts);
  if (found != storage::WalkError::kNone) {
    return Error(storage::IsLimitError(found) ? Reason::kRecordTooLarge : Reason::kMalformedRecord,
                 absl::StrCat("the record: ", std::string(storage::DescriptionOf(found))),
                 {{"record_index", "0"}, {"record_bytes", absl::StrCat(record.size())}});
  }
  const auto owner = std::make_shared<const std::string>(*std::move(entry));
  hub::ProduceCommand command{.topic = request.topic(),
                              .records = {.entries = {owner, *owner}, .count = 1}};
  if (request.has_partition()) command.partition = request.partition();
  return command;
}

v1::SendResponse ToSendResponse(const std::string& topic, const hub::ProduceOutcome& outcome) {
  v1::SendResponse response;
  response.set_topic(topic);
  response.set_partition(outcome.ranges[0].partition);
  response.set_offset(outcome.ranges[0].base_offset.value());
  return response;
}

}  // namespace millrace::server
