// Sends events to many WebSockets, through the hub or through millrace-web-broadcast, and prints
// what was delivered as one line of JSON. Three works:
//
//   as fast as all keep up with   --window N: whenever everybody has all but N events, the next
//   at a fixed rate               --rate N: each event has its time, fixed beforehand, and the
//                                 latency counts from then: one that is late hides none behind it
//   nothing at all                --idle: what the connections hold of the server's memory
//
// Every reader must be sent every event once and in order, else the program fails.
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "millrace/v1/gateway.pb.h"
#include "tests/bench/cpu_seconds.h"
#include "tests/bench/web/client_socket.h"
#include "tests/bench/web/event.h"
#include "tests/bench/web/publisher.h"
#include "tests/bench/web/readers.h"

namespace {

using millrace::bench::CpuSeconds;
using millrace::bench::MakeEvent;
using millrace::bench::NowNs;
using millrace::bench::Opcode;
using millrace::bench::Publisher;
using millrace::bench::ReaderOptions;
using millrace::bench::Received;
using millrace::bench::WebReaders;
using nlohmann::json;

constexpr char kTopic[] = "fan-out";

struct Options {
  std::string web;   // HOST:PORT.
  std::string grpc;  // HOST:PORT; empty: the server is millrace-web-broadcast.
  std::string subprotocol = "json";
  int pid = 0;
  int connections = 1000;
  int event_bytes = 256;
  int batch = 1;  // Events a request.
  int window = 1;
  int rate = 0;
  bool idle = false;
  bool synced = false;
  double warm_up_seconds = 1;
  double seconds = 10;
};

// What subscribes to the topic, from its beginning.
std::string Subscribe(const std::string& subprotocol) {
  using millrace::bench::ClientFrame;
  if (subprotocol == "json") {
    return ClientFrame(
        Opcode::kText,
        json{{"id", 1},
             {"subscribe", {{"request", {{"topics", {kTopic}}, {"start", {{"earliest", true}}}}}}}}
            .dump());
  }
  millrace::v1::GatewayRequest request;
  request.set_id(1);
  auto& subscribe = *request.mutable_subscribe()->mutable_request();
  subscribe.add_topics(kTopic);
  subscribe.mutable_start()->set_earliest(true);
  return ClientFrame(Opcode::kBinary, request.SerializeAsString());
}

uint32_t MostOutstanding(const Options& options) {
  constexpr uint32_t kAtAFixedRate = 1 << 16;
  return options.rate > 0 ? kAtAFixedRate : options.window + options.batch;
}

ReaderOptions MakeReaderOptions(const Options& options) {
  ReaderOptions readers{.target = options.web,
                        .opening_frames = 1,  // The broadcast's welcome.
                        .connections = options.connections,
                        .most_outstanding = MostOutstanding(options),
                        .keeps_latencies = options.rate > 0};
  if (!options.grpc.empty()) {
    readers.subprotocol = "millrace.v1." + options.subprotocol;
    readers.first_frame = Subscribe(options.subprotocol);
    readers.opening_frames = 2;  // session_started and assigned.
  }
  return readers;
}

// Publishes one event after another until it is told to stop.
class Publishing {
 public:
  Publishing(const Options& options, Publisher& publisher, const WebReaders& readers)
      : options_(options), publisher_(publisher), readers_(readers), thread_([this] { Run(); }) {}

  // Blocks until everybody has all that was published.
  void Finish() {
    stop_ = true;
    thread_.join();
    for (uint32_t has = 0; (has = readers_.everybody_has()) < published_;) {
      readers_.WaitForMoreThan(has);
    }
  }

  uint32_t published() const { return published_; }  // After Finish.

 private:
  void Run() {
    prctl(PR_SET_TIMERSLACK, 1);  // Sleeps no longer than it must.
    const uint64_t begin = NowNs();
    std::vector<std::string> events(options_.batch);
    while (!stop_) {
      const uint64_t due = options_.rate > 0 ? WaitForItsTime(begin) : WaitForRoom();
      for (std::string& event : events) {
        event = MakeEvent({published_++, due}, options_.event_bytes);
      }
      publisher_.Publish(events);
    }
  }

  uint64_t WaitForItsTime(uint64_t begin) const {
    constexpr uint64_t kSecond = 1'000'000'000;
    const uint64_t due = begin + published_ * kSecond / options_.rate;
    const uint64_t now = NowNs();
    if (now < due) std::this_thread::sleep_for(std::chrono::nanoseconds(due - now));
    return due;
  }

  uint64_t WaitForRoom() const {
    const uint32_t most = std::max(options_.window, options_.batch);
    for (uint32_t has = 0; published_ + options_.batch - (has = readers_.everybody_has()) > most;) {
      readers_.WaitForMoreThan(has);
    }
    return NowNs();
  }

  const Options& options_;
  Publisher& publisher_;
  const WebReaders& readers_;
  uint32_t published_ = 0;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// Of the process now.
double ResidentMegabytes(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) * 1024 / 1e6;
  }
  return 0;
}

void Sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

json LatenciesAsJson(std::vector<int64_t> latencies) {
  if (latencies.empty()) return nullptr;
  std::sort(latencies.begin(), latencies.end());
  const auto quantile_us = [&](double share) {
    const auto last = static_cast<double>(latencies.size() - 1);
    return static_cast<double>(latencies[static_cast<size_t>(share * last)]) / 1e3;
  };
  return {{"deliveries", latencies.size()},
          {"p50_us", quantile_us(0.5)},
          {"p99_us", quantile_us(0.99)},
          {"p999_us", quantile_us(0.999)},
          {"max_us", quantile_us(1)}};
}

json Idle(const Options& options) {
  const WebReaders readers(MakeReaderOptions(options));
  Sleep(options.seconds);  // A connection that is closed meanwhile ends the program.
  return {{"connections", options.connections},
          {"resident_megabytes", ResidentMegabytes(options.pid)}};
}

json FanOut(const Options& options, Publisher& publisher) {
  WebReaders readers(MakeReaderOptions(options));
  Publishing publishing(options, publisher, readers);
  Sleep(options.warm_up_seconds);
  const uint64_t begin = NowNs();
  const double cpu_before = CpuSeconds(options.pid);
  const Received before = readers.received();
  Sleep(options.seconds);
  const Received after = readers.received();
  const double cpu = CpuSeconds(options.pid) - cpu_before;
  const double elapsed = static_cast<double>(NowNs() - begin) / 1e9;
  publishing.Finish();
  readers.Stop();

  const auto deliveries = static_cast<double>(after.deliveries - before.deliveries);
  const auto frames = static_cast<double>(after.frames - before.frames);
  const auto bytes = static_cast<double>(after.bytes - before.bytes);
  return {{"deliveries_per_second", deliveries / elapsed},
          {"frames_per_second", frames / elapsed},
          {"megabytes_per_second", bytes / elapsed / 1e6},
          {"events_per_frame", deliveries / frames},
          {"bytes_per_delivery", bytes / deliveries},
          {"server_us_per_delivery", cpu / deliveries * 1e6},
          {"latency", LatenciesAsJson(readers.TakeLatencies(begin))},
          {"events_everybody_has", publishing.published()}};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Sends events to many WebSockets");
  app.add_option("--web", options.web, "HOST:PORT of the web port")->required();
  app.add_option("--grpc", options.grpc, "HOST:PORT of the hub; none: millrace-web-broadcast");
  app.add_option("--subprotocol", options.subprotocol)
      ->check(CLI::IsMember({"json", "proto"}))
      ->capture_default_str();
  app.add_option("--pid", options.pid, "the server's process")->required();
  app.add_option("--connections", options.connections)->capture_default_str();
  app.add_option("--event-bytes", options.event_bytes)
      ->check(CLI::Range(static_cast<int>(millrace::bench::kEventHeadBytes), 1 << 20))
      ->capture_default_str();
  app.add_option("--batch", options.batch, "events a request")->capture_default_str();
  app.add_option("--window", options.window, "events that not everybody has")
      ->capture_default_str();
  app.add_option("--rate", options.rate, "events a second, in place of a window");
  app.add_flag("--idle", options.idle, "no events");
  app.add_flag("--synced", options.synced, "produce SYNCED instead of BUFFERED");
  app.add_option("--warm-up", options.warm_up_seconds, "seconds")->capture_default_str();
  app.add_option("--seconds", options.seconds, "to measure")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const std::unique_ptr<Publisher> publisher =
      options.grpc.empty() ? millrace::bench::PublishToBroadcast(options.web)
                           : millrace::bench::PublishToHub(options.grpc, kTopic, options.synced);
  const json result = options.idle ? Idle(options) : FanOut(options, *publisher);
  std::cout << result.dump() << "\n";
}
