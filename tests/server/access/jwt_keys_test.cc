#include "server/access/jwt_keys.h"

#include <gtest/gtest.h>

#include "tests/server/access/signing_key.h"

namespace millrace::server {
namespace {

const SigningKey& RsaKey() {
  static const SigningKey key = SigningKey::Rsa();
  return key;
}

const SigningKey& EcKey() {
  static const SigningKey key = SigningKey::Ec();
  return key;
}

std::string RefusalOf(const std::string& json) {
  const auto keys = JwtKeys::Parse(json);
  EXPECT_EQ(keys.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(keys.status().message());
}

TEST(JwtKeys, FindsAKeyByItsIdAndItsType) {
  const auto keys = JwtKeys::Parse(KeySet(
      {RsaKey().Jwk({{"kid", "\"one\""}}), EcKey().Jwk({{"kid", "\"one\""}, {"use", "\"sig\""}}),
       EcKey().Jwk({{"kid", "\"two\""}, {"key_ops", R"(["verify"])"}})}));
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_NE(keys->Find("one", JwtAlgorithm::kRs256), nullptr);
  EXPECT_NE(keys->Find("one", JwtAlgorithm::kEs256), nullptr);
  EXPECT_NE(keys->Find("one", JwtAlgorithm::kEs256), keys->Find("one", JwtAlgorithm::kRs256));
  EXPECT_NE(keys->Find("one", JwtAlgorithm::kEs256), keys->Find("two", JwtAlgorithm::kEs256));
  EXPECT_EQ(keys->Find("two", JwtAlgorithm::kRs256), nullptr);
  EXPECT_EQ(keys->Find("three", JwtAlgorithm::kEs256), nullptr);
}

TEST(JwtKeys, FindsAKeyWithoutIdWhereOnlyOneFits) {
  const auto keys =
      JwtKeys::Parse(KeySet({RsaKey().Jwk(), EcKey().Jwk({{"kid", "\"one\""}}), EcKey().Jwk()}));
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_NE(keys->Find("", JwtAlgorithm::kRs256), nullptr);
  EXPECT_EQ(keys->Find("", JwtAlgorithm::kEs256), nullptr);
}

TEST(JwtKeys, PassesOverKeysForSomethingElse) {
  const auto keys = JwtKeys::Parse(KeySet({
      R"({"kty": "oct", "k": "c2VjcmV0"})",
      R"({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
      RsaKey().Jwk({{"use", "\"enc\""}}),
      RsaKey().Jwk({{"alg", "\"PS256\""}}),
      RsaKey().Jwk({{"key_ops", R"(["encrypt"])"}}),
      SigningKey::Ec("P-384").Jwk(),
      EcKey().Jwk({{"alg", "\"ES256\""}}),
  }));
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(keys->Find("", JwtAlgorithm::kRs256), nullptr);
  EXPECT_NE(keys->Find("", JwtAlgorithm::kEs256), nullptr);
}

TEST(JwtKeys, RefusesASetThatVerifiesNothing) {
  EXPECT_EQ(RefusalOf(KeySet({R"({"kty": "oct", "k": "c2VjcmV0"})"})),
            "keys: has no key for RS256 or ES256");
  EXPECT_EQ(RefusalOf(R"({"keys": []})"), "keys: is empty");
  EXPECT_EQ(RefusalOf("{}"), "keys: is missing");
  EXPECT_EQ(RefusalOf("[]"), "the whole: is no object");
  EXPECT_EQ(RefusalOf("no JSON"), "line 1: is no JSON");
  EXPECT_EQ(RefusalOf(R"({"keys": [1]})"), "keys[0]: is no object");
}

TEST(JwtKeys, RefusesAPrivateKey) {
  EXPECT_EQ(RefusalOf(KeySet({EcKey().Jwk(), EcKey().Jwk({{"d", "\"AQAB\""}})})),
            "keys[1].d: belongs to a private key, which must not be here");
}

TEST(JwtKeys, RefusesAShortKey) {
  EXPECT_EQ(RefusalOf(KeySet({SigningKey::Rsa(1024).Jwk()})), "keys[0].n: has less than 2048 bits");
}

TEST(JwtKeys, RefusesWhatIsNoKey) {
  EXPECT_EQ(RefusalOf(KeySet({EcKey().Jwk({{"x", ""}})})), "keys[0]: is no key");
  EXPECT_EQ(RefusalOf(KeySet({EcKey().Jwk({{"x", "\"AQAB\""}})})), "keys[0]: is no key");
  EXPECT_EQ(RefusalOf(KeySet({RsaKey().Jwk({{"n", "7"}})})), "keys[0]: is no key");
  EXPECT_EQ(RefusalOf(KeySet({RsaKey().Jwk({{"kid", "7"}})})), "keys[0].kid: is no text");
}

TEST(JwtKeys, RefusesTwoKeysOfATypeWithOneId) {
  EXPECT_EQ(RefusalOf(KeySet(
                {EcKey().Jwk({{"kid", "\"one\""}}), SigningKey::Ec().Jwk({{"kid", "\"one\""}})})),
            "keys[1].kid: is that of an earlier key of this type");
}

}  // namespace
}  // namespace millrace::server
