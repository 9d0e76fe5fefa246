// millrace.v1.GroupService: in this version every method answers UNSUPPORTED.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

namespace millrace::server {

std::unique_ptr<grpc::Service> MakeGroupService();

}  // namespace millrace::server
