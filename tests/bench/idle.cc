// What a hub costs that has much and does nothing: many partitions, many open subscriptions. Prints
// the share of one core that the hub's process used meanwhile, as one line of JSON.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "millrace/v1/event_hub.grpc.pb.h"
#include "millrace/v1/topic.grpc.pb.h"
#include "tests/bench/connect.h"
#include "tests/bench/cpu_seconds.h"

namespace {

using millrace::bench::Connect;
using millrace::bench::CpuSeconds;
using millrace::v1::EventHubService;
using millrace::v1::SubscribeRequest;
using millrace::v1::SubscribeResponse;
using millrace::v1::TopicService;

struct Options {
  std::string target = "localhost:9640";
  int pid = 0;
  int topics = 100;
  int partitions = 100;  // Of each topic.
  int subscriptions = 1000;
  int channels = 10;
  double seconds = 60;
};

// Reads and forgets.
class Reader : public grpc::ClientReadReactor<SubscribeResponse> {
 public:
  Reader(EventHubService::Stub& stub, const std::string& topic, std::atomic<int>& caught_up)
      : caught_up_(caught_up) {
    request_.add_topics(topic);
    stub.async()->Subscribe(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }

  void Cancel() { context_.TryCancel(); }
  bool done() const { return done_; }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (response_.has_caught_up()) ++caught_up_;
    StartRead(&response_);
  }
  void OnDone(const grpc::Status&) override { done_ = true; }

 private:
  std::atomic<int>& caught_up_;
  grpc::ClientContext context_;
  SubscribeRequest request_;
  SubscribeResponse response_;
  std::atomic<bool> done_{false};
};

std::string TopicName(int number) { return "idle-" + std::to_string(number); }

bool CreateTopics(const Options& options) {
  const auto stub = TopicService::NewStub(Connect(options.target));
  for (int i = 0; i < options.topics; ++i) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    millrace::v1::CreateTopicRequest request;
    request.set_topic(TopicName(i));
    request.set_partition_count(options.partitions);
    millrace::v1::CreateTopicResponse response;
    const grpc::Status status = stub->CreateTopic(&context, request, &response);
    if (!status.ok()) {
      std::cerr << "idle: cannot create a topic: " << status.error_message() << "\n";
      return false;
    }
  }
  return true;
}

void Sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures what an idle hub costs");
  app.add_option("--target", options.target, "HOST:PORT of the hub")->capture_default_str();
  app.add_option("--pid", options.pid, "the hub's process")->required();
  app.add_option("--topics", options.topics)->capture_default_str();
  app.add_option("--partitions", options.partitions, "of each topic")->capture_default_str();
  app.add_option("--subscriptions", options.subscriptions)->capture_default_str();
  app.add_option("--channels", options.channels)->capture_default_str();
  app.add_option("--seconds", options.seconds, "to measure")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  if (!CreateTopics(options)) return 1;
  std::vector<std::unique_ptr<EventHubService::Stub>> stubs;
  for (int i = 0; i < options.channels; ++i) {
    stubs.push_back(EventHubService::NewStub(Connect(options.target)));
  }
  std::atomic<int> caught_up = 0;
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < options.subscriptions; ++i) {
    readers.push_back(std::make_unique<Reader>(*stubs[i % options.channels],
                                               TopicName(i % options.topics), caught_up));
  }
  while (caught_up < options.subscriptions) Sleep(0.1);

  const double before = CpuSeconds(options.pid);
  Sleep(options.seconds);
  const double used = CpuSeconds(options.pid) - before;
  int broken = 0;
  for (const auto& reader : readers) broken += reader->done();
  std::cout << nlohmann::json{{"partitions", options.topics * options.partitions},
                              {"subscriptions", options.subscriptions},
                              {"broken", broken},
                              {"percent_of_one_core", 100 * used / options.seconds}}
                   .dump()
            << "\n";
  for (const auto& reader : readers) reader->Cancel();
  for (const auto& reader : readers) {
    while (!reader->done()) Sleep(0.01);
  }
  return broken == 0 ? 0 : 1;
}
