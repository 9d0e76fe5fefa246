#include "server/web/tcp_progress.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <utility>

namespace millrace::server {

int64_t AcknowledgedBytes(int socket) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return static_cast<int64_t>(info.tcpi_bytes_acked);
}

absl::Duration WriteProgress::Silence(int socket, absl::Duration now) {
  const int64_t acknowledged = AcknowledgedBytes(socket);
  if (std::exchange(acknowledged_, acknowledged) != acknowledged) taken_at_ = now;
  return now - taken_at_;
}

}  // namespace millrace::server
