#include "server/grpc/produce_call.h"

#include <grpcpp/server_context.h>

#include <utility>

#include "server/contract/produce_decoder.h"
#include "server/grpc/message_bytes.h"
#include "server/grpc/produce_encoder.h"
#include "server/grpc/status.h"

namespace millrace::server {

grpc::ServerUnaryReactor* StartProduce(hub::Hub& hub, grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto finish = [reactor, response](absl::StatusOr<hub::ProduceOutcome> outcome) {
    if (outcome.ok()) *response = EncodeProduceResponse(*outcome);
    reactor->Finish(ToGrpcStatus(outcome.status()));
  };
  if (absl::Status status = hub.Admit(); !status.ok()) {
    finish(status);
  } else if (auto command = DecodeProduceRequest(Flatten(*request), hub.limits()); !command.ok()) {
    finish(command.status());
  } else {
    hub.producing().Produce(*std::move(command), finish);
  }
  return reactor;
}

}  // namespace millrace::server
