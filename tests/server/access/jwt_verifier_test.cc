#include "server/access/jwt_verifier.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "storage/error.h"
#include "tests/server/access/signing_key.h"

namespace millrace::server {
namespace {

constexpr int64_t kNow = 1'800'000'000;

std::string Seconds(int64_t from_now) { return std::to_string(kNow + from_now); }

class JwtVerifierTest : public testing::Test {
 protected:
  static const SigningKey& Rsa() {
    static const SigningKey key = SigningKey::Rsa();
    return key;
  }
  static const SigningKey& Ec() {
    static const SigningKey key = SigningKey::Ec();
    return key;
  }

  static JwtVerifier Verifier() {
    auto keys =
        JwtKeys::Parse(KeySet({Rsa().Jwk({{"kid", "\"rsa\""}}), Ec().Jwk({{"kid", "\"ec\""}})}));
    EXPECT_TRUE(keys.ok()) << keys.status();
    return {{.issuer = "login", .audience = "hub", .leeway = absl::Seconds(60)}, *std::move(keys)};
  }

  static JsonMembers Header() { return {{"alg", "\"ES256\""}, {"kid", "\"ec\""}}; }
  static JsonMembers Claims() {
    return {{"iss", "\"login\""},
            {"aud", "\"hub\""},
            {"sub", "\"orders-service\""},
            {"exp", Seconds(600)}};
  }
  // The usual claims with another value of one; an empty one takes it away.
  static std::string With(const std::string& claim, const std::string& value) {
    JsonMembers claims = Claims();
    claims[claim] = value;
    return Signed(Ec(), Header(), claims);
  }
  static std::string WithHeader(const std::string& member, const std::string& value) {
    JsonMembers header = Header();
    header[member] = value;
    return Signed(Ec(), header, Claims());
  }

  // Empty: it is accepted.
  std::string RefusalOf(const std::string& token) const {
    const auto principal = verifier_.Verify(token, absl::FromUnixSeconds(kNow));
    EXPECT_EQ(ERR_peek_error(), 0UL);  // Else TLS of this thread would take it for its own.
    if (principal.ok()) return "";
    EXPECT_EQ(storage::ReasonOf(principal.status()), storage::Reason::kUnauthenticated);
    const std::string sentence(principal.status().message());
    const std::string start = "the token is not accepted: ";
    EXPECT_EQ(sentence.substr(0, start.size()), start);
    return sentence.substr(start.size());
  }

  const JwtVerifier verifier_ = Verifier();
};

TEST_F(JwtVerifierTest, AcceptsEs256UntilTheTokenAndTheLeewayEnd) {
  const auto principal =
      verifier_.Verify(Signed(Ec(), Header(), Claims()), absl::FromUnixSeconds(kNow));
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_EQ(principal->name, "orders-service");
  EXPECT_EQ(principal->expires, absl::FromUnixSeconds(kNow + 660));
}

TEST_F(JwtVerifierTest, AcceptsRs256) {
  EXPECT_EQ(RefusalOf(Signed(Rsa(), {{"alg", "\"RS256\""}, {"kid", "\"rsa\""}}, Claims())), "");
}

TEST_F(JwtVerifierTest, AcceptsATokenWithoutKidWhereOneKeyFits) {
  EXPECT_EQ(RefusalOf(WithHeader("kid", "")), "");
  EXPECT_EQ(RefusalOf(Signed(Rsa(), {{"alg", "\"RS256\""}}, Claims())), "");
}

TEST_F(JwtVerifierTest, TakesTheNameFromTheClaimThatIsConfigured) {
  auto keys = JwtKeys::Parse(KeySet({Ec().Jwk({{"kid", "\"ec\""}})}));
  ASSERT_TRUE(keys.ok());
  const JwtVerifier verifier({.issuer = "login", .audience = "hub", .principal_claim = "client_id"},
                             *std::move(keys));
  const auto principal =
      verifier.Verify(With("client_id", "\"billing\""), absl::FromUnixSeconds(kNow));
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_EQ(principal->name, "billing");
}

TEST_F(JwtVerifierTest, RefusesTheSignatureOfAnotherKey) {
  const SigningKey other = SigningKey::Ec();
  EXPECT_EQ(RefusalOf(Signed(other, Header(), Claims())), "its signature is not the key's");
  const SigningKey other_rsa = SigningKey::Rsa();
  EXPECT_EQ(RefusalOf(Signed(other_rsa, {{"alg", "\"RS256\""}, {"kid", "\"rsa\""}}, Claims())),
            "its signature is not the key's");
}

TEST_F(JwtVerifierTest, RefusesClaimsThatWereChanged) {
  const std::string token = Signed(Ec(), Header(), Claims());
  JsonMembers claims = Claims();
  claims["sub"] = "\"ops\"";
  EXPECT_EQ(RefusalOf(Unsigned(Header(), claims) + token.substr(token.rfind('.'))),
            "its signature is not the key's");
}

TEST_F(JwtVerifierTest, RefusesEveryChangedByte) {
  const std::string token = Signed(Ec(), Header(), Claims());
  // The last letter of each part may hold bits that say nothing.
  for (size_t i = 0; i < token.size(); ++i) {
    const bool ends_part = i + 1 == token.size() || token[i + 1] == '.';
    if (ends_part || token[i] == '.') continue;
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_NE(RefusalOf(changed), "") << "byte " << i;
  }
}

TEST_F(JwtVerifierTest, RefusesAnUnsignedToken) {
  const std::string why = "it is signed neither with RS256 nor with ES256";
  for (const char* none : {"\"none\"", "\"None\"", "\"NONE\"", "\"\"", "null", "7"}) {
    const std::string text = Unsigned({{"alg", none}, {"kid", "\"ec\""}}, Claims());
    EXPECT_NE(RefusalOf(text + "."), "") << none;
    EXPECT_EQ(RefusalOf(text + "." + Base64Url(Ec().Sign(text))), why) << none;
  }
  EXPECT_EQ(RefusalOf(WithHeader("alg", "")), why);
}

// A verifier that takes the algorithm from the token and the key from its set would compute the
// HMAC with the public key, which everybody has.
TEST_F(JwtVerifierTest, RefusesAPublicKeyThatIsUsedAsASecret) {
  const std::string why = "it is signed neither with RS256 nor with ES256";
  for (const SigningKey* key : {&Rsa(), &Ec()}) {
    const std::string kid = key == &Rsa() ? "\"rsa\"" : "\"ec\"";
    const std::string text = Unsigned({{"alg", "\"HS256\""}, {"kid", kid}}, Claims());
    for (const std::string& secret : {key->PublicPem(), key->Jwk()}) {
      EXPECT_EQ(RefusalOf(text + "." + Base64Url(HmacSha256(secret, text))), why);
    }
  }
}

TEST_F(JwtVerifierTest, RefusesAnAlgorithmThatIsNotTheKeys) {
  const std::string why = "no key of the key set is the one that it names";
  EXPECT_EQ(RefusalOf(WithHeader("kid", "\"rsa\"")), why);
  EXPECT_EQ(RefusalOf(Signed(Rsa(), {{"alg", "\"RS256\""}, {"kid", "\"ec\""}}, Claims())), why);
  EXPECT_EQ(RefusalOf(Signed(Rsa(), {{"alg", "\"RS512\""}, {"kid", "\"rsa\""}}, Claims())),
            "it is signed neither with RS256 nor with ES256");
}

TEST_F(JwtVerifierTest, RefusesAnUnknownKid) {
  EXPECT_EQ(RefusalOf(WithHeader("kid", "\"EC\"")),
            "no key of the key set is the one that it names");
  EXPECT_EQ(RefusalOf(WithHeader("kid", "7")), "its kid is no text");
}

TEST_F(JwtVerifierTest, RefusesAKeyThatTheTokenBringsAlong) {
  const SigningKey own = SigningKey::Ec();
  JsonMembers header = Header();
  header["jwk"] = own.Jwk();
  EXPECT_EQ(RefusalOf(Signed(own, header, Claims())), "its signature is not the key's");
}

TEST_F(JwtVerifierTest, RefusesAnExtensionThatMustBeUnderstood) {
  EXPECT_EQ(RefusalOf(WithHeader("crit", R"(["b64"])")),
            "it asks for an extension that is not known here");
  EXPECT_EQ(RefusalOf(WithHeader("crit", "7")), "it asks for an extension that is not known here");
}

TEST_F(JwtVerifierTest, RefusesAHeaderThatTwoParsersCouldReadDifferently) {
  const std::string header = R"({"alg": "ES256", "kid": "ec", "alg": "ES256"})";
  const std::string text = Base64Url(header) + "." + Base64Url(ToJson(Claims()));
  EXPECT_EQ(RefusalOf(text + "." + Base64Url(Ec().Sign(text))), "it is no signed JWT");
}

TEST_F(JwtVerifierTest, RefusesWhatIsNoToken) {
  for (const char* text : {"", ".", "..", "...", "a.b.c", "e30.e30.", "hunter2", "e30.e30.e30",
                           "eyJhbGciOiJFUzI1NiJ9", "W10.e30.AAAA", "\xff\xfe.\x01.\x02"}) {
    EXPECT_NE(RefusalOf(text), "") << text;
  }
  EXPECT_EQ(RefusalOf("hunter2"), "it is no signed JWT");
  EXPECT_EQ(RefusalOf(Signed(Ec(), Header(), Claims()) + ".AAAA"), "it is no signed JWT");
}

TEST_F(JwtVerifierTest, RefusesNumbersAndDepthsThatParsersTripOver) {
  const std::string deep = std::string(2500, '[') + std::string(2500, ']');
  for (const std::string& value : {std::string("1e999"), std::string("-1e999"), deep}) {
    EXPECT_EQ(RefusalOf(WithHeader("x", value)), "it is no signed JWT");
  }
  EXPECT_EQ(RefusalOf(With("exp", "1e999")), "its claims are no JSON object");
  EXPECT_EQ(RefusalOf(With("x", deep)), "");
}

TEST_F(JwtVerifierTest, RefusesClaimsThatAreNoObject) {
  for (const char* claims : {"[]", "\"sub\"", "7", "{", "null"}) {
    const std::string text = Base64Url(ToJson(Header())) + "." + Base64Url(claims);
    EXPECT_EQ(RefusalOf(text + "." + Base64Url(Ec().Sign(text))), "its claims are no JSON object")
        << claims;
  }
}

TEST_F(JwtVerifierTest, RefusesAnotherIssuer) {
  for (const char* issuer : {"\"Login\"", "\"login2\"", "", "7", R"(["login"])"}) {
    EXPECT_EQ(RefusalOf(With("iss", issuer)), "it is of another issuer") << issuer;
  }
}

TEST_F(JwtVerifierTest, RefusesAnotherAudience) {
  for (const char* audience : {"\"hub2\"", "", R"(["a", "b"])", "[]", R"({"hub": 1})", "null"}) {
    EXPECT_EQ(RefusalOf(With("aud", audience)), "it is for another audience") << audience;
  }
  EXPECT_EQ(RefusalOf(With("aud", R"(["a", "hub"])")), "");
}

TEST_F(JwtVerifierTest, RefusesATokenThatHasExpiredByMoreThanTheLeeway) {
  EXPECT_EQ(RefusalOf(With("exp", Seconds(-59))), "");
  EXPECT_EQ(RefusalOf(With("exp", Seconds(-60))), "it has expired");
  EXPECT_EQ(RefusalOf(With("exp", Seconds(-60) + ".5")), "");
  EXPECT_EQ(RefusalOf(With("exp", "-1e300")), "it has expired");
}

TEST_F(JwtVerifierTest, RefusesATokenThatNeverExpires) {
  EXPECT_EQ(RefusalOf(With("exp", "")), "it does not say when it expires");
  EXPECT_EQ(RefusalOf(With("exp", "\"1900000000\"")), "it does not say when it expires");
}

TEST_F(JwtVerifierTest, RefusesATokenBeforeItIsValidByMoreThanTheLeeway) {
  EXPECT_EQ(RefusalOf(With("nbf", Seconds(60))), "");
  EXPECT_EQ(RefusalOf(With("nbf", Seconds(61))), "it is not valid yet");
  EXPECT_EQ(RefusalOf(With("nbf", "\"soon\"")), "its nbf is no time");
}

TEST_F(JwtVerifierTest, RefusesANameThatNoPrincipalCanHave) {
  const std::string long_name = '"' + std::string(kMaxPrincipalBytes + 1, 'a') + '"';
  for (const std::string& name : {std::string("\"anonymous\""), std::string("\"\""), std::string(),
                                  std::string("7"), std::string(R"("a\u0000b")"), long_name}) {
    EXPECT_EQ(RefusalOf(With("sub", name)), "its sub is no name that a principal can have") << name;
  }
}

}  // namespace
}  // namespace millrace::server
