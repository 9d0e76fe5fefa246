// Listens and accepts for a gRPC server, in place of gRPC's own listener, which stops for good when
// the process runs out of file descriptors and knows no limit of connections.
#pragma once

#include <grpcpp/server_builder.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/sockets/listening.h"

namespace millrace::server {

// Bind, then Start, then Stop, each from one thread at a time.
class ConnectionAcceptor {
 public:
  // As Listen of server/sockets/listening.h.
  static absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> Bind(const std::string& address,
                                                                  int max_connections);
  ~ConnectionAcceptor();  // As Stop.

  int port() const { return port_; }

  // Hands connections to `server` from now on. Beyond max_connections they are closed at once.
  void Start(std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> server);

  // Closes the listening sockets; connections stay. Idempotent.
  void Stop();

 private:
  // A connection that gRPC owns and may have closed since.
  struct Connection {
    int fd;
    ino_t inode;
  };

  ConnectionAcceptor(ListeningSockets listening, int max_connections);

  void Run();
  void AcceptFrom(int listener);
  bool HasRoom();

  std::vector<OwnedFd> listeners_;
  const OwnedFd wake_;  // Readable: stop.
  const int port_;
  const size_t max_connections_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> server_;
  std::thread thread_;

  // Of the thread.
  std::vector<Connection> connections_;
  absl::Duration last_sweep_ = -absl::InfiniteDuration();  // Monotonic.
  bool out_of_descriptors_ = false;
};

}  // namespace millrace::server
