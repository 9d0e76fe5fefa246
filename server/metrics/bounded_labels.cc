#include "server/metrics/bounded_labels.h"

namespace millrace::server {

std::string_view BoundedLabels::LabelOf(const std::string& name) {
  const auto [known, is_new] = has_own_.try_emplace(name, false);
  if (is_new && own_ < max_names_) {
    known->second = true;
    ++own_;
  }
  return known->second ? std::string_view(known->first) : kOtherLabel;
}

void BoundedLabels::Forget(const std::string& name) {
  const auto known = has_own_.find(name);
  if (known == has_own_.end()) return;
  if (known->second) --own_;
  has_own_.erase(known);
}

}  // namespace millrace::server
