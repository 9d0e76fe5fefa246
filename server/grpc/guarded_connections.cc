#include "server/grpc/guarded_connections.h"

#include <dlfcn.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/grpc/window_updates.h"
#include "server/hub/timer_queue.h"

namespace millrace::server {
namespace {

// Threads: as Http2Guard.
class GuardedConnection {
 public:
  explicit GuardedConnection(Guarding guarding)
      : guard_(guarding.limits, std::move(guarding.of_address)),
        ended_(std::move(guarding.ended)) {}

  ~GuardedConnection() { Tell(); }

  GuardedConnection(const GuardedConnection&) = delete;
  GuardedConnection& operator=(const GuardedConnection&) = delete;

  // As Http2Guard.
  bool Admit(std::string_view bytes, absl::Duration now) {
    if (guard_.Admit(bytes, now)) return true;
    Tell();
    return false;
  }

  void Sent(std::string_view bytes) { guard_.Sent(bytes); }
  std::mutex& sending() { return guard_.sending(); }

  // Sends as sendmsg does; see WindowUpdates.
  ssize_t Send(int fd, const msghdr& message, int flags);

 private:
  ssize_t SendOverdue(int fd, const msghdr& message, int flags);

  void Tell() {
    const auto ended = std::exchange(ended_, nullptr);
    if (!ended) return;
    ended({.cut = guard_.refusal(),
           .streams = guard_.streams(),
           .age = hub::MonotonicNow() - began_});
  }

  Http2Guard guard_;
  std::function<void(const GuardedEnd&)> ended_;  // Empty once it was told.
  const absl::Duration began_ = hub::MonotonicNow();

  // Of what writes.
  WindowUpdates window_updates_;
  std::string overdue_;  // Frames of its, the first of which may be sent in part: go first.
};

// The plaintext connections, by descriptor; what is not used of it takes no memory. gRPC reads a
// connection from one thread at a time and closes it when nobody reads or writes it any more, so
// that who finds a guard may use it.
constexpr size_t kDescriptors = 1 << 20;
std::array<std::atomic<GuardedConnection*>, kDescriptors> guarded;

std::atomic<GuardedConnection*>* SlotOf(int fd) {
  return fd >= 0 && static_cast<size_t>(fd) < kDescriptors ? &guarded[static_cast<size_t>(fd)]
                                                           : nullptr;
}

GuardedConnection* GuardOf(const std::atomic<GuardedConnection*>* slot) {
  return slot == nullptr ? nullptr : slot->load(std::memory_order_acquire);
}

// Calls `use` with the first `size` bytes of the message's buffers, part by part, while it says so;
// whether it always did.
template <typename Use>
bool ForEachPart(const msghdr& message, size_t size, Use use) {
  for (size_t i = 0; i < message.msg_iovlen && size > 0; ++i) {
    const iovec& buffer = message.msg_iov[i];
    const size_t part = std::min(size, buffer.iov_len);
    if (!use(std::string_view(static_cast<const char*>(buffer.iov_base), part))) return false;
    size -= part;
  }
  return true;
}

size_t SizeOf(const msghdr& message) {
  size_t size = 0;
  for (size_t i = 0; i < message.msg_iovlen; ++i) size += message.msg_iov[i].iov_len;
  return size;
}

std::vector<std::string_view> PartsOf(const msghdr& message) {
  std::vector<std::string_view> parts;
  ForEachPart(message, SizeOf(message), [&](std::string_view part) {
    parts.push_back(part);
    return true;
  });
  return parts;
}

std::string Joined(const msghdr& message) {
  std::string bytes;
  for (const std::string_view part : PartsOf(message)) bytes += part;
  return bytes;
}

ssize_t GuardedConnection::Send(int fd, const msghdr& message, int flags) {
  const std::lock_guard lock(sending());
  const size_t size = SizeOf(message);
  if (overdue_.empty() && size <= WindowUpdates::kMostBytes &&
      window_updates_.Keep(Joined(message))) {
    return static_cast<ssize_t>(size);
  }
  if (window_updates_.keeps_any() && window_updates_.MustGoBefore(PartsOf(message))) {
    overdue_ += window_updates_.Take();
  }
  const ssize_t sent = overdue_.empty() ? syscall(SYS_sendmsg, fd, &message, flags)
                                        : SendOverdue(fd, message, flags);
  if (sent <= 0) return sent;
  ForEachPart(message, static_cast<size_t>(sent), [&](std::string_view bytes) {
    guard_.Sent(bytes);
    window_updates_.Sent(bytes);
    return true;
  });
  return sent;
}

// What is sent of the message after it.
ssize_t GuardedConnection::SendOverdue(int fd, const msghdr& message, int flags) {
  std::vector<iovec> buffers = {{overdue_.data(), overdue_.size()}};
  buffers.insert(buffers.end(), message.msg_iov, message.msg_iov + message.msg_iovlen);
  if (buffers.size() > IOV_MAX) buffers.resize(IOV_MAX);
  msghdr together = message;
  together.msg_iov = buffers.data();
  together.msg_iovlen = buffers.size();
  const ssize_t sent = syscall(SYS_sendmsg, fd, &together, flags);
  if (sent < 0) return sent;
  const size_t overdue = std::min(static_cast<size_t>(sent), overdue_.size());
  guard_.Sent({overdue_.data(), overdue});
  window_updates_.Sent({overdue_.data(), overdue});
  overdue_.erase(0, overdue);
  if (static_cast<size_t>(sent) > overdue) return sent - static_cast<ssize_t>(overdue);
  errno = EAGAIN;  // To be asked again once there is room in the socket.
  return -1;
}

[[maybe_unused]] ssize_t ReadGuarded(int fd, msghdr* message, int flags) {
  const ssize_t size = syscall(SYS_recvmsg, fd, message, flags);
  GuardedConnection* connection = GuardOf(SlotOf(fd));
  if (size <= 0 || (flags & (MSG_ERRQUEUE | MSG_PEEK)) != 0 || connection == nullptr) return size;
  const absl::Duration now = hub::MonotonicNow();
  const bool admitted =
      ForEachPart(*message, static_cast<size_t>(size),
                  [&](std::string_view bytes) { return connection->Admit(bytes, now); });
  if (admitted) return size;
  errno = ECONNRESET;
  return -1;
}

[[maybe_unused]] ssize_t WriteGuarded(int fd, const msghdr* message, int flags) {
  GuardedConnection* connection = GuardOf(SlotOf(fd));
  if (connection == nullptr) return syscall(SYS_sendmsg, fd, message, flags);
  return connection->Send(fd, *message, flags);
}

[[maybe_unused]] int CloseGuarded(int fd) {
  std::atomic<GuardedConnection*>* slot = SlotOf(fd);
  if (slot != nullptr && slot->load(std::memory_order_relaxed) != nullptr) {
    delete slot->exchange(nullptr);
  }
  return static_cast<int>(syscall(SYS_close, fd));
}

// Of this thread. Null: what it makes is not guarded.
thread_local GuardedTlsHandover* handover = nullptr;

void GuardNewTls(void*, void*, CRYPTO_EX_DATA* data, int index, long, void*) {
  if (handover == nullptr || !handover->guarding) return;
  auto connection = std::make_unique<GuardedConnection>(*std::move(handover->guarding));
  handover->guarding.reset();
  if (CRYPTO_set_ex_data(data, index, connection.get()) == 1) connection.release();
}

void FreeGuardOfTls(void*, void* guard, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<GuardedConnection*>(guard);
}

// Where a connection with TLS has its guard, which goes with it.
int GuardIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, &GuardNewTls, nullptr, &FreeGuardOfTls);
  return index;
}

// Null: it has none.
GuardedConnection* GuardOf(const SSL* tls) {
  return static_cast<GuardedConnection*>(SSL_get_ex_data(tls, GuardIndex()));
}

[[maybe_unused]] int DecryptGuarded(SSL* tls, void* buffer, int most) {
  size_t size = 0;
  if (most < 0 || SSL_read_ex(tls, buffer, static_cast<size_t>(most), &size) != 1) return -1;
  GuardedConnection* connection = GuardOf(tls);
  if (connection == nullptr ||
      connection->Admit({static_cast<const char*>(buffer), size}, hub::MonotonicNow())) {
    return static_cast<int>(size);
  }
  ERR_raise(ERR_LIB_USER, ERR_R_DISABLED);
  return -1;
}

[[maybe_unused]] int EncryptGuarded(SSL* tls, const void* buffer, int size) {
  size_t written = 0;
  if (size < 0 || SSL_write_ex(tls, buffer, static_cast<size_t>(size), &written) != 1) return -1;
  if (GuardedConnection* connection = GuardOf(tls)) {
    connection->Sent({static_cast<const char*>(buffer), written});
  }
  return static_cast<int>(written);
}

}  // namespace

bool GuardConnection(int fd, Guarding guarding) {
  std::atomic<GuardedConnection*>* slot = SlotOf(fd);
  if (slot == nullptr) return false;
  delete slot->exchange(new GuardedConnection(std::move(guarding)));
  return true;
}

GuardedTlsHandover::GuardedTlsHandover(Guarding of_connection)
    : guarding(std::move(of_connection)) {
  GuardIndex();  // Before the connection is made.
  handover = this;
}

GuardedTlsHandover::~GuardedTlsHandover() { handover = nullptr; }

}  // namespace millrace::server

#ifdef MILLRACE_SANITIZED

bool millrace::server::ConnectionsAreGuarded() { return false; }

#else

// Each does what the function of that name does, of libc and of OpenSSL.
extern "C" {

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  return millrace::server::ReadGuarded(fd, message, flags);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  return millrace::server::WriteGuarded(fd, message, flags);
}

int close(int fd) { return millrace::server::CloseGuarded(fd); }

int SSL_read(SSL* tls, void* buffer, int most) {
  return millrace::server::DecryptGuarded(tls, buffer, most);
}

int SSL_write(SSL* tls, const void* buffer, int size) {
  return millrace::server::EncryptGuarded(tls, buffer, size);
}

}  // extern "C"

// A library finds the function that the program's own look-up finds.
bool millrace::server::ConnectionsAreGuarded() {
  const auto goes_first = [](const char* name, auto* function) {
    return dlsym(RTLD_DEFAULT, name) == reinterpret_cast<void*>(function);
  };
  return goes_first("recvmsg", &recvmsg) && goes_first("sendmsg", &sendmsg) &&
         goes_first("close", &close) && goes_first("SSL_read", &SSL_read) &&
         goes_first("SSL_write", &SSL_write);
}

#endif
