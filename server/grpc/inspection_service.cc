#include "server/grpc/inspection_service.h"

#include <grpcpp/support/slice.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "server/grpc/conversions.h"
#include "server/grpc/frame_stream.h"
#include "server/grpc/message_bytes.h"
#include "server/grpc/readable_record.h"
#include "server/grpc/unary_call.h"
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

absl::StatusOr<hub::SubscribeCommand> ToCommand(hub::Hub& hub, const v1::TailRequest& request) {
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

// Shows the records of frames, up to a limit or to a partition that cannot be read.
class TailEncoder final : public FrameEncoder {
 public:
  explicit TailEncoder(int64_t limit)
      : left_(limit == 0 ? std::numeric_limits<int64_t>::max() : limit) {}

  void Encode(const hub::Frame& frame, std::deque<grpc::ByteBuffer>& messages) override {
    if (const auto* error = std::get_if<hub::PartitionErrorFrame>(&frame)) error_ = error->error;
    const auto* batches = std::get_if<hub::BatchesFrame>(&frame);
    if (batches == nullptr) return;
    for (const hub::DeliveredBatch& each : batches->batches) EncodeBatch(each, messages);
  }

  std::optional<absl::Status> end() const override {
    if (left_ == 0) return absl::OkStatus();
    if (!error_.ok()) return error_;
    return std::nullopt;
  }

 private:
  void EncodeBatch(const hub::DeliveredBatch& delivered, std::deque<grpc::ByteBuffer>& messages) {
    int64_t offset = delivered.batch.base_offset.value();
    for (const storage::SharedSlice& slice : delivered.batch.entries) {
      storage::EntryReader reader(slice.bytes);
      for (std::string_view record; left_ > 0 && reader.Next(&record); ++offset, --left_) {
        v1::TailResponse response;
        response.set_topic(*delivered.name.topic);
        response.set_partition(delivered.name.partition);
        response.set_offset(offset);
        if (delivered.batch.append_time != storage::kNoTime) {
          *response.mutable_append_time() = ToTimestamp(delivered.batch.append_time);
        }
        ShowRecord(record, response);
        messages.push_back(SerializeMessage(response));
      }
    }
  }

  int64_t left_;
  absl::Status error_;
};

absl::StatusOr<hub::ProduceCommand> ToProduce(const v1::SendRequest& request,
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

grpc::ByteBuffer SendAnswer(const std::string& topic, const hub::ProduceOutcome& outcome) {
  v1::SendResponse response;
  response.set_topic(topic);
  response.set_partition(outcome.ranges[0].partition);
  response.set_offset(outcome.ranges[0].base_offset.value());
  return SerializeMessage(response);
}

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* InspectionService::Tail(
    grpc::CallbackServerContext* /*context*/, const grpc::ByteBuffer* request) {
  v1::TailRequest tail;
  const absl::Status parsed = ParseMessage(*request, tail);
  auto command = [this, parsed, tail]() -> absl::StatusOr<hub::SubscribeCommand> {
    if (!parsed.ok()) return parsed;
    return ToCommand(hub_, tail);
  };
  return StartFrameStream(hub_, std::move(command), std::make_unique<TailEncoder>(tail.limit()));
}

grpc::ServerUnaryReactor* InspectionService::Send(grpc::CallbackServerContext* context,
                                                  const grpc::ByteBuffer* bytes,
                                                  grpc::ByteBuffer* response) {
  const UnaryCall call{context, bytes, response};
  if (absl::Status status = hub_.Admit(); !status.ok()) return Answer(call, status);
  v1::SendRequest request;
  if (absl::Status status = ParseMessage(*bytes, request); !status.ok()) {
    return Answer(call, status);
  }
  auto command = ToProduce(request, hub_.limits());
  if (!command.ok()) return Answer(call, command.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  hub_.producing().Produce(*std::move(command),
                           [reactor, response, topic = request.topic()](
                               const absl::StatusOr<hub::ProduceOutcome>& outcome) {
                             if (outcome.ok()) *response = SendAnswer(topic, *outcome);
                             reactor->Finish(ToGrpcStatus(outcome.status()));
                           });
  return reactor;
}

}  // namespace millrace::server
