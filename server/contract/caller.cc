#include "server/contract/caller.h"

#include <utility>

#include "absl/strings/match.h"
#include "storage/error.h"

namespace millrace::server {

std::string Caller::owner() const {
  return access == nullptr || !principal.ok() ? "" : principal->name;
}

bool Caller::Sees(Resource resource) const {
  if (access == nullptr) return true;
  return principal.ok() && access->rules()->Allows(principal->name, Right::kInspect, resource);
}

namespace {

constexpr std::string_view kBearer = "bearer ";

absl::StatusOr<std::string_view> BearerOf(const std::vector<std::string_view>& authorization) {
  if (authorization.empty()) return std::string_view();
  const std::string_view value = authorization.front();
  const bool is_bearer = value.size() > kBearer.size() &&
                         absl::EqualsIgnoreCase(absl::string_view(value.data(), kBearer.size()),
                                                absl::string_view(kBearer.data(), kBearer.size()));
  if (authorization.size() > 1 || !is_bearer) {
    return storage::Error(storage::Reason::kUnauthenticated,
                          "there must be one authorization, of the kind \"Bearer TOKEN\"");
  }
  return value.substr(kBearer.size());
}

}  // namespace

Caller Identify(Access* access, std::string peer,
                const std::vector<std::string_view>& authorization,
                std::string_view certificate_name) {
  Caller caller{.peer = std::move(peer), .access = access};
  if (access == nullptr) return caller;
  const auto bearer = BearerOf(authorization);
  if (bearer.ok()) {
    caller.principal =
        access->Authenticate({.bearer = *bearer, .certificate_name = certificate_name});
  } else {
    caller.principal = bearer.status();
  }
  return caller;
}

}  // namespace millrace::server
