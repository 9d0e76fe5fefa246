#include "server/grpc/produce_encoder.h"

#include <grpcpp/support/slice.h>

#include <string>

#include "millrace/v1/event_hub.pb.h"
#include "server/grpc/status.h"

namespace millrace::server {
namespace {

// A response is a few small numbers; its bytes fit into a slice without an allocation.
template <typename Message>
grpc::ByteBuffer Serialize(const Message& message) {
  const std::string bytes = message.SerializeAsString();
  const grpc::Slice slice(bytes.data(), bytes.size());
  return grpc::ByteBuffer(&slice, 1);
}

void Fill(const hub::ProduceOutcome& outcome, v1::ProduceResponse& response) {
  for (const hub::PlacedRange& range : outcome.ranges) {
    v1::AppendedRange* appended = response.add_appended();
    appended->set_partition(range.partition);
    appended->set_base_offset(range.base_offset.value());
    appended->set_record_count(range.record_count);
    appended->mutable_record_indexes()->Add(range.record_indexes.begin(),
                                            range.record_indexes.end());
  }
  response.set_duplicate(outcome.duplicate);
  response.set_result_expired(outcome.result_expired);
}

}  // namespace

grpc::ByteBuffer EncodeProduceResponse(const hub::ProduceOutcome& outcome) {
  v1::ProduceResponse response;
  Fill(outcome, response);
  return Serialize(response);
}

grpc::ByteBuffer EncodeProduceStreamResponse(const hub::ProduceOutcome& outcome) {
  v1::ProduceStreamResponse response;
  Fill(outcome, *response.mutable_produced());
  return Serialize(response);
}

grpc::ByteBuffer EncodeProduceStreamError(const absl::Status& error) {
  v1::ProduceStreamResponse response;
  *response.mutable_error() = ToRequestError(error);
  return Serialize(response);
}

grpc::ByteBuffer EncodeTransactResponse(const hub::TransactOutcome& outcome) {
  v1::TransactResponse response;
  for (const hub::ProduceOutcome& append : outcome.appended) Fill(append, *response.add_appended());
  for (const hub::CommittedPosition& position : outcome.committed) {
    v1::CommitResult* result = response.add_committed();
    result->set_topic(position.topic);
    result->set_partition(position.partition);
    if (position.next_offset) result->set_committed_next_offset(position.next_offset->value());
  }
  response.set_duplicate(outcome.duplicate);
  response.set_result_expired(outcome.result_expired);
  return Serialize(response);
}

}  // namespace millrace::server
