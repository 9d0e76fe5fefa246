#include "server/grpc/trace_metadata.h"

#include <string_view>
#include <vector>

namespace millrace::server {
namespace {

std::vector<std::string_view> ValuesOf(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata, std::string_view name) {
  std::vector<std::string_view> values;
  const auto [begin, end] = metadata.equal_range(grpc::string_ref(name.data(), name.size()));
  for (auto each = begin; each != end; ++each) {
    values.emplace_back(each->second.data(), each->second.size());
  }
  return values;
}

}  // namespace

std::optional<TraceContext> TraceOf(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto traceparents = ValuesOf(metadata, kTraceparent);
  if (traceparents.empty()) return std::nullopt;
  return TraceContextOf(traceparents, ValuesOf(metadata, kTracestate));
}

}  // namespace millrace::server
