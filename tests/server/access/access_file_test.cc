#include "server/access/access_file.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::server {
namespace {

constexpr char kHash[] = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08";

TEST(AccessFile, SaysWhoMayDoWhat) {
  const auto config = ParseAccessFile(R"({
    // Payments read orders.
    "rules": [
      {"principals": ["payment-*", "spiffe://shop/payment"], "rights": ["consume", "commit"],
       "topics": ["orders"], "groups": ["payment-*", "*"]},
      {"principals": ["anonymous"], "rights": ["inspect"], "hub": true}
    ],
    "tokens": [{"principal": "ops", "sha256": ")" +
                                      std::string(kHash) + R"("}],
    "jwt": {"issuer": "https://login", "audience": "hub", "jwks_file": "keys.json",
            "principal_claim": "client_id", "leeway_seconds": 5},
    "quotas": [{"principals": ["*"], "requests_per_second": 1000, "max_streams": 7}]
  })");
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->rules.size(), 2);
  EXPECT_EQ(config->rules[0].principals,
            (std::vector<std::string>{"payment-*", "spiffe://shop/payment"}));
  EXPECT_EQ(config->rules[0].rights, (std::vector<Right>{Right::kConsume, Right::kCommit}));
  EXPECT_EQ(config->rules[0].topics, std::vector<std::string>{"orders"});
  EXPECT_EQ(config->rules[0].groups, (std::vector<std::string>{"payment-*", "*"}));
  EXPECT_FALSE(config->rules[0].hub);
  EXPECT_TRUE(config->rules[1].hub);
  ASSERT_EQ(config->tokens.size(), 1);
  EXPECT_EQ(config->tokens[0].principal, "ops");
  EXPECT_EQ(config->tokens[0].sha256[0], 0x9f);
  EXPECT_EQ(config->tokens[0].sha256[31], 0x08);
  ASSERT_TRUE(config->jwt);
  EXPECT_EQ(config->jwt->issuer, "https://login");
  EXPECT_EQ(config->jwt->audience, "hub");
  EXPECT_EQ(config->jwt->jwks_file, "keys.json");
  EXPECT_EQ(config->jwt->principal_claim, "client_id");
  EXPECT_EQ(config->jwt->leeway, absl::Seconds(5));
  ASSERT_EQ(config->quotas.size(), 1);
  EXPECT_EQ(config->quotas[0].limits.requests_per_second, 1000);
  EXPECT_EQ(config->quotas[0].limits.max_streams, 7);
  EXPECT_FALSE(config->quotas[0].limits.produce_bytes_per_second);
}

TEST(AccessFile, HasTheUsualClaimAndLeewayWhereItNamesNone) {
  const auto config = ParseAccessFile(R"({
    "rules": [{"principals": ["a"], "rights": ["inspect"], "hub": true}],
    "jwt": {"issuer": "i", "audience": "a", "jwks_file": "k"}})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->jwt->principal_claim, "sub");
  EXPECT_EQ(config->jwt->leeway, absl::Seconds(60));
}

struct Refusal {
  const char* name;
  std::string text;
  const char* sentence;
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class AccessFileRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(AccessFileRefusal, SaysWhereAndWhy) {
  const auto config = ParseAccessFile(GetParam().text);
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(config.status().message(), GetParam().sentence);
}

// A file with this as its second rule, or with this beside a good rule.
std::string WithRule(const std::string& rule) {
  return R"({"rules": [{"principals": ["a"], "rights": ["inspect"], "hub": true}, )" + rule + "]}";
}
std::string Beside(const std::string& rest) {
  return R"({"rules": [{"principals": ["a"], "rights": ["inspect"], "hub": true}], )" + rest + "}";
}
std::string Jwt(const std::string& rest) {
  return Beside(R"("jwt": {"issuer": "i", "audience": "a", "jwks_file": "k")" + rest + "}");
}
std::string Token(const std::string& principal) {
  return R"({"principal": ")" + principal + R"(", "sha256": ")" + kHash + R"("})";
}
std::string Quota(const std::string& limit) {
  return Beside(R"("quotas": [{"principals": ["a"])" + limit + "}]");
}

INSTANTIATE_TEST_SUITE_P(
    TheWhole, AccessFileRefusal,
    testing::Values(Refusal{"NoJson", "{\n\"rules\": [\n,]}", "line 3: is no JSON"},
                    Refusal{"Nothing", "", "line 1: is no JSON"},
                    Refusal{"CutShort", R"({"rules": [)", "line 1: is no JSON"},
                    Refusal{"NoObject", "[]", "the whole: is no object"},
                    Refusal{"NoRules", "{}", "rules: is missing"},
                    Refusal{"EmptyRules", R"({"rules": []})", "rules: is empty"},
                    Refusal{"RulesNoList", R"({"rules": {}})", "rules: is no list"},
                    Refusal{"UnknownKey", Beside(R"("quota": [])"), "quota: there is no such key"},
                    Refusal{"KeyTwice", R"({"rules": [], "rules": []})",
                            "the key \"rules\" is there twice in one object"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Rules, AccessFileRefusal,
    testing::Values(
        Refusal{"NoObject", WithRule("7"), "rules[1]: is no object"},
        Refusal{"UnknownKey",
                WithRule(R"({"principals": ["a"], "rights": ["inspect"], "topic": ["t"]})"),
                "rules[1].topic: there is no such key"},
        Refusal{"NoPrincipals", WithRule(R"({"rights": ["inspect"], "hub": true})"),
                "rules[1].principals: is missing"},
        Refusal{"EmptyPrincipals",
                WithRule(R"({"principals": [], "rights": ["inspect"], "hub": true})"),
                "rules[1].principals: is empty"},
        Refusal{"EmptyPrincipal",
                WithRule(R"({"principals": ["a", ""], "rights": ["inspect"], "hub": true})"),
                "rules[1].principals[1]: is empty"},
        Refusal{"PrincipalNoText",
                WithRule(R"({"principals": [null], "rights": ["inspect"], "hub": true})"),
                "rules[1].principals[0]: is no text"},
        Refusal{"PrincipalWithAStarWithin",
                WithRule(R"({"principals": ["a*b"], "rights": ["inspect"], "hub": true})"),
                "rules[1].principals[0]: a '*' stands at the end, for all names that begin so"},
        Refusal{"PrincipalWithAControlCharacter",
                WithRule(R"({"principals": ["a\u0000"], "rights": ["inspect"], "hub": true})"),
                "rules[1].principals[0]: is no name that a principal can have"},
        Refusal{"NoRights", WithRule(R"({"principals": ["a"], "hub": true})"),
                "rules[1].rights: is missing"},
        Refusal{"EmptyRights", WithRule(R"({"principals": ["a"], "rights": [], "hub": true})"),
                "rules[1].rights: is empty"},
        Refusal{"UnknownRight",
                WithRule(R"({"principals": ["a"], "rights": ["inspect", "read"], "hub": true})"),
                "rules[1].rights[1]: is none of produce, consume, commit, inspect, administer"},
        Refusal{"NoResource", WithRule(R"({"principals": ["a"], "rights": ["inspect"]})"),
                "rules[1]: names no topics, no groups and not the hub"},
        Refusal{"NotTheHub",
                WithRule(R"({"principals": ["a"], "rights": ["inspect"], "hub": false})"),
                "rules[1]: names no topics, no groups and not the hub"},
        Refusal{"HubNoFlag",
                WithRule(R"({"principals": ["a"], "rights": ["inspect"], "hub": "yes"})"),
                "rules[1].hub: is neither true nor false"},
        Refusal{"EmptyTopics",
                WithRule(R"({"principals": ["a"], "rights": ["inspect"], "topics": []})"),
                "rules[1].topics: is empty"},
        Refusal{"MalformedTopic",
                WithRule(R"({"principals": ["a"], "rights": ["inspect"], "topics": ["t", "a b"]})"),
                "rules[1].topics[1]: is neither a name nor the beginning of one with a '*' behind "
                "it"},
        Refusal{"TopicWithAStarWithin",
                WithRule(R"({"principals": ["a"], "rights": ["inspect"], "topics": ["*-t"]})"),
                "rules[1].topics[0]: is neither a name nor the beginning of one with a '*' behind "
                "it"},
        Refusal{"LongGroup",
                WithRule(R"({"principals": ["a"], "rights": ["inspect"], "groups": [")" +
                         std::string(250, 'g') + R"("]})"),
                "rules[1].groups[0]: is neither a name nor the beginning of one with a '*' behind "
                "it"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Tokens, AccessFileRefusal,
    testing::Values(
        Refusal{"EmptyList", Beside(R"("tokens": [])"), "tokens: is empty"},
        Refusal{"UnknownKey", Beside(R"("tokens": [{"principal": "a", "token": "secret"}])"),
                "tokens[0].token: there is no such key"},
        Refusal{"NoPrincipal", Beside(R"("tokens": [{"sha256": ")" + std::string(kHash) + "\"}]"),
                "tokens[0].principal: is missing"},
        Refusal{"NoHash", Beside(R"("tokens": [{"principal": "a"}])"),
                "tokens[0].sha256: is missing"},
        Refusal{"ShortHash", Beside(R"("tokens": [{"principal": "a", "sha256": "9f86"}])"),
                "tokens[0].sha256: is no SHA-256 of 64 hexadecimal digits"},
        Refusal{"HashWithOtherLetters",
                Beside(R"("tokens": [{"principal": "a", "sha256": ")" + std::string(64, 'g') +
                       R"("}])"),
                "tokens[0].sha256: is no SHA-256 of 64 hexadecimal digits"},
        Refusal{"SameHash", Beside(R"("tokens": [)" + Token("a") + "," + Token("b") + "]"),
                "tokens[1].sha256: is that of an earlier token"},
        Refusal{"Anonymous", Beside(R"("tokens": [)" + Token("anonymous") + "]"),
                "tokens[0].principal: is no name that a principal can have"},
        Refusal{"ForAPattern", Beside(R"("tokens": [)" + Token("a-*") + "]"),
                "tokens[0].principal: is no name that a principal can have"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Jwt, AccessFileRefusal,
    testing::Values(Refusal{"NoObject", Beside(R"("jwt": true)"), "jwt: is no object"},
                    Refusal{"NoIssuer", Beside(R"("jwt": {"audience": "a", "jwks_file": "k"})"),
                            "jwt.issuer: is missing"},
                    Refusal{"NoAudience", Beside(R"("jwt": {"issuer": "i", "jwks_file": "k"})"),
                            "jwt.audience: is missing"},
                    Refusal{"EmptyAudience",
                            Beside(R"("jwt": {"issuer": "i", "audience": "", "jwks_file": "k"})"),
                            "jwt.audience: is empty"},
                    Refusal{"NoKeySet", Beside(R"("jwt": {"issuer": "i", "audience": "a"})"),
                            "jwt.jwks_file: is missing"},
                    Refusal{"UnknownKey", Jwt(R"(, "algorithms": ["none"])"),
                            "jwt.algorithms: there is no such key"},
                    Refusal{"EmptyClaim", Jwt(R"(, "principal_claim": "")"),
                            "jwt.principal_claim: is empty"},
                    Refusal{"LongLeeway", Jwt(R"(, "leeway_seconds": 601)"),
                            "jwt.leeway_seconds: is no whole number from 0 to 600"},
                    Refusal{"NegativeLeeway", Jwt(R"(, "leeway_seconds": -1)"),
                            "jwt.leeway_seconds: is no whole number from 0 to 600"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Quotas, AccessFileRefusal,
    testing::Values(
        Refusal{"EmptyList", Beside(R"("quotas": [])"), "quotas: is empty"},
        Refusal{"NoPrincipals", Beside(R"("quotas": [{"max_streams": 1}])"),
                "quotas[0].principals: is missing"},
        Refusal{"NoLimit", Quota(""), "quotas[0]: limits nothing"},
        Refusal{"UnknownLimit", Quota(R"(, "max_topics": 1)"),
                "quotas[0].max_topics: there is no such key"},
        Refusal{"Zero", Quota(R"(, "max_streams": 0)"),
                "quotas[0].max_streams: is no whole number from 1 to 1000000000000"},
        Refusal{"Fraction", Quota(R"(, "requests_per_second": 0.5)"),
                "quotas[0].requests_per_second: is no whole number from 1 to 1000000000000"},
        Refusal{"TooLarge", Quota(R"(, "produce_bytes_per_second": 18446744073709551615)"),
                "quotas[0].produce_bytes_per_second: is no whole number from 1 to 1000000000000"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace millrace::server
