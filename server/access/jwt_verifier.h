// Signed tokens: JSON Web Tokens (RFC 7519), judged as RFC 8725 advises.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/access/access_file.h"
#include "server/access/jwt_keys.h"
#include "server/access/principal.h"

namespace millrace::server {

// Threads: any; never changes.
class JwtVerifier {
 public:
  JwtVerifier(JwtConfig config, JwtKeys keys);

  // Who the token says its bearer is, until it expires (leeway included). UNAUTHENTICATED: it is no
  // JWT; its algorithm is not a JwtAlgorithm (`none` and HS256 are not), or not that of the key it
  // names; no key fits; the signature is not the key's; it has no `exp`; it is not yet or no longer
  // valid at `now`; it is of another issuer or for another audience; it names no principal.
  absl::StatusOr<Principal> Verify(std::string_view token, absl::Time now) const;

 private:
  const JwtConfig config_;
  const JwtKeys keys_;
};

}  // namespace millrace::server
