// Listens and accepts for a gRPC server, in place of gRPC's own listener, which stops for good when
// the process runs out of file descriptors and knows no limit of connections, neither of all nor of
// one address.
#pragma once

#include <grpcpp/server_builder.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/contract/refused_connections.h"
#include "server/grpc/guarded_connections.h"
#include "server/grpc/http2_guard.h"
#include "server/sockets/address_counts.h"
#include "server/sockets/address_streams.h"
#include "server/sockets/listening.h"

namespace millrace::server {

// Bind, then Start, then Stop, each from one thread at a time.
class ConnectionAcceptor {
 public:
  struct Limits {
    int32_t connections = 10'000;
    int32_t connections_per_address = 0;  // 0: as many as there may be.
    int32_t streams_per_address = 0;      // Open at a time; 0: any number.
    Http2Limits http2;
    bool tls = false;  // The server that connections are handed to speaks it.
  };

  // As Listen of server/sockets/listening.h. What is refused is noted in `refused`.
  static absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> Bind(
      const std::string& address, const Limits& limits,
      std::shared_ptr<RefusedConnections> refused);
  ~ConnectionAcceptor();  // As Stop.

  int port() const { return port_; }

  // Hands connections to `server` from now on. Beyond a limit they are closed at once.
  void Start(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> server);

  // Closes the listening sockets; connections stay. Idempotent.
  void Stop();

 private:
  // A connection that gRPC owns and may have closed since.
  struct Connection {
    int fd;
    ino_t inode;
    PeerNetwork from;
  };

  ConnectionAcceptor(ListeningSockets listening, const Limits& limits,
                     std::shared_ptr<RefusedConnections> refused);

  void Run();
  void AcceptFrom(int listener);
  Guarding GuardingOf(const PeerNetwork& from);
  void HandOver(int listener, OwnedFd connection, Guarding guarding);
  // Counts one more, or says why not.
  std::optional<ConnectionRefusal> Refuse(const PeerNetwork& from);
  // Forgets the connections that gRPC has closed; whether it looked, which it does not do too
  // often.
  bool Sweep();

  std::vector<OwnedFd> listeners_;
  const OwnedFd wake_;  // Readable: stop.
  const int port_;
  const Limits limits_;
  // Shared with the guards of connections, which may outlive this object.
  const std::shared_ptr<AddressCounts> addresses_;
  AddressStreams streams_;
  const std::shared_ptr<RefusedConnections> refused_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> server_;
  std::thread thread_;

  // Of the thread.
  std::vector<Connection> connections_;
  absl::Duration last_sweep_ = -absl::InfiniteDuration();  // Monotonic.
  bool out_of_descriptors_ = false;
};

}  // namespace millrace::server
