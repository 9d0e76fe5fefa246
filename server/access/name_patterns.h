// Names and beginnings of names, to look up what they say of a given name.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace millrace::server {

// Whether a pattern stands for all names that begin so: it ends with '*'.
inline bool IsPrefixPattern(std::string_view pattern) { return pattern.ends_with('*'); }

// Whether the pattern, a name or a beginning with '*' behind it, stands for the name.
inline bool PatternMatches(std::string_view pattern, std::string_view name) {
  if (!IsPrefixPattern(pattern)) return name == pattern;
  pattern.remove_suffix(1);
  return name.starts_with(pattern);
}

// A value for each pattern. A look-up costs a few searches however many patterns there are: one for
// the name and one for each length that prefixes have.
//
// Threads: any, once it is filled.
template <typename Value>
class NamePatterns {
 public:
  // The pattern's value, made where there is none yet.
  Value& operator[](std::string_view pattern) {
    if (!IsPrefixPattern(pattern)) return exact_[std::string(pattern)];
    pattern.remove_suffix(1);
    return prefixes_[pattern.size()][std::string(pattern)];
  }

  // The value of exactly this name; null where there is none.
  const Value* Exactly(std::string_view name) const {
    const auto found = exact_.find(name);
    return found == exact_.end() ? nullptr : &found->second;
  }

  // Calls visit(value) for each pattern that stands for the name.
  template <typename Visit>
  void ForEachMatch(std::string_view name, const Visit& visit) const {
    if (const Value* value = Exactly(name)) visit(*value);
    for (const auto& [length, of_length] : prefixes_) {
      if (length > name.size()) return;
      const auto found = of_length.find(name.substr(0, length));
      if (found != of_length.end()) visit(found->second);
    }
  }

 private:
  using Values = std::map<std::string, Value, std::less<>>;

  Values exact_;
  std::map<size_t, Values> prefixes_;  // By the prefixes' length.
};

}  // namespace millrace::server
