// millrace.v1.EventHubService: where events enter and leave. Produce and ProduceStream go on in
// produce_call and produce_stream, Subscribe in subscribe_stream; all methods are served raw.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "server/grpc/produce_stream.h"
#include "server/hub/hub.h"

namespace millrace::server {

// All outlive the service.
std::unique_ptr<grpc::Service> MakeEventHubService(hub::Hub& hub, CallWatch& watch,
                                                   ProduceStreams& produce_streams);

}  // namespace millrace::server
