// A unary method served raw: bytes in, the work of a service's method on a worker thread, bytes
// out.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/contract/call_watch.h"
#include "server/grpc/caller_metadata.h"
#include "server/grpc/message_bytes.h"
#include "server/grpc/status.h"
#include "server/hub/hub.h"

namespace millrace::server {

// What gRPC hands to a raw unary method. All of it lives until the reactor finishes.
struct UnaryCall {
  grpc::CallbackServerContext* context;
  const grpc::ByteBuffer* request;
  grpc::ByteBuffer* response;
};

// Ends a call, and notes it.
inline void End(grpc::ServerUnaryReactor* reactor, ServedMethod& served,
                const absl::Status& status) {
  served.NoteEnd(status);
  reactor->Finish(ToGrpcStatus(status));
}

// Answers at once, without work.
inline grpc::ServerUnaryReactor* Answer(const UnaryCall& call, ServedMethod& served,
                                        const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = call.context->DefaultReactor();
  End(reactor, served, status);
  return reactor;
}

// Whether the caller may store what the request, of which some NeedsOf tells the needs, asks for;
// the bytes that came count against its quota. Who calls is not even looked at where nobody is
// asked. As ServedMethod::Admit.
template <typename Request>
absl::Status AdmitProduce(const UnaryCall& call, const ServedMethod& served,
                          const Request& request) {
  if (!served.guarded()) return absl::OkStatus();
  return served.Admit(CallerOf(*call.context, served), request,
                      static_cast<int64_t>(call.request->Length()));
}

// Runs `method`, which may block, on a worker and answers with what it gives. `served` and `calls`
// outlive the call. While the hub drains: DRAINING; and as ServedMethod::Post.
template <typename Calls, typename Request, typename Response, typename... Who>
grpc::ServerUnaryReactor* AnswerFromWorker(
    hub::Hub& hub, UnaryCall call, ServedMethod& served, Calls* calls,
    absl::StatusOr<Response> (Calls::*method)(const Request&, const Who&...)) {
  if (absl::Status status = hub.Admit(); !status.ok()) return Answer(call, served, status);
  grpc::ServerUnaryReactor* reactor = call.context->DefaultReactor();
  const absl::Status posted =
      served.Post(hub.workers(), call.context->peer(), [call, &served, calls, method, reactor] {
        Request request;
        absl::Status status = ParseMessage(*call.request, request);
        if (status.ok()) {
          const absl::StatusOr<Response> response =
              served.Run(CallerOf(*call.context, served), *calls, method, request);
          status = response.status();
          if (response.ok()) *call.response = SerializeMessage(*response);
        }
        End(reactor, served, status);
      });
  if (!posted.ok()) End(reactor, served, posted);
  return reactor;
}

}  // namespace millrace::server
