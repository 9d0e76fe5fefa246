// millrace.v1.TopicService.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "server/contract/topic_calls.h"
#include "server/hub/hub.h"

namespace millrace::server {

// `hub` outlives the service. `log` may be empty; it is called from worker threads.
std::unique_ptr<grpc::Service> MakeTopicService(hub::Hub& hub, TopicChangeLog log);

}  // namespace millrace::server
