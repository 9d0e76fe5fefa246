// Produces as fast as the hub takes it and prints what was acknowledged, as one line of JSON.
//
// The client does as little as it can, so that the hub is what is measured: every stream sends one
// prepared request again and again, with a window of unanswered ones. (`millrace bench` measures
// with the client library instead.) In the mode commit it commits offsets, group after group.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "millrace/v1/event_hub.grpc.pb.h"
#include "millrace/v1/topic.grpc.pb.h"
#include "tests/bench/connect.h"

namespace {

using millrace::bench::Connect;
using millrace::v1::CommitOffsetRequest;
using millrace::v1::EventHubService;
using millrace::v1::ProduceRequest;
using Clock = std::chrono::steady_clock;

struct Options {
  std::string target = "localhost:9640";
  std::string topic = "bench";
  std::string mode = "stream";
  std::string durability = "buffered";
  int streams = 4;
  int partitions = 0;  // 0: one for each stream.
  int groups = 1;
  int batch = 1000;
  int record_bytes = 100;
  int window = 16;
  double warm_up_seconds = 1;
  double seconds = 10;
};

// What all streams count together.
struct Counts {
  std::atomic<int64_t> records{0};
  std::atomic<int64_t> errors{0};
  std::atomic<bool> stop{false};
};

int Partitions(const Options& options) {
  return options.partitions > 0 ? options.partitions : std::max(options.streams, 1);
}

millrace::v1::Durability DurabilityOf(const Options& options) {
  return options.durability == "synced" ? millrace::v1::DURABILITY_SYNCED
                                        : millrace::v1::DURABILITY_BUFFERED;
}

ProduceRequest MakeRequest(const Options& options) {
  ProduceRequest request;
  request.set_topic(options.topic);
  request.set_durability(DurabilityOf(options));
  for (int i = 0; i < options.batch; ++i) {
    auto* record = request.add_records();
    record->set_key("k" + std::to_string(i));
    record->set_value(std::string(options.record_bytes, 'x'));
  }
  return request;
}

// The partitions that one stream writes to in turn: every `streams`-th, so that no two share one.
class Turn {
 public:
  Turn(const Options& options, int stream)
      : first_(stream % Partitions(options)),
        step_(options.streams),
        end_(Partitions(options)),
        next_(first_) {}

  int Next() {
    const int partition = next_;
    next_ += step_;
    if (next_ >= end_) next_ = first_;
    return partition;
  }

 private:
  int first_;
  int step_;
  int end_;
  int next_;
};

void RunStream(const Options& options, int number, Counts& counts) {
  const auto stub = EventHubService::NewStub(Connect(options.target));
  millrace::v1::ProduceStreamRequest request;
  *request.mutable_request() = MakeRequest(options);
  Turn turn(options, number);
  grpc::ClientContext context;
  const auto stream = stub->ProduceStream(&context);
  std::mutex mutex;
  std::condition_variable room;
  int unanswered = 0;
  std::thread reader([&] {
    millrace::v1::ProduceStreamResponse response;
    while (stream->Read(&response)) {
      if (response.has_produced()) {
        counts.records += options.batch;
      } else {
        ++counts.errors;
      }
      {
        std::lock_guard lock(mutex);
        --unanswered;
      }
      room.notify_one();
    }
  });
  while (!counts.stop) {
    {
      std::unique_lock lock(mutex);
      room.wait(lock, [&] { return unanswered < options.window; });
      ++unanswered;
    }
    request.mutable_request()->set_partition(turn.Next());
    if (!stream->Write(request)) break;
  }
  stream->WritesDone();
  reader.join();
  if (!stream->Finish().ok()) ++counts.errors;
}

void RunUnary(const Options& options, int number, Counts& counts) {
  const auto stub = EventHubService::NewStub(Connect(options.target));
  ProduceRequest request = MakeRequest(options);
  Turn turn(options, number);
  while (!counts.stop) {
    request.set_partition(turn.Next());
    grpc::ClientContext context;
    millrace::v1::ProduceResponse response;
    if (stub->Produce(&context, request, &response).ok()) {
      counts.records += options.batch;
    } else {
      ++counts.errors;
    }
  }
}

// Commits the offsets of partition 0 upwards, each in all of this caller's groups. Counts commits.
void RunCommits(const Options& options, int number, Counts& counts) {
  const auto stub = EventHubService::NewStub(Connect(options.target));
  CommitOffsetRequest request;
  auto* commit = request.add_offsets();
  commit->set_topic(options.topic);
  request.set_durability(DurabilityOf(options));
  for (int64_t offset = 1; !counts.stop; ++offset) {
    commit->set_next_offset(offset);
    for (int group = number; group < options.groups && !counts.stop; group += options.streams) {
      request.set_group("group-" + std::to_string(group));
      grpc::ClientContext context;
      millrace::v1::CommitOffsetResponse response;
      if (stub->CommitOffset(&context, request, &response).ok() &&
          response.results(0).committed_next_offset() == offset) {
        ++counts.records;
      } else {
        ++counts.errors;
      }
    }
  }
}

bool CreateTopic(const Options& options) {
  const auto stub = millrace::v1::TopicService::NewStub(Connect(options.target));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  millrace::v1::CreateTopicRequest request;
  request.set_topic(options.topic);
  request.set_partition_count(Partitions(options));
  millrace::v1::CreateTopicResponse response;
  const grpc::Status status = stub->CreateTopic(&context, request, &response);
  if (status.ok() || status.error_code() == grpc::StatusCode::ALREADY_EXISTS) return true;
  std::cerr << "load: cannot create the topic: " << status.error_message() << "\n";
  return false;
}

int64_t Sleep(double seconds, const Counts& counts) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  return counts.records;
}

void (*Work(const Options& options))(const Options&, int, Counts&) {
  if (options.mode == "commit") return RunCommits;
  return options.mode == "stream" ? RunStream : RunUnary;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Produces as fast as the hub takes it");
  app.add_option("--target", options.target, "HOST:PORT of the hub")->capture_default_str();
  app.add_option("--topic", options.topic, "created if missing")->capture_default_str();
  app.add_option("--mode", options.mode)
      ->check(CLI::IsMember({"stream", "unary", "commit"}))
      ->capture_default_str();
  app.add_option("--durability", options.durability)
      ->check(CLI::IsMember({"buffered", "synced"}))
      ->capture_default_str();
  app.add_option("--streams", options.streams, "or callers, in the other modes")
      ->capture_default_str();
  app.add_option("--partitions", options.partitions, "to write to in turn; 0: one for each stream")
      ->capture_default_str();
  app.add_option("--groups", options.groups, "to commit in, in the mode commit")
      ->capture_default_str();
  app.add_option("--batch", options.batch, "records a request")->capture_default_str();
  app.add_option("--record-bytes", options.record_bytes, "bytes of a value")->capture_default_str();
  app.add_option("--window", options.window, "unanswered requests a stream")->capture_default_str();
  app.add_option("--warm-up", options.warm_up_seconds, "seconds")->capture_default_str();
  app.add_option("--seconds", options.seconds, "to measure")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  if (!CreateTopic(options)) return 1;
  Counts counts;
  std::vector<std::thread> threads;
  for (int i = 0; i < options.streams; ++i) {
    threads.emplace_back(Work(options), std::cref(options), i, std::ref(counts));
  }
  const int64_t before = Sleep(options.warm_up_seconds, counts);
  const auto begin = Clock::now();
  const int64_t after = Sleep(options.seconds, counts);
  const double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  counts.stop = true;
  for (std::thread& thread : threads) thread.join();

  const double rate = static_cast<double>(after - before) / elapsed;
  std::cout << nlohmann::json{{"records", counts.records.load()},
                              {"records_per_second", rate},
                              {"megabytes_per_second", rate * options.record_bytes / 1e6},
                              {"errors", counts.errors.load()}}
                   .dump()
            << "\n";
  return counts.errors == 0 ? 0 : 1;
}
