// millrace.v1.GroupService: looking at consumer groups, resetting and deleting them.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "server/hub/hub.h"

namespace millrace::server {

// `hub` outlives the service.
std::unique_ptr<grpc::Service> MakeGroupService(hub::Hub& hub);

}  // namespace millrace::server
