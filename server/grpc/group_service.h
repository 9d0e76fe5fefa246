// millrace.v1.GroupService: looking at consumer groups, resetting and deleting them.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "server/contract/call_watch.h"
#include "server/hub/hub.h"

namespace millrace::server {

// `hub` and `watch` outlive the service.
std::unique_ptr<grpc::Service> MakeGroupService(hub::Hub& hub, CallWatch& watch);

}  // namespace millrace::server
