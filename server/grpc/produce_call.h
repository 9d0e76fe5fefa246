// The unary Produce: where one request enters the hub.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "server/grpc/unary_call.h"
#include "server/hub/hub.h"

namespace millrace::server {

// The reactor owns itself and is gone when the call is done. `hub`, `served` and the two buffers
// outlive it. Never blocks.
grpc::ServerUnaryReactor* StartProduce(hub::Hub& hub, ServedMethod& served, const UnaryCall& call);

}  // namespace millrace::server
