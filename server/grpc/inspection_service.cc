#include "server/grpc/inspection_service.h"

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "server/contract/conversions.h"
#include "server/contract/inspection.h"
#include "server/contract/readable_record.h"
#include "server/grpc/frame_stream.h"
#include "server/grpc/message_bytes.h"
#include "server/grpc/unary_call.h"
#include "storage/batch/entries.h"

namespace millrace::server {

namespace {

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

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* InspectionService::Tail(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  v1::TailRequest tail;
  const absl::Status parsed = ParseMessage(*request, tail);
  Caller caller = CallerOf(*context, tail_);
  auto command = [this, parsed, tail, caller]() -> absl::StatusOr<hub::SubscribeCommand> {
    if (!parsed.ok()) return parsed;
    // Before the topic is looked for.
    if (absl::Status status = tail_.Check(caller, tail); !status.ok()) return status;
    return ToSubscribeCommand(hub_, tail);
  };
  return StartFrameStream(hub_, tail_, std::move(caller), std::move(command),
                          std::make_unique<TailEncoder>(tail.limit()));
}

grpc::ServerUnaryReactor* InspectionService::Send(grpc::CallbackServerContext* context,
                                                  const grpc::ByteBuffer* bytes,
                                                  grpc::ByteBuffer* response) {
  const UnaryCall call{context, bytes, response};
  if (absl::Status status = hub_.Admit(); !status.ok()) return Answer(call, send_, status);
  v1::SendRequest request;
  if (absl::Status status = ParseMessage(*bytes, request); !status.ok()) {
    return Answer(call, send_, status);
  }
  if (absl::Status status = AdmitProduce(call, send_, request); !status.ok()) {
    return Answer(call, send_, status);
  }
  auto command = ToProduceCommand(request, hub_.limits());
  if (!command.ok()) return Answer(call, send_, command.status());
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  hub_.producing().Produce(*std::move(command),
                           [this, reactor, response, topic = request.topic()](
                               const absl::StatusOr<hub::ProduceOutcome>& outcome) {
                             if (outcome.ok())
                               *response = SerializeMessage(ToSendResponse(topic, *outcome));
                             End(reactor, send_, outcome.status());
                           });
  return reactor;
}

}  // namespace millrace::server
