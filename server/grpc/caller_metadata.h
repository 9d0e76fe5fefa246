// Who calls over gRPC: a bearer token in the metadata, a certificate of the connection.
#pragma once

#include <grpcpp/server_context.h>

#include <string_view>
#include <vector>

#include "server/contract/call_watch.h"

namespace millrace::server {

// Threads: the call's.
Caller CallerOf(const grpc::CallbackServerContext& context, const ServedMethod& served);

// The values that the client has sent under this name, which are the context's.
std::vector<std::string_view> MetadataOf(const grpc::CallbackServerContext& context,
                                         std::string_view name);

}  // namespace millrace::server
