// Subscribe as a gRPC stream: pulls frames out of a hub::Subscription, one write at a time.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "server/hub/hub.h"

namespace millrace::server {

// The reactor owns itself and is gone when the call is done. `hub` outlives it. Never blocks.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartSubscribe(hub::Hub& hub,
                                                           grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request);

}  // namespace millrace::server
