// Signs tokens as an issuer would, or as a forger would try to; with OpenSSL alone, so that it
// shares nothing with what judges them.
#pragma once

#include <openssl/evp.h>

#include <map>
#include <memory>
#include <string>

namespace millrace::server {

// Names of members and their values, as JSON.
using JsonMembers = std::map<std::string, std::string>;

std::string ToJson(const JsonMembers& members);

class SigningKey {
 public:
  static SigningKey Rsa(unsigned bits = 2048);
  static SigningKey Ec(const std::string& curve = "P-256");

  // The public key as a JWK, with these members beside or in place of the usual ones; an empty
  // value takes one away.
  std::string Jwk(const JsonMembers& members = {}) const;

  // The public key as PEM: what a forger knows.
  std::string PublicPem() const;

  // The signature of RS256 or ES256, whichever the key is for.
  std::string Sign(const std::string& text) const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };

  explicit SigningKey(EVP_PKEY* key) : key_(key) {}
  bool is_rsa() const { return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA; }

  std::unique_ptr<EVP_PKEY, Free> key_;
};

// The signature of HS256.
std::string HmacSha256(const std::string& secret, const std::string& text);

std::string Base64Url(const std::string& bytes);

// Both parts of a token that are signed.
std::string Unsigned(const JsonMembers& header, const JsonMembers& claims);

// A whole token.
std::string Signed(const SigningKey& key, const JsonMembers& header, const JsonMembers& claims);

// {"keys": [...]}
std::string KeySet(const std::initializer_list<std::string>& jwks);

}  // namespace millrace::server
