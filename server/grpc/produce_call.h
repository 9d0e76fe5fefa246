// The unary Produce: where one request enters the hub.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "server/hub/hub.h"

namespace millrace::server {

// The reactor owns itself and is gone when the call is done. `hub` and the two buffers outlive it.
// Never blocks.
grpc::ServerUnaryReactor* StartProduce(hub::Hub& hub, grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response);

}  // namespace millrace::server
