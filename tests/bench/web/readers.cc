#include "tests/bench/web/readers.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "tests/bench/web/client_socket.h"

namespace millrace::bench {
namespace {

constexpr size_t kBufferBytes = 256 << 10;
constexpr uint8_t kFirstControlOpcode = 8;

void AllowDescriptors(int wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < static_cast<rlim_t>(wanted)) Fail("the limit of descriptors is too low");
}

}  // namespace

uint64_t NowNs() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

struct WebReaders::Connection {
  int socket = -1;
  uint64_t payload_left = 0;  // Of the frame that is being read.
  uint32_t next_event = 0;
  int64_t frames = 0;
  std::string begun;  // The beginning of a header or an event.
};

WebReaders::WebReaders(ReaderOptions options)
    : options_(std::move(options)),
      connections_(options_.connections),
      buffer_(kBufferBytes),
      how_often_(std::bit_ceil(options_.most_outstanding + 1)) {
  AllowDescriptors(options_.connections + 100);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  for (Connection& connection : connections_) {
    connection.socket = OpenWebSocket(options_.target, options_.subprotocol);
    SendAll(connection.socket, options_.first_frame);
    fcntl(connection.socket, F_SETFL, O_NONBLOCK);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.socket, &event) != 0) Fail("epoll_ctl failed");
  }
  thread_ = std::thread([this] { Run(); });
  for (int so_far = 0; (so_far = taking_part_) < options_.connections;) taking_part_.wait(so_far);
}

WebReaders::~WebReaders() {
  Stop();
  for (const Connection& connection : connections_) close(connection.socket);
  close(epoll_);
}

void WebReaders::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

Received WebReaders::received() const {
  return {.deliveries = deliveries_, .frames = frames_, .bytes = bytes_};
}

std::vector<int64_t> WebReaders::TakeLatencies(uint64_t begin_ns) {
  std::vector<int64_t> latencies;
  for (const Sample& sample : std::exchange(samples_, {})) {
    if (sample.due_ns >= begin_ns) latencies.push_back(sample.latency_ns);
  }
  return latencies;
}

// ---- Of the thread

void WebReaders::Run() {
  constexpr int kMaxEvents = 256;
  constexpr int kLookAgainMs = 100;  // Whether to stop.
  epoll_event events[kMaxEvents];
  while (!stop_) {
    const int count = epoll_wait(epoll_, events, kMaxEvents, kLookAgainMs);
    for (int i = 0; i < count; ++i) Read(*static_cast<Connection*>(events[i].data.ptr));
    deliveries_.store(counted_.deliveries, std::memory_order_relaxed);
    frames_.store(counted_.frames, std::memory_order_relaxed);
    bytes_.store(counted_.bytes, std::memory_order_relaxed);
  }
}

void WebReaders::Read(Connection& connection) {
  const size_t begun = connection.begun.size();
  std::copy(connection.begun.begin(), connection.begun.end(), buffer_.begin());
  const ssize_t got = recv(connection.socket, buffer_.data() + begun, buffer_.size() - begun, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) Fail("a connection was closed");
  counted_.bytes += got;
  if (options_.keeps_latencies) now_ns_ = NowNs();
  const std::string_view bytes(buffer_.data(), begun + got);
  connection.begun = bytes.substr(Take(connection, bytes));
}

size_t WebReaders::Take(Connection& connection, std::string_view bytes) {
  size_t taken = 0;
  while (taken < bytes.size()) {
    const std::string_view left = bytes.substr(taken);
    if (connection.payload_left == 0) {
      const size_t header = TakeHeader(connection, left);
      if (header == 0) break;
      taken += header;
      continue;
    }
    const std::string_view payload = left.substr(0, connection.payload_left);
    const size_t done = FindEvents(payload, payload.size() == connection.payload_left,
                                   [&](const Event& event) { OnEvent(connection, event); });
    taken += done;
    connection.payload_left -= done;
    if (done < payload.size()) break;
  }
  return taken;
}

// The header of a frame; all of a control frame. 0: it is not all there.
size_t WebReaders::TakeHeader(Connection& connection, std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (bytes.size() < 2) return 0;
  uint64_t length = byte(1);
  const size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
  const size_t header = 2 + length_bytes;
  if (bytes.size() < header) return 0;
  if (length_bytes > 0) length = 0;
  for (size_t i = 2; i < header; ++i) length = length << 8 | byte(i);
  const uint8_t opcode = byte(0) & 0x0f;
  if (opcode >= kFirstControlOpcode) {
    if (bytes.size() < header + length) return 0;
    TakeControl(connection, opcode, bytes.substr(header, length));
    return header + length;
  }
  connection.payload_left = length;
  ++counted_.frames;
  if (++connection.frames == options_.opening_frames) {
    ++taking_part_;
    taking_part_.notify_all();
  }
  return header;
}

void WebReaders::TakeControl(Connection& connection, uint8_t opcode, std::string_view payload) {
  switch (static_cast<Opcode>(opcode)) {
    case Opcode::kPing:
      return SendAll(connection.socket, ClientFrame(Opcode::kPong, payload));
    case Opcode::kPong:
      return;
    default:
      Fail("the server closed a connection: " +
           std::string(payload.substr(std::min<size_t>(payload.size(), 2))));
  }
}

void WebReaders::OnEvent(Connection& connection, const Event& event) {
  if (event.number != connection.next_event) {
    Fail("event " + std::to_string(event.number) + " came in place of " +
         std::to_string(connection.next_event));
  }
  ++connection.next_event;
  ++counted_.deliveries;
  if (options_.keeps_latencies) {
    samples_.push_back({event.due_ns, static_cast<int64_t>(now_ns_ - event.due_ns)});
  }
  const size_t mask = how_often_.size() - 1;
  ++how_often_[event.number & mask];
  uint32_t everybody_has = everybody_has_.load(std::memory_order_relaxed);
  if (event.number != everybody_has) return;
  const uint32_t before = everybody_has;
  for (int* times = &how_often_[everybody_has & mask]; *times == options_.connections;
       times = &how_often_[++everybody_has & mask]) {
    *times = 0;
  }
  if (everybody_has == before) return;
  everybody_has_.store(everybody_has, std::memory_order_release);
  everybody_has_.notify_all();
}

}  // namespace millrace::bench
