#include "server/grpc/produce_call.h"

#include <utility>

#include "server/contract/produce_decoder.h"
#include "server/grpc/message_bytes.h"
#include "server/grpc/produce_encoder.h"
#include "server/grpc/trace_metadata.h"

namespace millrace::server {

grpc::ServerUnaryReactor* StartProduce(hub::Hub& hub, ServedMethod& served, const UnaryCall& call) {
  if (absl::Status status = hub.Admit(); !status.ok()) return Answer(call, served, status);
  auto command = DecodeProduceRequest(Flatten(*call.request), hub.limits());
  if (!command.ok()) return Answer(call, served, command.status());
  if (absl::Status status = AdmitProduce(call, served, *command); !status.ok()) {
    return Answer(call, served, status);
  }
  if (const auto trace = TraceOf(*call.context)) {
    command->records = WithTrace(command->records, *trace, hub.limits());
  }
  grpc::ServerUnaryReactor* reactor = call.context->DefaultReactor();
  hub.producing().Produce(*std::move(command), [reactor, &served, response = call.response](
                                                   absl::StatusOr<hub::ProduceOutcome> outcome) {
    if (outcome.ok()) *response = EncodeProduceResponse(*outcome);
    End(reactor, served, outcome.status());
  });
  return reactor;
}

}  // namespace millrace::server
