// Shows what gRPC reads from its clients to an Http2Guard first, and what it writes afterwards.
// gRPC 1.51 has no place for that: it reads with recvmsg and writes with sendmsg, decrypts with
// SSL_read and encrypts with SSL_write, all of which are defined anew in guarded_connections.cc for
// the whole program, as is close; a definition in a program goes before that of a shared library,
// for gRPC's calls too, be it part of the program or a library.
// To gRPC a connection that may not go on looks as if the client had broken it. What it writes
// without TLS goes through WindowUpdates.
//
// With sanitizers, which define these functions themselves, nothing is guarded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "server/contract/refused_connections.h"
#include "server/grpc/http2_guard.h"
#include "server/sockets/address_streams.h"

namespace millrace::server {

// Whether the program's calls go to the functions of guarded_connections.cc. Whoever serves
// though they do not should say so. Threads: any.
bool ConnectionsAreGuarded();

// A guarded connection that is over.
struct GuardedEnd {
  std::optional<ConnectionRefusal> cut;  // It was not let go on: Http2Guard::refusal.
  int64_t streams;                       // That the client had opened.
  absl::Duration age;                    // Since it was first guarded.
};

// How a connection is guarded.
struct Guarding {
  Http2Limits limits;
  std::shared_ptr<AddressStreams::OfAddress> of_address;  // As in Http2Guard.
  // Told of it once, from any thread: of one that is cut before the other side can know, of others
  // when their descriptor is closed, or what they have of TLS is freed.
  std::function<void(const GuardedEnd&)> ended;
};

// Guards the plaintext connection `fd`, until it is closed; false where it cannot be, which is when
// the process has more than a million descriptors. To be called before anybody reads from it.
// Threads: any.
bool GuardConnection(int fd, Guarding guarding);

// Guards the first connection with TLS that this thread makes while the object lives, until it is
// freed: gRPC makes that of a descriptor before it returns to whoever hands the descriptor over.
class GuardedTlsHandover {
 public:
  explicit GuardedTlsHandover(Guarding guarding);
  ~GuardedTlsHandover();

  GuardedTlsHandover(const GuardedTlsHandover&) = delete;
  GuardedTlsHandover& operator=(const GuardedTlsHandover&) = delete;

  // Absent once a connection has it.
  std::optional<Guarding> guarding;
};

}  // namespace millrace::server
