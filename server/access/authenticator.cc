#include "server/access/authenticator.h"

#include <openssl/sha.h>

#include <string>
#include <utility>

#include "storage/error.h"

namespace millrace::server {
namespace {

absl::Status Refused(const std::string& why) {
  return storage::Error(storage::Reason::kUnauthenticated, why);
}

Sha256 HashOf(std::string_view token) {
  Sha256 hash;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return hash;
}

}  // namespace

Authenticator::Authenticator(const std::vector<StaticToken>& tokens,
                             std::unique_ptr<const JwtVerifier> jwt, const storage::Clock& clock,
                             size_t max_verified)
    : jwt_(std::move(jwt)), clock_(clock), verified_(max_verified) {
  for (const StaticToken& token : tokens) tokens_[token.sha256] = token.principal;
}

absl::StatusOr<Principal> Authenticator::Authenticate(const Credentials& credentials) const {
  if (!credentials.bearer.empty()) return AuthenticateBearer(credentials.bearer);
  if (credentials.certificate_name.empty()) return Principal();
  if (!IsPrincipalName(credentials.certificate_name)) {
    return Refused("the certificate's name is none that a principal can have");
  }
  return Principal{.name = std::string(credentials.certificate_name)};
}

// Tokens are looked up by their hash: how long that takes tells nothing of the tokens there are.
absl::StatusOr<Principal> Authenticator::AuthenticateBearer(std::string_view token) const {
  if (token.size() > kMaxTokenBytes) {
    return Refused("the token has more than " + std::to_string(kMaxTokenBytes) + " bytes");
  }
  const Sha256 hash = HashOf(token);
  const auto known = tokens_.find(hash);
  if (known != tokens_.end()) return Principal{.name = known->second};
  if (jwt_ == nullptr) return Refused("the token is not known");

  const absl::Time now = clock_.Now();
  if (auto principal = verified_.Find(hash, now)) return *std::move(principal);
  auto principal = jwt_->Verify(token, now);
  if (principal.ok()) verified_.Add(hash, *principal);
  return principal;
}

}  // namespace millrace::server
