// Who may do what. A rule gives rights on names to principals; what no rule gives is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/access/name_patterns.h"
#include "server/access/rights.h"

namespace millrace::server {

// As it stands in the access file.
struct AccessRule {
  // Names; one that ends with '*' stands for all that begin so, "*" for everybody who has said who
  // they are. kAnonymous is meant only by its whole name.
  std::vector<std::string> principals;
  std::vector<Right> rights;
  // Names; one that ends with '*' stands for all that begin so.
  std::vector<std::string> topics;
  std::vector<std::string> groups;
  bool hub = false;
};

// Why something is allowed.
struct Explanation {
  struct Allowing {
    int number = 0;    // The rule's place in the file, from 1.
    std::string text;  // What it says: "payment-* may consume, commit on topic orders, group pay".
  };
  bool allowed = false;
  std::vector<Allowing> rules;  // Every rule that allows it, in the file's order.
};

// Whether the pattern of a rule stands for the principal: see AccessRule::principals.
bool MeansPrincipal(std::string_view pattern, std::string_view principal);

// Any right on a topic or group gives `inspect` of that one as well: who may use it may know that
// it is there. Threads: any; never changes.
class AccessRules {
 public:
  // Nobody may do anything.
  AccessRules() = default;
  explicit AccessRules(std::vector<AccessRule> rules);

  // Costs a few look-ups, however many rules there are.
  bool Allows(std::string_view principal, Right right, Resource resource) const;

  // Whether a rule gives the principal anything at all, on whatever.
  bool AllowsAnything(std::string_view principal) const;

  // Whether there are names on which the principal has the right. `inspect` counts as given by any
  // right on a topic or group, as in Allows.
  bool AllowsSomewhere(std::string_view principal, Right right) const;

  // The same answer as Allows, and why. Looks at every rule: for people who ask, not for calls.
  Explanation Explain(std::string_view principal, Right right, Resource resource) const;

 private:
  using RightSet = uint8_t;  // One bit a Right.

  // What the rules give to one pattern of principals.
  struct Grants {
    NamePatterns<RightSet> topics;
    NamePatterns<RightSet> groups;
    RightSet hub = 0;
    RightSet somewhere = 0;  // On any of these.
  };

  // Calls visit(grants) for each pattern that means the principal.
  template <typename Visit>
  void ForEachGrants(std::string_view principal, const Visit& visit) const;

  RightSet GivenSomewhere(std::string_view principal) const;

  static void Add(const AccessRule& rule, Grants& grants);

  std::vector<AccessRule> rules_;
  NamePatterns<Grants> grants_;
};

}  // namespace millrace::server
