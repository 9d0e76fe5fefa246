// From what a caller shows to who it is.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/access/access_file.h"
#include "server/access/jwt_verifier.h"
#include "server/access/principal.h"
#include "server/access/verified_tokens.h"
#include "storage/clock.h"

namespace millrace::server {

// Tokens that are longer are not looked at.
inline constexpr size_t kMaxTokenBytes = 8192;

// Keeps verified JWTs until they expire, since a signature costs some 50 us; new keys come with a
// new Authenticator, which has none. Threads: any.
class Authenticator {
 public:
  // `jwt`: null where no JWT is accepted. At most `max_verified` are kept. `clock` must live as
  // long.
  Authenticator(const std::vector<StaticToken>& tokens, std::unique_ptr<const JwtVerifier> jwt,
                const storage::Clock& clock, size_t max_verified = 10'000);

  // As Access::Authenticate.
  absl::StatusOr<Principal> Authenticate(const Credentials& credentials) const;

 private:
  absl::StatusOr<Principal> AuthenticateBearer(std::string_view token) const;

  std::map<Sha256, std::string> tokens_;
  const std::unique_ptr<const JwtVerifier> jwt_;
  const storage::Clock& clock_;
  mutable VerifiedTokens verified_;
};

}  // namespace millrace::server
