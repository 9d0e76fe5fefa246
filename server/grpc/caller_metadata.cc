#include "server/grpc/caller_metadata.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <initializer_list>
#include <memory>

namespace millrace::server {
namespace {

// As Credentials::certificate_name says. gRPC gives the names that TLS has verified.
std::string_view CertificateName(const grpc::AuthContext& verified) {
  for (const char* kind :
       {GRPC_PEER_URI_PROPERTY_NAME, GRPC_PEER_DNS_PROPERTY_NAME, GRPC_X509_CN_PROPERTY_NAME}) {
    const auto names = verified.FindPropertyValues(kind);
    if (!names.empty()) return {names.front().data(), names.front().size()};
  }
  return {};
}

}  // namespace

std::vector<std::string_view> MetadataOf(const grpc::CallbackServerContext& context,
                                         std::string_view name) {
  std::vector<std::string_view> values;
  const auto [begin, end] =
      context.client_metadata().equal_range(grpc::string_ref(name.data(), name.size()));
  for (auto each = begin; each != end; ++each) {
    values.emplace_back(each->second.data(), each->second.size());
  }
  return values;
}

Caller CallerOf(const grpc::CallbackServerContext& context, const ServedMethod& served) {
  if (!served.guarded()) return {.peer = context.peer()};
  const std::shared_ptr<const grpc::AuthContext> verified = context.auth_context();
  return Identify(
      served.access(), context.peer(), MetadataOf(context, "authorization"),
      verified->IsPeerAuthenticated() ? CertificateName(*verified) : std::string_view());
}

}  // namespace millrace::server
