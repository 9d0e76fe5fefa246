#include "tests/server/access/signing_key.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <vector>

#include "absl/strings/escaping.h"

namespace millrace::server {
namespace {

std::string BytesOf(const BIGNUM* number, int size) {
  std::string bytes(static_cast<size_t>(size), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), size);
  return bytes;
}

// A number of the key, as JWK writes it.
std::string NumberOf(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &number), 1);
  const std::string bytes = BytesOf(number, BN_num_bytes(number));
  BN_free(number);
  return bytes;
}

// JOSE has both numbers one behind the other, in place of DER.
std::string WithoutDer(const std::string& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size()));
  std::string joined =
      BytesOf(ECDSA_SIG_get0_r(signature), 32) + BytesOf(ECDSA_SIG_get0_s(signature), 32);
  ECDSA_SIG_free(signature);
  return joined;
}

std::string Quoted(const std::string& text) { return '"' + text + '"'; }

}  // namespace

std::string ToJson(const JsonMembers& members) {
  std::string json;
  for (const auto& [name, value] : members) {
    if (value.empty()) continue;
    json += (json.empty() ? "" : ", ") + Quoted(name) + ": " + value;
  }
  return "{" + json + "}";
}

SigningKey SigningKey::Rsa(unsigned bits) { return SigningKey(EVP_RSA_gen(bits)); }

SigningKey SigningKey::Ec(const std::string& curve) {
  return SigningKey(EVP_EC_gen(curve.c_str()));
}

std::string SigningKey::Jwk(const JsonMembers& members) const {
  JsonMembers jwk = members;
  const auto add = [&](const char* name, const std::string& text) {
    jwk.try_emplace(name, Quoted(text));
  };
  if (is_rsa()) {
    add("kty", "RSA");
    add("n", Base64Url(NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_N)));
    add("e", Base64Url(NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_E)));
    return ToJson(jwk);
  }
  add("kty", "EC");
  add("crv", EVP_PKEY_get_bits(key_.get()) == 256 ? "P-256" : "P-384");
  const auto width = static_cast<size_t>(EVP_PKEY_get_bits(key_.get()) / 8);
  const auto padded = [&](std::string bytes) {
    return std::string(width - bytes.size(), '\0') + bytes;
  };
  add("x", Base64Url(padded(NumberOf(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X))));
  add("y", Base64Url(padded(NumberOf(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y))));
  return ToJson(jwk);
}

std::string SigningKey::PublicPem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  EXPECT_EQ(PEM_write_bio_PUBKEY(bio, key_.get()), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

std::string SigningKey::Sign(const std::string& text) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EXPECT_EQ(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_.get()), 1);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t size = 0;
  EXPECT_EQ(EVP_DigestSign(context, nullptr, &size, bytes, text.size()), 1);
  std::string signature(size, '\0');
  EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                           bytes, text.size()),
            1);
  EVP_MD_CTX_free(context);
  signature.resize(size);
  return is_rsa() ? signature : WithoutDer(signature);
}

std::string HmacSha256(const std::string& secret, const std::string& text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return {reinterpret_cast<const char*>(mac), size};
}

std::string Base64Url(const std::string& bytes) { return absl::WebSafeBase64Escape(bytes); }

std::string Unsigned(const JsonMembers& header, const JsonMembers& claims) {
  return Base64Url(ToJson(header)) + "." + Base64Url(ToJson(claims));
}

std::string Signed(const SigningKey& key, const JsonMembers& header, const JsonMembers& claims) {
  const std::string text = Unsigned(header, claims);
  return text + "." + Base64Url(key.Sign(text));
}

std::string KeySet(const std::initializer_list<std::string>& jwks) {
  std::string keys;
  for (const std::string& jwk : jwks) keys += (keys.empty() ? "" : ", ") + jwk;
  return R"({"keys": [)" + keys + "]}";
}

}  // namespace millrace::server
