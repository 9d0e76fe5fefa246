#include "server/access/access_rules.h"

#include <gtest/gtest.h>

#include "server/access/principal.h"

namespace millrace::server {
namespace {

AccessRules Shop() {
  return AccessRules(
      {{.principals = {"orders-service"}, .rights = {Right::kProduce}, .topics = {"orders"}},
       {.principals = {"payment-*"},
        .rights = {Right::kConsume, Right::kCommit},
        .topics = {"orders"},
        .groups = {"payment-*"}},
       {.principals = {"*"}, .rights = {Right::kInspect}, .topics = {"public-*"}},
       {.principals = {"ops"}, .rights = {Right::kAdminister}, .hub = true}});
}

TEST(AccessRules, RefuseWhatNoRuleGives) {
  const AccessRules rules = Shop();
  EXPECT_TRUE(rules.Allows("orders-service", Right::kProduce, Topic("orders")));
  EXPECT_FALSE(rules.Allows("orders-service", Right::kProduce, Topic("orders-2")));
  EXPECT_FALSE(rules.Allows("orders-service", Right::kConsume, Topic("orders")));
  EXPECT_FALSE(rules.Allows("orders-service", Right::kProduce, Group("orders")));
  EXPECT_FALSE(rules.Allows("orders-service-2", Right::kProduce, Topic("orders")));
  EXPECT_FALSE(AccessRules().Allows("ops", Right::kAdminister, Hub()));
}

TEST(AccessRules, TakeAStarForAllThatBeginsSo) {
  const AccessRules rules = Shop();
  EXPECT_TRUE(rules.Allows("payment-eu", Right::kCommit, Group("payment-1")));
  EXPECT_TRUE(rules.Allows("payment-", Right::kCommit, Group("payment-")));
  EXPECT_FALSE(rules.Allows("payment", Right::kCommit, Group("payment-1")));
  EXPECT_FALSE(rules.Allows("payment-eu", Right::kCommit, Group("payment")));
}

TEST(AccessRules, LetWhoMayUseATopicOrGroupInspectIt) {
  const AccessRules rules = Shop();
  EXPECT_TRUE(rules.Allows("orders-service", Right::kInspect, Topic("orders")));
  EXPECT_TRUE(rules.Allows("payment-eu", Right::kInspect, Group("payment-1")));
  EXPECT_FALSE(rules.Allows("orders-service", Right::kInspect, Topic("secrets")));
}

TEST(AccessRules, LetNobodyInspectTheHubForAnotherRight) {
  EXPECT_TRUE(Shop().Allows("ops", Right::kAdminister, Hub()));
  EXPECT_FALSE(Shop().Allows("ops", Right::kInspect, Hub()));
}

TEST(AccessRules, MeanTheAnonymousOnlyByTheirWholeName) {
  const AccessRules rules(
      {{.principals = {"*", "anon*", "anonymous*"}, .rights = {Right::kConsume}, .topics = {"*"}},
       {.principals = {"anonymous"}, .rights = {Right::kInspect}, .hub = true}});
  EXPECT_FALSE(rules.Allows(kAnonymous, Right::kConsume, Topic("orders")));
  EXPECT_TRUE(rules.Allows("anonymous-2", Right::kConsume, Topic("orders")));
  EXPECT_TRUE(rules.Allows(kAnonymous, Right::kInspect, Hub()));
  EXPECT_FALSE(rules.AllowsSomewhere(kAnonymous, Right::kConsume));
  EXPECT_TRUE(rules.AllowsAnything(kAnonymous));
}

TEST(AccessRules, KnowWhetherAnythingIsAllowed) {
  const AccessRules only_one({{.principals = {"a"}, .rights = {Right::kCommit}, .groups = {"g"}}});
  EXPECT_TRUE(only_one.AllowsAnything("a"));
  EXPECT_FALSE(only_one.AllowsAnything("b"));
  EXPECT_TRUE(only_one.AllowsSomewhere("a", Right::kCommit));
  EXPECT_TRUE(only_one.AllowsSomewhere("a", Right::kInspect));
  EXPECT_FALSE(only_one.AllowsSomewhere("a", Right::kProduce));
}

TEST(AccessRules, ExplainEveryRuleThatAllows) {
  const AccessRules rules(
      {{.principals = {"a"}, .rights = {Right::kConsume}, .topics = {"orders", "bills-*"}},
       {.principals = {"b"}, .rights = {Right::kConsume}, .topics = {"*"}},
       {.principals = {"*", "x"},
        .rights = {Right::kProduce, Right::kConsume},
        .topics = {"*"},
        .groups = {"g"},
        .hub = true}});
  const Explanation explanation = rules.Explain("a", Right::kConsume, Topic("bills-1"));
  ASSERT_EQ(explanation.rules.size(), 2);
  EXPECT_TRUE(explanation.allowed);
  EXPECT_EQ(explanation.rules[0].number, 1);
  EXPECT_EQ(explanation.rules[0].text, "a may consume on topic orders, topic bills-*");
  EXPECT_EQ(explanation.rules[1].number, 3);
  EXPECT_EQ(explanation.rules[1].text, "*, x may produce, consume on topic *, group g, the hub");
}

TEST(AccessRules, ExplainARefusalByNoRule) {
  const Explanation explanation = Shop().Explain("ops", Right::kConsume, Topic("orders"));
  EXPECT_FALSE(explanation.allowed);
  EXPECT_TRUE(explanation.rules.empty());
}

}  // namespace
}  // namespace millrace::server
