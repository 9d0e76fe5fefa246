// The way to a hub: one channel that producers, consumers and admins share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace millrace::client {

// How long to wait before the next attempt: initial * multiplier^n up to max, each shortened by a
// random part of up to `jitter` (0 to 1), so that many clients do not come back at the same
// instant.
struct BackoffOptions {
  absl::Duration initial = absl::Milliseconds(100);
  absl::Duration max = absl::Seconds(5);
  double multiplier = 2.0;
  double jitter = 0.5;
};

// How a connection speaks TLS. Everything is PEM text, not the name of a file.
struct TlsOptions {
  std::string ca;           // Who vouches for the hub. Empty: those whom the system trusts.
  std::string certificate;  // The client's own, then those that vouch for it. Empty: none is shown.
  std::string key;          // Of the client's certificate.
};

struct ConnectionOptions {
  std::string target = "localhost:9640";  // HOST:PORT, or any gRPC target.
  std::optional<TlsOptions> tls = {};     // Absent: none, as a hub without certificates wants it.

  // A file with a bearer token that says who the client is, read anew for every call, so that it
  // can be replaced at any time. Empty: none. Without TLS it goes to this machine only.
  std::string token_file = {};
  bool token_in_clear = false;  // To any machine, where whoever is on the way can read it.

  absl::Duration request_timeout = absl::Seconds(30);  // Of every single call (not of streams).

  // A connection that is silent for `keepalive_time` is probed, and given up when the probe is not
  // answered within `keepalive_timeout`.
  absl::Duration keepalive_time = absl::Seconds(20);
  absl::Duration keepalive_timeout = absl::Seconds(10);

  int64_t max_receive_bytes = 64 << 20;  // The largest message that is accepted.

  BackoffOptions backoff = {};  // Between attempts to reconnect.
};

// Whether a token would travel where others can read it, and nobody asked for that: without TLS and
// token_in_clear, to a target that is not written as localhost, 127.0.0.0/8, [::1] or unix:PATH.
bool ExposesToken(const ConnectionOptions& options);

// A connection is established when it is first used and again whenever it breaks. Shared by whoever
// uses it; lives as long as the last of them. Threads: any.
class Connection {
 public:
  // Does not wait for the hub, and fails for options alone: INVALID_ARGUMENT where they expose a
  // token. Without one `*Connection::Open(...)` will do.
  static absl::StatusOr<std::shared_ptr<Connection>> Open(ConnectionOptions options = {});

  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const ConnectionOptions& options() const;

  // What this library's other parts need of it (client/cpp/channel.h).
  struct Internals;
  Internals& internals() const { return *internals_; }

 private:
  explicit Connection(std::unique_ptr<Internals> internals);
  std::unique_ptr<Internals> internals_;
};

}  // namespace millrace::client
