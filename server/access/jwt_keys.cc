#include "server/access/jwt_keys.h"

#include <cjose/cjose.h>
#include <openssl/err.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "server/access/json_node.h"

namespace millrace::server {
namespace {

using nlohmann::json;

constexpr size_t kMinRsaBits = 2048;  // RFC 7518, section 3.3.

// Whether the member is not there or says this.
bool MayBe(const json& key, const char* member, std::string_view what) {
  return !key.contains(member) || TextIn(key, member) == what;
}

bool MayVerify(const json& key) {
  if (!MayBe(key, "use", "sig")) return false;
  const auto operations = key.find("key_ops");
  return operations == key.end() ||
         (operations->is_array() &&
          std::find(operations->begin(), operations->end(), "verify") != operations->end());
}

// What the key verifies; absent: nothing that is accepted here.
std::optional<JwtAlgorithm> AlgorithmOf(const json& key) {
  const auto type = TextIn(key, "kty");
  if (!MayVerify(key)) return std::nullopt;
  if (type == "RSA" && MayBe(key, "alg", "RS256")) return JwtAlgorithm::kRs256;
  if (type == "EC" && TextIn(key, "crv") == "P-256" && MayBe(key, "alg", "ES256")) {
    return JwtAlgorithm::kEs256;
  }
  return std::nullopt;
}

}  // namespace

void JwtKeys::Release::operator()(Key* key) const { cjose_jwk_release(key); }

absl::StatusOr<JwtKeys> JwtKeys::Parse(std::string_view text) {
  const auto parsed = ParseJson(text);
  if (!parsed.ok()) return parsed.status();
  absl::Status refusal;
  const JsonNode root(*parsed, refusal);
  root.ExpectObject();
  JwtKeys keys;
  for (const JsonNode& node : root["keys"].Elements()) {
    node.ExpectObject();
    if (!refusal.ok()) break;
    keys.Add(node);
  }
  if (keys.entries_.empty()) root["keys"].Refuse("has no key for RS256 or ES256");
  if (!refusal.ok()) return refusal;
  return keys;
}

void JwtKeys::Add(const JsonNode& node) {
  const std::optional<JwtAlgorithm> algorithm = AlgorithmOf(node.json());
  if (!algorithm) return;
  if (!node["d"].absent()) node["d"].Refuse("belongs to a private key, which must not be here");
  const std::string kid = node["kid"].absent() ? std::string() : node["kid"].Text();
  const bool twice = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& other) {
    return other.kid == kid && other.algorithm == *algorithm;
  });
  if (twice && !kid.empty()) node["kid"].Refuse("is that of an earlier key of this type");

  const std::string text = node.json().dump();
  std::unique_ptr<Key, Release> key(cjose_jwk_import(text.data(), text.size(), nullptr));
  ERR_clear_error();  // What OpenSSL left there would be taken for an error of this thread's TLS.
  if (key == nullptr) {
    node.Refuse("is no key");
  } else if (*algorithm == JwtAlgorithm::kRs256 &&
             cjose_jwk_get_keysize(key.get(), nullptr) < kMinRsaBits) {
    node["n"].Refuse("has less than " + std::to_string(kMinRsaBits) + " bits");
  } else {
    entries_.push_back({.kid = kid, .algorithm = *algorithm, .key = std::move(key)});
  }
}

const JwtKeys::Key* JwtKeys::Find(std::string_view kid, JwtAlgorithm algorithm) const {
  const Key* found = nullptr;
  for (const Entry& entry : entries_) {
    if (entry.algorithm != algorithm || (!kid.empty() && entry.kid != kid)) continue;
    if (found != nullptr) return nullptr;
    found = entry.key.get();
  }
  return found;
}

}  // namespace millrace::server
