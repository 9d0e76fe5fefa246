#include "server/grpc/transact_call.h"

#include <utility>

#include "server/contract/transact_decoder.h"
#include "server/grpc/message_bytes.h"
#include "server/grpc/produce_encoder.h"
#include "server/grpc/status.h"

namespace millrace::server {

grpc::ServerUnaryReactor* StartTransact(hub::Hub& hub, const UnaryCall& call) {
  if (absl::Status status = hub.Admit(); !status.ok()) return Answer(call, status);
  auto command = DecodeTransactRequest(Flatten(*call.request), hub.limits());
  if (!command.ok()) return Answer(call, command.status());
  grpc::ServerUnaryReactor* reactor = call.context->DefaultReactor();
  hub.transacting().Transact(
      *std::move(command),
      [reactor, response = call.response](absl::StatusOr<hub::TransactOutcome> outcome) {
        if (outcome.ok()) *response = EncodeTransactResponse(*outcome);
        reactor->Finish(ToGrpcStatus(outcome.status()));
      });
  return reactor;
}

}  // namespace millrace::server
