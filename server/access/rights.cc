#include "server/access/rights.h"

#include <algorithm>

namespace millrace::server {

std::string_view NameOf(Right right) {
  switch (right) {
    case Right::kProduce:
      return "produce";
    case Right::kConsume:
      return "consume";
    case Right::kCommit:
      return "commit";
    case Right::kInspect:
      return "inspect";
    case Right::kAdminister:
      return "administer";
  }
  return "";
}

std::optional<Right> RightNamed(std::string_view name) {
  const auto* found = std::find_if(kAllRights.begin(), kAllRights.end(),
                                   [&](Right right) { return NameOf(right) == name; });
  if (found == kAllRights.end()) return std::nullopt;
  return *found;
}

std::string_view NameOf(ResourceKind kind) {
  switch (kind) {
    case ResourceKind::kTopic:
      return "topic";
    case ResourceKind::kGroup:
      return "group";
    case ResourceKind::kHub:
      return "hub";
  }
  return "";
}

}  // namespace millrace::server
