#include "server/access/access_rules.h"

#include <algorithm>
#include <utility>

#include "server/access/principal.h"

namespace millrace::server {
namespace {

constexpr uint8_t BitOf(Right right) { return uint8_t{1} << static_cast<int>(right); }

// Rights on a topic or group, with the one that any of them gives.
uint8_t WithImplied(uint8_t rights) {
  return rights == 0 ? rights : rights | BitOf(Right::kInspect);
}

uint8_t SetOf(const std::vector<Right>& rights) {
  uint8_t set = 0;
  for (const Right right : rights) set |= BitOf(right);
  return set;
}

// "a, b, c".
template <typename Items, typename TextOf>
std::string Listed(const Items& items, const TextOf& text_of) {
  std::string text;
  for (const auto& item : items) {
    if (!text.empty()) text += ", ";
    text += text_of(item);
  }
  return text;
}

std::string TextOf(const AccessRule& rule) {
  const auto as_is = [](const std::string& name) { return name; };
  std::vector<std::string> on;
  for (const std::string& topic : rule.topics) on.push_back("topic " + topic);
  for (const std::string& group : rule.groups) on.push_back("group " + group);
  if (rule.hub) on.emplace_back("the hub");
  return Listed(rule.principals, as_is) + " may " +
         Listed(rule.rights, [](Right right) { return NameOf(right); }) + " on " +
         Listed(on, as_is);
}

bool Covers(const AccessRule& rule, Resource resource) {
  if (resource.kind == ResourceKind::kHub) return rule.hub;
  const auto& patterns = resource.kind == ResourceKind::kTopic ? rule.topics : rule.groups;
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return PatternMatches(pattern, resource.name);
  });
}

bool Means(const AccessRule& rule, std::string_view principal) {
  return std::any_of(
      rule.principals.begin(), rule.principals.end(),
      [&](const std::string& pattern) { return MeansPrincipal(pattern, principal); });
}

}  // namespace

bool MeansPrincipal(std::string_view pattern, std::string_view principal) {
  return principal == kAnonymous ? pattern == kAnonymous : PatternMatches(pattern, principal);
}

AccessRules::AccessRules(std::vector<AccessRule> rules) : rules_(std::move(rules)) {
  for (const AccessRule& rule : rules_) {
    for (const std::string& principal : rule.principals) Add(rule, grants_[principal]);
  }
}

void AccessRules::Add(const AccessRule& rule, Grants& grants) {
  const RightSet rights = SetOf(rule.rights);
  const RightSet on_named = WithImplied(rights);
  for (const std::string& topic : rule.topics) grants.topics[topic] |= on_named;
  for (const std::string& group : rule.groups) grants.groups[group] |= on_named;
  if (!rule.topics.empty() || !rule.groups.empty()) grants.somewhere |= on_named;
  if (rule.hub) {
    grants.hub |= rights;
    grants.somewhere |= rights;
  }
}

template <typename Visit>
void AccessRules::ForEachGrants(std::string_view principal, const Visit& visit) const {
  if (principal != kAnonymous) {
    grants_.ForEachMatch(principal, visit);
  } else if (const Grants* grants = grants_.Exactly(principal)) {
    visit(*grants);
  }
}

bool AccessRules::Allows(std::string_view principal, Right right, Resource resource) const {
  RightSet given = 0;
  ForEachGrants(principal, [&](const Grants& grants) {
    if (resource.kind == ResourceKind::kHub) {
      given |= grants.hub;
      return;
    }
    const auto& named = resource.kind == ResourceKind::kTopic ? grants.topics : grants.groups;
    named.ForEachMatch(resource.name, [&](RightSet rights) { given |= rights; });
  });
  return (given & BitOf(right)) != 0;
}

AccessRules::RightSet AccessRules::GivenSomewhere(std::string_view principal) const {
  RightSet given = 0;
  ForEachGrants(principal, [&](const Grants& grants) { given |= grants.somewhere; });
  return given;
}

bool AccessRules::AllowsAnything(std::string_view principal) const {
  return GivenSomewhere(principal) != 0;
}

bool AccessRules::AllowsSomewhere(std::string_view principal, Right right) const {
  return (GivenSomewhere(principal) & BitOf(right)) != 0;
}

Explanation AccessRules::Explain(std::string_view principal, Right right, Resource resource) const {
  const bool any_will_do = right == Right::kInspect && resource.kind != ResourceKind::kHub;
  Explanation explanation;
  for (size_t i = 0; i < rules_.size(); ++i) {
    const AccessRule& rule = rules_[i];
    const bool gives = any_will_do || (SetOf(rule.rights) & BitOf(right)) != 0;
    if (!gives || !Means(rule, principal) || !Covers(rule, resource)) continue;
    explanation.rules.push_back({.number = static_cast<int>(i) + 1, .text = TextOf(rule)});
  }
  explanation.allowed = !explanation.rules.empty();
  return explanation;
}

}  // namespace millrace::server
