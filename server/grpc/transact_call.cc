#include "server/grpc/transact_call.h"

#include <utility>

#include "server/contract/transact_decoder.h"
#include "server/grpc/message_bytes.h"
#include "server/grpc/produce_encoder.h"
#include "server/grpc/trace_metadata.h"

namespace millrace::server {

grpc::ServerUnaryReactor* StartTransact(hub::Hub& hub, ServedMethod& served,
                                        const UnaryCall& call) {
  if (absl::Status status = hub.Admit(); !status.ok()) return Answer(call, served, status);
  auto command = DecodeTransactRequest(Flatten(*call.request), hub.limits());
  if (!command.ok()) return Answer(call, served, command.status());
  if (absl::Status status = AdmitProduce(call, served, *command); !status.ok()) {
    return Answer(call, served, status);
  }
  if (const auto trace = TraceOf(*call.context)) {
    for (hub::ProduceCommand& append : command->appends) {
      append.records = WithTrace(append.records, *trace, hub.limits());
    }
  }
  grpc::ServerUnaryReactor* reactor = call.context->DefaultReactor();
  hub.transacting().Transact(
      *std::move(command),
      [reactor, &served, response = call.response](absl::StatusOr<hub::TransactOutcome> outcome) {
        if (outcome.ok()) *response = EncodeTransactResponse(*outcome);
        End(reactor, served, outcome.status());
      });
  return reactor;
}

}  // namespace millrace::server
