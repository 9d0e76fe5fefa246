// The PEM files of a listener that speaks TLS: read, and refused where clients could not trust, or
// others could steal, what they hold.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace millrace::server {

struct TlsFiles {
  std::string certificates;  // The hub's own certificate first, then those that vouch for it.
  std::string key;           // Of the hub's certificate, without a passphrase.
  std::string client_ca;     // Who vouches for clients. Empty: clients need no certificate.
};

// What the files hold, as PEM.
struct TlsMaterial {
  std::string certificates;
  std::string key;
  std::string client_ca;
  absl::Time expires_at;  // When the first of `certificates` does.

  bool operator==(const TlsMaterial&) const = default;
};

// Reads the files. FailedPrecondition, with a sentence that names the file and what is wrong with
// it: it cannot be read; it holds no PEM; the key may be read by everybody, is encrypted or is not
// the certificate's; a certificate does not vouch for the one before it; one is not valid at `now`.
absl::StatusOr<TlsMaterial> LoadTls(const TlsFiles& files, absl::Time now);

}  // namespace millrace::server
