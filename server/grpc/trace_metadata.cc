#include "server/grpc/trace_metadata.h"

#include "server/grpc/caller_metadata.h"

namespace millrace::server {
std::optional<TraceContext> TraceOf(const grpc::CallbackServerContext& context) {
  const auto traceparents = MetadataOf(context, kTraceparent);
  if (traceparents.empty()) return std::nullopt;
  return TraceContextOf(traceparents, MetadataOf(context, kTracestate));
}

}  // namespace millrace::server
