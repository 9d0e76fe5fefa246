// A million random questions to random rules: AccessRules answers as a loop over the rules does
// that is too simple to be wrong and shares no code with it.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "server/access/access_rules.h"

namespace millrace::server {
namespace {

constexpr int kRuleSets = 500;
constexpr int kQuestionsEach = 2000;

bool Fits(const std::string& pattern, const std::string& name) {
  const size_t star = pattern.find('*');
  if (star == std::string::npos) return pattern == name;
  return name.compare(0, star, pattern, 0, star) == 0;
}

bool AnyFits(const std::vector<std::string>& patterns, const std::string& name) {
  for (const std::string& pattern : patterns) {
    if (Fits(pattern, name)) return true;
  }
  return false;
}

bool IsOf(const AccessRule& rule, const std::string& principal) {
  if (principal != "anonymous") return AnyFits(rule.principals, principal);
  for (const std::string& pattern : rule.principals) {
    if (pattern == "anonymous") return true;
  }
  return false;
}

bool Names(const AccessRule& rule, Right right) {
  for (const Right given : rule.rights) {
    if (given == right) return true;
  }
  return false;
}

// What the rule gives, if it is about the principal.
bool Gives(const AccessRule& rule, Right right, ResourceKind kind, const std::string& name) {
  if (kind == ResourceKind::kHub) return rule.hub && Names(rule, right);
  const bool covers = AnyFits(kind == ResourceKind::kTopic ? rule.topics : rule.groups, name);
  return covers && (right == Right::kInspect || Names(rule, right));
}

// The numbers of the rules that allow it.
std::vector<int> Model(const std::vector<AccessRule>& rules, const std::string& principal,
                       Right right, ResourceKind kind, const std::string& name) {
  std::vector<int> numbers;
  for (size_t i = 0; i < rules.size(); ++i) {
    if (IsOf(rules[i], principal) && Gives(rules[i], right, kind, name)) {
      numbers.push_back(static_cast<int>(i) + 1);
    }
  }
  return numbers;
}

// Few letters and short names, so that names and prefixes meet often.
class Dice {
 public:
  explicit Dice(uint32_t seed) : random_(seed) {}

  int Below(int bound) { return static_cast<int>(random_() % static_cast<uint32_t>(bound)); }
  bool OneIn(int count) { return Below(count) == 0; }

  std::string Name() {
    std::string name;
    for (int left = 1 + Below(4); left > 0; --left) name += "ab-"[Below(3)];
    return name;
  }

  std::string Pattern() {
    if (OneIn(20)) return "*";
    return OneIn(3) ? Name() + "*" : Name();
  }

  std::string Principal() { return OneIn(8) ? "anonymous" : Name(); }

  std::string PrincipalPattern() {
    if (OneIn(12)) return "anonymous";
    if (OneIn(12)) return OneIn(2) ? "anon*" : "anonymous*";
    return Pattern();
  }

  std::vector<std::string> Patterns(int least, int most) {
    std::vector<std::string> patterns;
    for (int left = least + Below(most - least + 1); left > 0; --left) {
      patterns.push_back(Pattern());
    }
    return patterns;
  }

  AccessRule Rule() {
    AccessRule rule = {.topics = Patterns(0, 2), .groups = Patterns(0, 2), .hub = OneIn(6)};
    for (int left = 1 + Below(3); left > 0; --left) {
      rule.principals.push_back(PrincipalPattern());
    }
    for (int left = 1 + Below(2); left > 0; --left) rule.rights.push_back(AnyRight());
    return rule;
  }

  Right AnyRight() { return kAllRights[static_cast<size_t>(Below(5))]; }
  ResourceKind AnyKind() { return static_cast<ResourceKind>(Below(3)); }

 private:
  std::mt19937 random_;
};

bool GivesSomewhere(const AccessRule& rule, Right right) {
  const bool by_any = right == Right::kInspect && !(rule.topics.empty() && rule.groups.empty());
  const bool on_any = !rule.topics.empty() || !rule.groups.empty() || rule.hub;
  return on_any && (by_any || Names(rule, right));
}

bool ModelSomewhere(const std::vector<AccessRule>& rules, const std::string& principal,
                    const std::vector<Right>& rights) {
  for (const AccessRule& rule : rules) {
    for (const Right right : rights) {
      if (IsOf(rule, principal) && GivesSomewhere(rule, right)) return true;
    }
  }
  return false;
}

std::vector<int> NumbersOf(const Explanation& explanation) {
  std::vector<int> numbers;
  for (const auto& rule : explanation.rules) numbers.push_back(rule.number);
  return numbers;
}

TEST(AccessModel, AMillionDecisionsAreThoseOfALoopOverTheRules) {
  int allowed = 0;
  for (uint32_t seed = 1; seed <= kRuleSets; ++seed) {
    Dice dice(seed);
    std::vector<AccessRule> written;
    for (int left = dice.Below(48); left > 0; --left) written.push_back(dice.Rule());
    const AccessRules rules(written);
    for (int i = 0; i < kQuestionsEach; ++i) {
      const std::string principal = dice.Principal();
      const std::string name = dice.Name();
      const Right right = dice.AnyRight();
      const ResourceKind kind = dice.AnyKind();
      const Resource resource = {kind, name};
      const std::vector<int> model = Model(written, principal, right, kind, name);
      const Explanation explanation = rules.Explain(principal, right, resource);
      const std::string question = "seed " + std::to_string(seed) + ": may " + principal + " " +
                                   std::string(NameOf(right)) + " " + std::string(NameOf(kind)) +
                                   " " + name;
      ASSERT_EQ(rules.Allows(principal, right, resource), !model.empty()) << question;
      ASSERT_EQ(NumbersOf(explanation), model) << question;
      ASSERT_EQ(explanation.allowed, !model.empty()) << question;
      allowed += model.empty() ? 0 : 1;
    }
  }
  // Both answers came often.
  EXPECT_GT(allowed, kRuleSets * kQuestionsEach / 10);
  EXPECT_LT(allowed, kRuleSets * kQuestionsEach * 9 / 10);
}

TEST(AccessModel, WhatIsAllowedSomewhereIsThatOfALoopOverTheRules) {
  const std::vector<Right> all(kAllRights.begin(), kAllRights.end());
  for (uint32_t seed = 1; seed <= kRuleSets; ++seed) {
    Dice dice(seed);
    std::vector<AccessRule> written;
    for (int left = dice.Below(6); left > 0; --left) written.push_back(dice.Rule());
    const AccessRules rules(written);
    for (int i = 0; i < 100; ++i) {
      const std::string principal = dice.Principal();
      const Right right = dice.AnyRight();
      ASSERT_EQ(rules.AllowsSomewhere(principal, right),
                ModelSomewhere(written, principal, {right}))
          << "seed " << seed << ": may " << principal << " " << NameOf(right) << " anywhere";
      ASSERT_EQ(rules.AllowsAnything(principal), ModelSomewhere(written, principal, all))
          << "seed " << seed << ": may " << principal << " do anything";
    }
  }
}

}  // namespace
}  // namespace millrace::server
