#include "server/access/jwt_verifier.h"

#include <cjose/cjose.h>
#include <openssl/err.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "server/access/json_node.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

using nlohmann::json;

struct Releasing {
  void operator()(cjose_jws_t* token) const { cjose_jws_release(token); }
};
using Token = std::unique_ptr<cjose_jws_t, Releasing>;

absl::Status Refused(const std::string& why) {
  return storage::Error(storage::Reason::kUnauthenticated, "the token is not accepted: " + why);
}

// What OpenSSL leaves behind would be taken for an error of the same thread's next TLS connection.
struct ClearOpenSslErrors {
  ~ClearOpenSslErrors() { ERR_clear_error(); }
};

// The token says itself how it is signed, so that only these two are taken from it, and each only
// with keys of its own type: a public key cannot be passed off as the secret of an HMAC.
std::optional<JwtAlgorithm> AlgorithmNamed(std::string_view name) {
  if (name == "RS256") return JwtAlgorithm::kRs256;
  if (name == "ES256") return JwtAlgorithm::kEs256;
  return std::nullopt;
}

// The key that the header names. A header with a member twice is refused, so that libcjose, which
// reads it again, cannot read another one.
absl::StatusOr<const JwtKeys::Key*> KeyFor(std::string_view token, const JwtKeys& keys) {
  const std::string part(token.substr(0, token.find('.')));
  std::string text;
  if (!absl::WebSafeBase64Unescape(part, &text)) return Refused("it is no signed JWT");
  const auto header = ParseJson(text);
  if (!header.ok() || !header->is_object()) return Refused("it is no signed JWT");
  const auto algorithm = AlgorithmNamed(TextIn(*header, "alg").value_or(""));
  if (!algorithm) return Refused("it is signed neither with RS256 nor with ES256");
  if (header->contains("crit")) return Refused("it asks for an extension that is not known here");
  const auto kid = TextIn(*header, "kid");
  if (!kid && header->contains("kid")) return Refused("its kid is no text");
  const JwtKeys::Key* key = keys.Find(kid.value_or(""), *algorithm);
  if (key == nullptr) return Refused("no key of the key set is the one that it names");
  return key;
}

// A time in seconds since 1970, with or without fractions; absent: it is not there, or none.
std::optional<absl::Time> TimeIn(const json& claims, const char* member) {
  const auto found = claims.find(member);
  if (found == claims.end() || !found->is_number()) return std::nullopt;
  return absl::UnixEpoch() + absl::Seconds(found->get<double>());
}

bool HasAudience(const json& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  return *found == audience ||
         (found->is_array() && std::find(found->begin(), found->end(), audience) != found->end());
}

absl::StatusOr<Principal> Judge(const json& claims, const JwtConfig& config, absl::Time now) {
  const auto expires = TimeIn(claims, "exp");
  if (!expires) return Refused("it does not say when it expires");
  if (now >= *expires + config.leeway) return Refused("it has expired");
  const auto begins = TimeIn(claims, "nbf");
  if (!begins && claims.contains("nbf")) return Refused("its nbf is no time");
  if (begins && now + config.leeway < *begins) return Refused("it is not valid yet");
  if (TextIn(claims, "iss") != config.issuer) return Refused("it is of another issuer");
  if (!HasAudience(claims, config.audience)) return Refused("it is for another audience");
  const auto name = TextIn(claims, config.principal_claim);
  if (!name || !IsPrincipalName(*name)) {
    return Refused("its " + config.principal_claim + " is no name that a principal can have");
  }
  return Principal{.name = *name, .expires = *expires + config.leeway};
}

}  // namespace

JwtVerifier::JwtVerifier(JwtConfig config, JwtKeys keys)
    : config_(std::move(config)), keys_(std::move(keys)) {}

absl::StatusOr<Principal> JwtVerifier::Verify(std::string_view text, absl::Time now) const {
  const ClearOpenSslErrors clear;
  const auto key = KeyFor(text, keys_);
  if (!key.ok()) return key.status();
  const Token token(cjose_jws_import(text.data(), text.size(), nullptr));
  if (token == nullptr) return Refused("it is no signed JWT");
  if (!cjose_jws_verify(token.get(), *key, nullptr))
    return Refused("its signature is not the key's");

  uint8_t* payload = nullptr;
  size_t size = 0;
  if (!cjose_jws_get_plaintext(token.get(), &payload, &size, nullptr)) {
    return Refused("it has no claims");
  }
  const json claims = json::parse(payload, payload + size, nullptr, /*allow_exceptions=*/false);
  if (!claims.is_object()) return Refused("its claims are no JSON object");
  return Judge(claims, config_, now);
}

}  // namespace millrace::server
