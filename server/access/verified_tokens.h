// Tokens whose signature has been verified, so that it is done once.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/time/time.h"
#include "server/access/access_file.h"
#include "server/access/principal.h"

namespace millrace::server {

// Holds hashes and not tokens. What was not used for longest goes first. Threads: any.
class VerifiedTokens {
 public:
  explicit VerifiedTokens(size_t max_size) : max_size_(max_size) {}

  // Whom the token stands for; absent: it is not here, or has expired.
  std::optional<Principal> Find(const Sha256& token, absl::Time now);

  void Add(const Sha256& token, Principal principal);

  size_t size() const;

 private:
  using Used = std::list<std::pair<Sha256, Principal>>;

  const size_t max_size_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Used used_;  // The last used in front.
  std::map<Sha256, Used::iterator> by_token_;
};

}  // namespace millrace::server
