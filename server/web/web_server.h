// The hub's web port: WebSockets, event streams, plain HTTP and the console, with the limits that
// keep one client from harming the others. README.md describes all of it for a user.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/hub/hub.h"
#include "server/tls/tls_files.h"
#include "server/web/http_api.h"
#include "server/web/web_limits.h"

namespace millrace::server {

struct WebServerOptions {
  std::string listen = "localhost:9641";  // HOST:PORT; port 0: any that is free.
  std::optional<TlsMaterial> tls;         // Absent: no TLS.
  int io_threads = 2;
  WebLimits limits;
  HttpApiOptions api;
};

// Threads: any.
class WebServer {
 public:
  // Serves `hub`, which outlives the server. An error says why the address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<WebServer>> Start(hub::Hub& hub, WebServerOptions options);
  ~WebServer();  // As Stop with no time left.

  // What the connections to come are shown, where there is TLS. Internal: OpenSSL refuses it.
  absl::Status UseTls(const TlsMaterial& material);

  int port() const;
  // Connections that are open, or for which a call is still under way.
  int connection_count() const;

  // Stops listening and lets connections end: those that have nothing open at once, the others when
  // the hub, which is to be drained next, has ended what they have. Does not block. Idempotent.
  void Drain();

  // Drains, and cuts the connections that are still there after `grace`. Blocks until all is over.
  // Idempotent.
  void Stop(absl::Duration grace);

 private:
  struct Parts;

  explicit WebServer(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace millrace::server
