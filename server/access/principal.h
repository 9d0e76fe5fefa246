// Who calls.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace millrace::server {

// The principal of callers who have not said who they are. No credential can yield this name.
inline constexpr std::string_view kAnonymous = "anonymous";

// No principal has a longer name. SPIFFE's limit for its identifiers.
inline constexpr size_t kMaxPrincipalBytes = 2048;

// Whether somebody who has shown a credential can have this name: no control characters, and not
// kAnonymous.
bool IsPrincipalName(std::string_view name);

struct Principal {
  std::string name{kAnonymous};
  // From then on the credential that it was taken from is void, and what is open must be closed.
  absl::Time expires = absl::InfiniteFuture();

  bool anonymous() const { return name == kAnonymous; }
};

// What a transport knows of a caller. Does not own the texts.
struct Credentials {
  // What follows "Bearer " where the caller gave a token. Empty: none.
  std::string_view bearer;
  // Of a certificate that TLS has verified: its first URI SAN, else its first DNS SAN, else its
  // subject's CN. Empty: none.
  std::string_view certificate_name;
};

}  // namespace millrace::server
