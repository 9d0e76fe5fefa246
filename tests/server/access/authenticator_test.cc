#include "server/access/authenticator.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "storage/error.h"
#include "tests/server/access/signing_key.h"
#include "tests/storage/contract/manual_clock.h"

namespace millrace::server {
namespace {

Sha256 HashOf(const std::string& token) {
  Sha256 hash;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return hash;
}

class AuthenticatorTest : public testing::Test {
 protected:
  static std::unique_ptr<JwtVerifier> Verifier(const SigningKey& key) {
    auto keys = JwtKeys::Parse(KeySet({key.Jwk()}));
    EXPECT_TRUE(keys.ok()) << keys.status();
    return std::make_unique<JwtVerifier>(
        JwtConfig{.issuer = "login", .audience = "hub", .leeway = absl::ZeroDuration()},
        *std::move(keys));
  }

  std::string TokenOf(const std::string& name, absl::Duration lifetime = absl::Minutes(5)) const {
    return Signed(key_, {{"alg", "\"ES256\""}},
                  {{"iss", "\"login\""},
                   {"aud", "\"hub\""},
                   {"sub", '"' + name + '"'},
                   {"exp", std::to_string(absl::ToUnixSeconds(clock_.Now() + lifetime))}});
  }

  // Empty: it is accepted.
  static std::string RefusalOf(const absl::StatusOr<Principal>& principal) {
    if (principal.ok()) return "";
    EXPECT_EQ(storage::ReasonOf(principal.status()), storage::Reason::kUnauthenticated);
    return std::string(principal.status().message());
  }

  storage::ManualClock clock_;
  const SigningKey key_ = SigningKey::Ec();
  const Authenticator authenticator_{
      {{.principal = "ops", .sha256 = HashOf("ops-secret")}}, Verifier(key_), clock_};
};

TEST_F(AuthenticatorTest, KnowsNobodyWithoutCredentials) {
  const auto principal = authenticator_.Authenticate({});
  ASSERT_TRUE(principal.ok());
  EXPECT_TRUE(principal->anonymous());
  EXPECT_EQ(principal->name, "anonymous");
}

TEST_F(AuthenticatorTest, TakesTheNameOfACertificate) {
  const auto principal = authenticator_.Authenticate({.certificate_name = "spiffe://shop/orders"});
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ(principal->name, "spiffe://shop/orders");
  EXPECT_EQ(principal->expires, absl::InfiniteFuture());
}

TEST_F(AuthenticatorTest, RefusesACertificateWithANameThatNoPrincipalCanHave) {
  const std::string why = "the certificate's name is none that a principal can have";
  EXPECT_EQ(RefusalOf(authenticator_.Authenticate({.certificate_name = "anonymous"})), why);
  EXPECT_EQ(RefusalOf(authenticator_.Authenticate({.certificate_name = "a\nb"})), why);
}

TEST_F(AuthenticatorTest, TakesTheNameThatAStaticTokenStandsFor) {
  const auto principal = authenticator_.Authenticate({.bearer = "ops-secret"});
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ(principal->name, "ops");
  EXPECT_EQ(principal->expires, absl::InfiniteFuture());
}

TEST_F(AuthenticatorTest, RefusesATokenThatNobodyKnows) {
  EXPECT_EQ(RefusalOf(authenticator_.Authenticate({.bearer = "ops-secret2"})),
            "the token is not accepted: it is no signed JWT");
  const Authenticator without_jwt({{.principal = "ops", .sha256 = HashOf("ops-secret")}}, nullptr,
                                  clock_);
  EXPECT_EQ(RefusalOf(without_jwt.Authenticate({.bearer = "ops-secret2"})),
            "the token is not known");
  EXPECT_EQ(RefusalOf(without_jwt.Authenticate({.bearer = TokenOf("billing")})),
            "the token is not known");
}

// Whoever steals the file cannot use what is in it.
TEST_F(AuthenticatorTest, RefusesTheHashOfATokenInItsPlace) {
  const Sha256 hash = HashOf("ops-secret");
  const std::string bytes(hash.begin(), hash.end());
  EXPECT_NE(RefusalOf(authenticator_.Authenticate({.bearer = bytes})), "");
}

TEST_F(AuthenticatorTest, LetsATokenDecideBesideAGoodCertificate) {
  const auto principal =
      authenticator_.Authenticate({.bearer = "ops-secret", .certificate_name = "orders"});
  ASSERT_TRUE(principal.ok());
  EXPECT_EQ(principal->name, "ops");
  EXPECT_NE(
      RefusalOf(authenticator_.Authenticate({.bearer = "wrong", .certificate_name = "orders"})),
      "");
}

TEST_F(AuthenticatorTest, RefusesAGiantToken) {
  EXPECT_EQ(RefusalOf(authenticator_.Authenticate({.bearer = std::string(8193, 'a')})),
            "the token has more than 8192 bytes");
  // What is signed well is refused by its length alone.
  EXPECT_EQ(RefusalOf(authenticator_.Authenticate({.bearer = TokenOf(std::string(9000, 'a'))})),
            "the token has more than 8192 bytes");
}

TEST_F(AuthenticatorTest, AcceptsASignedTokenUntilItExpires) {
  const std::string token = TokenOf("billing", absl::Minutes(5));
  for (int i = 0; i < 2; ++i) {  // The second time its signature is not looked at.
    const auto principal = authenticator_.Authenticate({.bearer = token});
    ASSERT_TRUE(principal.ok()) << principal.status();
    EXPECT_EQ(principal->name, "billing");
    EXPECT_EQ(principal->expires, clock_.Now() + absl::Minutes(5));
  }
  clock_.Advance(absl::Minutes(5));
  EXPECT_EQ(RefusalOf(authenticator_.Authenticate({.bearer = token})),
            "the token is not accepted: it has expired");
}

TEST(VerifiedTokens, ForgetsWhatWasNotUsedForLongest) {
  VerifiedTokens tokens(2);
  const absl::Time now = absl::UnixEpoch();
  tokens.Add(HashOf("a"), {.name = "a"});
  tokens.Add(HashOf("b"), {.name = "b"});
  EXPECT_TRUE(tokens.Find(HashOf("a"), now));
  tokens.Add(HashOf("c"), {.name = "c"});
  EXPECT_EQ(tokens.Find(HashOf("a"), now)->name, "a");
  EXPECT_FALSE(tokens.Find(HashOf("b"), now));
  EXPECT_EQ(tokens.Find(HashOf("c"), now)->name, "c");
}

TEST(VerifiedTokens, HoldNoMoreThanTheyMay) {
  VerifiedTokens tokens(100);
  for (int i = 0; i < 1000; ++i) tokens.Add(HashOf(std::to_string(i)), {.name = "a"});
  EXPECT_EQ(tokens.size(), 100);
}

TEST(VerifiedTokens, ForgetWhatHasExpired) {
  VerifiedTokens tokens(100);
  const absl::Time end = absl::UnixEpoch() + absl::Seconds(10);
  tokens.Add(HashOf("a"), {.name = "a", .expires = end});
  tokens.Add(HashOf("a"), {.name = "a", .expires = end});
  EXPECT_EQ(tokens.size(), 1);
  EXPECT_TRUE(tokens.Find(HashOf("a"), end - absl::Nanoseconds(1)));
  EXPECT_FALSE(tokens.Find(HashOf("a"), end));
  EXPECT_EQ(tokens.size(), 0);
}

}  // namespace
}  // namespace millrace::server
