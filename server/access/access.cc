#include "server/access/access.h"

#include <utility>

#include "server/access/jwt_keys.h"
#include "server/access/jwt_verifier.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

using storage::ErrorMetadata;
using storage::Reason;

std::string TextOf(Right right) { return std::string(NameOf(right)); }

ErrorMetadata FactsOf(Right right, Resource resource) {
  ErrorMetadata facts = {{"right", TextOf(right)}};
  if (resource.kind != ResourceKind::kHub) {
    facts[std::string(NameOf(resource.kind))] = std::string(resource.name);
  }
  return facts;
}

std::string TextOf(Right right, Resource resource) {
  if (resource.kind == ResourceKind::kHub) return TextOf(right) + " the hub";
  return TextOf(right) + " " + std::string(NameOf(resource.kind)) + " " +
         std::string(resource.name);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Access>> Access::Open(AccessOptions options,
                                                     const storage::Clock& clock) {
  std::unique_ptr<Access> access(new Access(std::move(options), clock));
  auto files = LoadAccessFiles(access->options_.file);
  if (!files.ok()) return files.status();
  absl::Status status = access->Use(*std::move(files));
  if (!status.ok()) return status;
  if (access->options_.interval != absl::InfiniteDuration()) {
    access->looking_.emplace("access-files", access->options_.interval,
                             [access = access.get()] { access->Look(); });
  }
  return access;
}

Access::Access(AccessOptions options, const storage::Clock& clock)
    : options_(std::move(options)), clock_(clock), quotas_(clock) {}

absl::StatusOr<Principal> Access::Authenticate(const Credentials& credentials) const {
  return snapshot()->authenticator->Authenticate(credentials);
}

absl::Status Access::Check(const Principal& principal, Right right, Resource resource) const {
  if (!HasExpired(principal) && rules()->Allows(principal.name, right, resource)) {
    return absl::OkStatus();
  }
  return Refusal(principal, TextOf(right, resource), FactsOf(right, resource));
}

absl::Status Access::CheckAnything(const Principal& principal) const {
  if (!HasExpired(principal) && rules()->AllowsAnything(principal.name)) return absl::OkStatus();
  return Refusal(principal, "do anything", {});
}

absl::Status Access::CheckSomewhere(const Principal& principal, Right right) const {
  if (!HasExpired(principal) && rules()->AllowsSomewhere(principal.name, right)) {
    return absl::OkStatus();
  }
  return Refusal(principal, TextOf(right) + " anywhere", {{"right", TextOf(right)}});
}

bool Access::HasExpired(const Principal& principal) const {
  return principal.expires != absl::InfiniteFuture() && principal.expires <= clock_.Now();
}

absl::Status Access::Refusal(const Principal& principal, const std::string& what,
                             const ErrorMetadata& metadata) const {
  if (HasExpired(principal)) {
    return storage::Error(Reason::kUnauthenticated,
                          "the credential of " + principal.name + " has expired", metadata);
  }
  if (principal.anonymous()) {
    return storage::Error(Reason::kUnauthenticated, "who has not said who they are may not " + what,
                          metadata);
  }
  return storage::Error(Reason::kPermissionDenied, principal.name + " may not " + what, metadata);
}

std::shared_ptr<const AccessRules> Access::rules() const { return snapshot()->rules; }

std::shared_ptr<const Access::Snapshot> Access::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

std::shared_ptr<const void> Access::OnChange(std::function<void()> changed) {
  auto watching = std::make_shared<const std::function<void()>>(std::move(changed));
  const std::lock_guard lock(mutex_);
  std::erase_if(watching_, [](const auto& other) { return other.expired(); });
  watching_.push_back(watching);
  return watching;
}

void Access::TellOfChange() {
  std::vector<std::shared_ptr<const std::function<void()>>> watching;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : watching_) {
      if (auto alive = one.lock()) watching.push_back(std::move(alive));
    }
  }
  for (const auto& changed : watching) (*changed)();
}

absl::Status Access::Use(AccessFiles files) {
  std::unique_ptr<const JwtVerifier> jwt;
  if (files.config.jwt) {
    auto keys = JwtKeys::Parse(files.jwks);
    if (!keys.ok()) {
      return absl::FailedPreconditionError(files.config.jwt->jwks_file + ": " +
                                           std::string(keys.status().message()));
    }
    jwt = std::make_unique<JwtVerifier>(*files.config.jwt, *std::move(keys));
  }
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->rules = std::make_shared<AccessRules>(files.config.rules);
  snapshot->authenticator =
      std::make_shared<Authenticator>(files.config.tokens, std::move(jwt), clock_);
  quotas_.Configure(files.config.quotas);
  snapshot->files = std::move(files);
  const std::lock_guard lock(mutex_);
  snapshot_ = std::move(snapshot);
  return absl::OkStatus();
}

void Access::Look() {
  auto files = LoadChangedAccessFiles(options_.file, snapshot()->files);
  const bool changed = files.ok() && files->has_value();
  absl::Status status = changed ? Use(**std::move(files)) : files.status();
  if (!status.ok() && status != told_ && options_.refused) options_.refused(status);
  told_ = status;
  if (status.ok() && changed) TellOfChange();
}

}  // namespace millrace::server
