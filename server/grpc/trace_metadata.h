// The trace of a unary call, from its metadata. Streams are not looked at: their metadata comes
// once, for requests of many traces, each of which has its records' own headers to say so.
#pragma once

#include <grpcpp/server_context.h>

#include <optional>

#include "server/contract/trace_context.h"

namespace millrace::server {

// Absent: the call carries none that is valid. Threads: the call's.
std::optional<TraceContext> TraceOf(const grpc::CallbackServerContext& context);

}  // namespace millrace::server
