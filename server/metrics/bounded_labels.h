// Few labels for many names, so that a hub with 10,000 topics does not become 10,000 time series.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace millrace::server {

// What all names share that have no label of their own. No topic and no group can have this name.
inline constexpr std::string_view kOtherLabel = "(other)";

// For one thread at a time.
class BoundedLabels {
 public:
  // At most so many names have a label of their own.
  explicit BoundedLabels(size_t max_names) : max_names_(max_names) {}

  // The name itself where it came while there was room, else kOtherLabel: decided once, so that no
  // series changes what it stands for. The view is good as long as the name is known.
  std::string_view LabelOf(const std::string& name);

  // Forgets a name that is gone; its place is for one that is yet to come.
  void Forget(const std::string& name);

 private:
  const size_t max_names_;
  size_t own_ = 0;
  std::map<std::string, bool, std::less<>> has_own_;
};

}  // namespace millrace::server
