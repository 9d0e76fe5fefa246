// What the machine itself gives, right now: append and fdatasync, loopback TCP, memcpy. Prints one
// JSON object {name: {"mb_per_second" or "per_second", "p50_us", "p99_us"}}; 1 MB is 10^6 bytes.
//
//   millrace-bench-limits DIRECTORY SECONDS_EACH
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

[[noreturn]] void Fail(const char* what) {
  perror(what);
  exit(1);
}

// Durations of single steps, for the percentiles.
class Steps {
 public:
  void Add(double seconds) { seconds_.push_back(seconds); }
  size_t count() const { return seconds_.size(); }
  double Microseconds(double share) {
    std::sort(seconds_.begin(), seconds_.end());
    const auto rank = static_cast<size_t>(share * static_cast<double>(seconds_.size()));
    return 1e6 * seconds_[std::min(rank, seconds_.size() - 1)];
  }

 private:
  std::vector<double> seconds_;
};

void Separate() {
  static bool first = true;
  printf(first ? "{" : ",\n ");
  first = false;
}

// Appends chunks to a new file, each with an fdatasync, as a log without a layout of its own would.
void AppendAndSync(const std::string& directory, size_t chunk_bytes, double seconds) {
  const std::string path = directory + "/limits.dat";
  const int file = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) Fail("open");
  const std::vector<char> chunk(chunk_bytes, 'x');
  Steps steps;
  const auto begin = Clock::now();
  while (SecondsSince(begin) < seconds) {
    const auto step = Clock::now();
    if (write(file, chunk.data(), chunk.size()) != static_cast<ssize_t>(chunk.size()))
      Fail("write");
    if (fdatasync(file) != 0) Fail("fdatasync");
    steps.Add(SecondsSince(step));
  }
  const double bytes = static_cast<double>(steps.count()) * static_cast<double>(chunk_bytes);
  const double elapsed = SecondsSince(begin);
  close(file);
  unlink(path.c_str());
  Separate();
  printf("\"append_fdatasync_%zuk\": {\"mb_per_second\": %.2f, \"p50_us\": %.1f, \"p99_us\": %.1f}",
         chunk_bytes / 1024, bytes / elapsed / 1e6, steps.Microseconds(0.5),
         steps.Microseconds(0.99));
}

// A connection of two processes over loopback; the child runs `peer` with its end and exits.
template <typename Peer>
std::pair<int, pid_t> Connect(Peer peer) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, length) != 0 || listen(listener, 1) != 0) Fail("listen");
  if (getsockname(listener, generic, &length) != 0) Fail("getsockname");
  fflush(stdout);
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  const int one = 1;
  if (child == 0) {
    const int end = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(end, generic, length) != 0) Fail("connect");
    setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    peer(end);
    _exit(0);
  }
  const int end = accept(listener, nullptr, nullptr);
  if (end < 0) Fail("accept");
  setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  close(listener);
  return {end, child};
}

void LoopbackThroughput(double seconds) {
  constexpr size_t kChunk = 256 << 10;
  const auto [end, child] = Connect([&](int peer) {
    const std::vector<char> chunk(kChunk, 'x');
    const auto begin = Clock::now();
    while (SecondsSince(begin) < seconds) {
      if (write(peer, chunk.data(), chunk.size()) < 0) Fail("send");
    }
  });
  std::vector<char> buffer(kChunk);
  double bytes = 0;
  const auto begin = Clock::now();
  for (ssize_t got; (got = read(end, buffer.data(), buffer.size())) > 0;) {
    bytes += static_cast<double>(got);
  }
  Separate();
  printf("\"loopback_tcp\": {\"mb_per_second\": %.0f}", bytes / SecondsSince(begin) / 1e6);
  close(end);
  waitpid(child, nullptr, 0);
}

void LoopbackRoundTrip(double seconds) {
  constexpr size_t kMessage = 64;
  const auto [end, child] = Connect([](int peer) {
    char message[kMessage];
    for (ssize_t got; (got = read(peer, message, kMessage)) > 0;) {
      if (write(peer, message, static_cast<size_t>(got)) != got) break;
    }
  });
  char message[kMessage] = {};
  Steps steps;
  const auto begin = Clock::now();
  while (SecondsSince(begin) < seconds) {
    const auto step = Clock::now();
    if (write(end, message, kMessage) != kMessage) Fail("send");
    for (size_t left = kMessage; left > 0;) {
      const ssize_t got = read(end, message, left);
      if (got <= 0) Fail("receive");
      left -= static_cast<size_t>(got);
    }
    steps.Add(SecondsSince(step));
  }
  Separate();
  printf("\"loopback_round_trip_64b\": {\"per_second\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f}",
         static_cast<double>(steps.count()) / SecondsSince(begin), steps.Microseconds(0.5),
         steps.Microseconds(0.99));
  close(end);
  waitpid(child, nullptr, 0);
}

void Memcpy(double seconds) {
  constexpr size_t kBytes = 64 << 20;
  std::vector<char> from(kBytes, 1);
  std::vector<char> to(kBytes, 2);
  double bytes = 0;
  const auto begin = Clock::now();
  while (SecondsSince(begin) < seconds) {
    memcpy(to.data(), from.data(), kBytes);
    asm volatile("" : : "r"(to.data()) : "memory");  // Keeps the copy.
    bytes += kBytes;
  }
  Separate();
  printf("\"memcpy_64m\": {\"mb_per_second\": %.0f}", bytes / SecondsSince(begin) / 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: millrace-bench-limits DIRECTORY SECONDS_EACH\n");
    return 2;
  }
  const double seconds = atof(argv[2]);
  for (const size_t kib : {4, 64, 1024}) AppendAndSync(argv[1], kib << 10, seconds);
  LoopbackThroughput(seconds);
  LoopbackRoundTrip(seconds);
  Memcpy(seconds);
  printf("}\n");
  return 0;
}
