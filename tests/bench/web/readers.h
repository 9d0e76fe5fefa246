// Many WebSockets that are read by one thread, at the least cost that a reader can have, and held
// to completeness: each must be sent every event once and in order.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/bench/web/event.h"

namespace millrace::bench {

struct ReaderOptions {
  std::string target;       // HOST:PORT of the web port.
  std::string subprotocol;  // Empty: none.
  std::string first_frame;  // What each says once it is connected; may be empty.
  int opening_frames = 0;   // That each is sent before any event: then it takes part.
  int connections = 0;
  uint32_t most_outstanding = 0;  // Events that some may have and others not.
  bool keeps_latencies = false;
};

// All together, since they began.
struct Received {
  int64_t deliveries = 0;  // Of an event to a reader.
  int64_t frames = 0;
  int64_t bytes = 0;  // With the frames' headers.
};

// Whatever goes wrong (a close, an event that is missing or comes twice) ends the program.
class WebReaders {
 public:
  // Connects, and begins to read. Blocks until all take part.
  explicit WebReaders(ReaderOptions options);
  ~WebReaders();  // Closes the connections.

  // Any thread.
  Received received() const;
  // Events that every reader has. Blocks while they are `count` or fewer.
  uint32_t everybody_has() const { return everybody_has_.load(std::memory_order_acquire); }
  void WaitForMoreThan(uint32_t count) const { everybody_has_.wait(count); }

  // From when an event was due until a reader had it, each delivery since `begin`. In nanoseconds.
  // After Stop.
  std::vector<int64_t> TakeLatencies(uint64_t begin_ns);

  // Reads no more.
  void Stop();

 private:
  struct Connection;
  struct Sample {
    uint64_t due_ns;
    int64_t latency_ns;
  };

  void Run();
  void Read(Connection& connection);
  // Gives how many of the bytes are done with; the others are the beginning of something.
  size_t Take(Connection& connection, std::string_view bytes);
  size_t TakeHeader(Connection& connection, std::string_view bytes);
  void TakeControl(Connection& connection, uint8_t opcode, std::string_view payload);
  void OnEvent(Connection& connection, const Event& event);

  const ReaderOptions options_;
  std::vector<Connection> connections_;
  std::vector<char> buffer_;
  int epoll_ = -1;
  uint64_t now_ns_ = 0;         // When the last bytes were read.
  std::vector<int> how_often_;  // Was an event delivered, by its number modulo the size.
  // A vector moves as it grows, which takes tens of ms that would count as the server's.
  std::deque<Sample> samples_;
  Received counted_;  // The thread's own.

  std::atomic<int> taking_part_{0};
  std::atomic<uint32_t> everybody_has_{0};
  std::atomic<int64_t> deliveries_{0};
  std::atomic<int64_t> frames_{0};
  std::atomic<int64_t> bytes_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Of the monotonic clock.
uint64_t NowNs();

}  // namespace millrace::bench
