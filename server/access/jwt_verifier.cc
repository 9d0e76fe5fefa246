#include "server/access/jwt_verifier.h"

#include <cjose/cjose.h>
#include <openssl/err.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

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

bool Has(cjose_header_t* header, const char* member) {
  char* value = cjose_header_get_raw(header, member, nullptr);
  if (value == nullptr) return false;
  cjose_get_dealloc()(value);
  return true;
}

// Empty: it is not there, or no text.
std::string_view TextIn(cjose_header_t* header, const char* member) {
  const char* value = cjose_header_get(header, member, nullptr);
  return value == nullptr ? std::string_view() : value;
}

// The token says itself how it is signed, so that only these two are taken from it, and each only
// with keys of its own type: a public key cannot be passed off as the secret of an HMAC.
std::optional<JwtAlgorithm> AlgorithmNamed(std::string_view name) {
  if (name == "RS256") return JwtAlgorithm::kRs256;
  if (name == "ES256") return JwtAlgorithm::kEs256;
  return std::nullopt;
}

absl::Status CheckSignature(cjose_jws_t* token, const JwtKeys& keys) {
  cjose_header_t* header = cjose_jws_get_protected(token);
  const auto algorithm = AlgorithmNamed(TextIn(header, "alg"));
  if (!algorithm) return Refused("it is signed neither with RS256 nor with ES256");
  if (Has(header, "crit")) return Refused("it asks for an extension that is not known here");
  const std::string_view kid = TextIn(header, "kid");
  if (kid.empty() && Has(header, "kid")) return Refused("its kid is no text");
  const JwtKeys::Key* key = keys.Find(kid, *algorithm);
  if (key == nullptr) return Refused("no key of the key set is the one that it names");
  if (!cjose_jws_verify(token, key, nullptr)) return Refused("its signature is not the key's");
  return absl::OkStatus();
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
  if (claims.value("iss", json()) != config.issuer) return Refused("it is of another issuer");
  if (!HasAudience(claims, config.audience)) return Refused("it is for another audience");
  const json name = claims.value(config.principal_claim, json());
  if (!name.is_string() || !IsPrincipalName(name.get_ref<const std::string&>())) {
    return Refused("its " + config.principal_claim + " is no name that a principal can have");
  }
  return Principal{.name = name.get<std::string>(), .expires = *expires + config.leeway};
}

}  // namespace

JwtVerifier::JwtVerifier(JwtConfig config, JwtKeys keys)
    : config_(std::move(config)), keys_(std::move(keys)) {}

absl::StatusOr<Principal> JwtVerifier::Verify(std::string_view text, absl::Time now) const {
  const ClearOpenSslErrors clear;
  const Token token(cjose_jws_import(text.data(), text.size(), nullptr));
  if (token == nullptr) return Refused("it is no signed JWT");
  absl::Status status = CheckSignature(token.get(), keys_);
  if (!status.ok()) return status;

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
