// millrace.v1.HubService: what this hub is.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>
#include <string>

#include "server/contract/call_watch.h"
#include "server/hub/hub.h"

namespace millrace::server {

// `hub` and `watch` outlive the service. `version` is the program's, as in "0.1.0".
std::unique_ptr<grpc::Service> MakeHubService(hub::Hub& hub, CallWatch& watch, std::string version);

}  // namespace millrace::server
