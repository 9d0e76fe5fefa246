// millrace.v1.TopicService.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <functional>
#include <memory>
#include <string_view>

#include "server/hub/hub.h"

namespace millrace::server {

// Told of every change that a person or program made to a topic, after it is durable: "created".
using TopicChangeLog = std::function<void(std::string_view change, std::string_view topic)>;

// `hub` outlives the service. `log` may be empty; it is called from worker threads.
std::unique_ptr<grpc::Service> MakeTopicService(hub::Hub& hub, TopicChangeLog log);

}  // namespace millrace::server
