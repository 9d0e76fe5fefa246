// Who calls, as a transport found out, and what they may know of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/access/access.h"
#include "server/access/authenticator.h"
#include "server/access/principal.h"
#include "server/access/rights.h"

namespace millrace::server {

// A value. Threads: any.
struct Caller {
  std::string peer;  // The client's address.
  // Null: nobody is asked who they are, and everybody may do everything. Outlives the caller.
  Access* access = nullptr;
  // An error: the credentials that came are none.
  absl::StatusOr<Principal> principal = Principal{};

  // Whom what this caller opens belongs to; empty where nobody is asked.
  std::string owner() const;

  // Whether the caller may know that the topic or group is there, under the rules of this moment.
  bool Sees(Resource resource) const;
};

// Who is at `peer` and shows this: the values of the header, or metadata, "authorization", of which
// there should be at most one, with a bearer token; and the name of its certificate, empty for
// none. `access` may be null; then nobody looks at what is shown.
Caller Identify(Access* access, std::string peer,
                const std::vector<std::string_view>& authorization,
                std::string_view certificate_name);

}  // namespace millrace::server
