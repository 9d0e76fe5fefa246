// WatchGroup: describes a group again and again, and writes each description that differs from the
// one before.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "server/contract/call_watch.h"
#include "server/hub/hub.h"

namespace millrace::server {

// The reactor owns itself and is gone when the call is done. `hub` and `served` outlive it. Never
// blocks.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartGroupWatch(hub::Hub& hub, ServedMethod& served,
                                                            Caller caller,
                                                            const grpc::ByteBuffer& request);

}  // namespace millrace::server
