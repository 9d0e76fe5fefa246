// The hub's gRPC listener: every service of the contract, health and reflection, with the limits
// that keep one client from harming the others.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/contract/call_watch.h"
#include "server/hub/hub.h"
#include "server/tls/tls_files.h"

namespace millrace::server {

struct GrpcServerOptions {
  std::string listen = "localhost:9640";    // HOST:PORT; port 0: any that is free.
  std::optional<TlsFiles> tls;              // Which LoadTls accepts. Absent: no TLS.
  int32_t max_connections_per_address = 0;  // 0: as many as there may be.
  int32_t max_streams_per_address = 0;      // Open at a time; 0: any number.
  std::string version;                      // Of the hub program, for GetHub.
  // Where calls are noted.
  std::shared_ptr<CallWatch> watch = std::make_shared<CallWatch>();
};

// Threads: any.
class GrpcServer {
 public:
  // Serves `hub`, which outlives the server. An error says why the address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(hub::Hub& hub,
                                                           const GrpcServerOptions& options);
  ~GrpcServer();  // As Stop with no time left.

  int port() const;

  // Drains: health says NOT_SERVING, subscriptions are told where to resume, produce streams get
  // the answers they are owed, new calls are refused with DRAINING. Then stops listening; calls
  // that are still open after `grace` are cut. Blocks until all is over. Idempotent.
  void Stop(absl::Duration grace);

 private:
  struct Services;

  GrpcServer(hub::Hub& hub, const GrpcServerOptions& options);

  hub::Hub& hub_;
  std::unique_ptr<Services> services_;
};

}  // namespace millrace::server
