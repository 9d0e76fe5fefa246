#include "server/grpc/produce_encoder.h"

#include <grpcpp/support/slice.h>

#include <string>

#include "millrace/v1/event_hub.pb.h"
#include "server/contract/request_error.h"
#include "server/contract/write_answers.h"

namespace millrace::server {
namespace {

// A response is a few small numbers; its bytes fit into a slice without an allocation.
template <typename Message>
grpc::ByteBuffer Serialize(const Message& message) {
  const std::string bytes = message.SerializeAsString();
  const grpc::Slice slice(bytes.data(), bytes.size());
  return grpc::ByteBuffer(&slice, 1);
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
  Fill(outcome, response);
  return Serialize(response);
}

}  // namespace millrace::server
