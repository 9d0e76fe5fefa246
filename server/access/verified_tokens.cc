#include "server/access/verified_tokens.h"

namespace millrace::server {

std::optional<Principal> VerifiedTokens::Find(const Sha256& token, absl::Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = by_token_.find(token);
  if (found == by_token_.end()) return std::nullopt;
  const Used::iterator used = found->second;
  if (used->second.expires <= now) {
    used_.erase(used);
    by_token_.erase(found);
    return std::nullopt;
  }
  used_.splice(used_.begin(), used_, used);
  return used->second;
}

void VerifiedTokens::Add(const Sha256& token, Principal principal) {
  const std::lock_guard lock(mutex_);
  if (by_token_.contains(token)) return;  // Two calls verified it at the same time.
  used_.emplace_front(token, std::move(principal));
  by_token_[token] = used_.begin();
  if (used_.size() <= max_size_) return;
  by_token_.erase(used_.back().first);
  used_.pop_back();
}

size_t VerifiedTokens::size() const {
  const std::lock_guard lock(mutex_);
  return used_.size();
}

}  // namespace millrace::server
