// Reads records with many subscribers at once, until each has had as many as it was told, and
// prints how many that were as one line of JSON: either what the topic holds, or, with --produce,
// what this program produces itself, batch after batch, the next when every subscriber has the
// last.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "millrace/v1/event_hub.grpc.pb.h"
#include "tests/bench/connect.h"

namespace {

using millrace::bench::Connect;
using millrace::v1::EventHubService;
using millrace::v1::ProduceRequest;
using millrace::v1::SubscribeRequest;
using millrace::v1::SubscribeResponse;

struct Options {
  std::string target = "localhost:9640";
  std::string topic = "bench";
  int readers = 1;
  int channels = 10;
  int64_t records = 100000;  // Each reader's.
  int produce = 0;           // Records a batch; 0: read what is there.
  int record_bytes = 100;
};

// What all readers have come to. Threads: any.
class Progress {
 public:
  explicit Progress(int readers) : readers_(readers) {}

  void CaughtUp() { Change(caught_up_, 1); }
  void Received(int64_t records) { Change(received_, records); }
  void Ended(bool complete) {
    if (!complete) Change(failed_, 1);
    Change(ended_, 1);
  }

  // Each blocks until all readers have come so far, and is false where one failed: until they are
  // at the end of what was there; until they have received `records` together; until all calls
  // ended.
  bool WaitUntilCaughtUp() { return WaitFor(caught_up_, readers_); }
  bool WaitUntilReceived(int64_t records) { return WaitFor(received_, records); }
  bool WaitUntilEnded() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_ == readers_; });
    return failed_ == 0;
  }

 private:
  void Change(int64_t& count, int64_t by) {
    const std::lock_guard lock(mutex_);
    count += by;
    changed_.notify_all();
  }

  bool WaitFor(const int64_t& count, int64_t enough) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return failed_ > 0 || count >= enough; });
    return failed_ == 0;
  }

  const int64_t readers_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t caught_up_ = 0;
  int64_t received_ = 0;
  int64_t ended_ = 0;
  int64_t failed_ = 0;
};

// Counts what arrives and hangs up when it has had all it was to have.
class Reader : public grpc::ClientReadReactor<SubscribeResponse> {
 public:
  // `progress` outlives the call.
  Reader(EventHubService::Stub& stub, const Options& options, Progress& progress)
      : wanted_(options.records), progress_(progress) {
    request_.add_topics(options.topic);
    if (options.produce > 0) {
      request_.mutable_start()->set_latest(true);
    } else {
      request_.mutable_start()->set_earliest(true);
    }
    stub.async()->Subscribe(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }

  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (response_.has_caught_up()) progress_.CaughtUp();
    int64_t records = 0;
    for (const auto& batch : response_.batches().batches()) records += batch.records_size();
    seen_ += records;
    if (records > 0) progress_.Received(records);
    if (seen_ >= wanted_) {
      Cancel();
    } else {
      StartRead(&response_);
    }
  }

  void OnDone(const grpc::Status& status) override {
    if (seen_ < wanted_) std::cerr << "read: " << status.error_message() << "\n";
    progress_.Ended(seen_ >= wanted_);
  }

 private:
  const int64_t wanted_;
  Progress& progress_;
  grpc::ClientContext context_;
  SubscribeRequest request_;
  SubscribeResponse response_;
  int64_t seen_ = 0;
};

// The records that every reader is to have, batch after batch. False when it could not.
bool Produce(EventHubService::Stub& stub, const Options& options, Progress& progress) {
  ProduceRequest request;
  request.set_topic(options.topic);
  request.set_partition(0);
  request.set_durability(millrace::v1::DURABILITY_BUFFERED);
  for (int i = 0; i < options.produce; ++i) {
    request.add_records()->set_value(std::string(options.record_bytes, 'x'));
  }
  if (!progress.WaitUntilCaughtUp()) return false;
  for (int64_t sent = 0; sent < options.records;) {
    grpc::ClientContext context;
    millrace::v1::ProduceResponse response;
    const grpc::Status status = stub.Produce(&context, request, &response);
    if (!status.ok()) {
      std::cerr << "read: " << status.error_message() << "\n";
      return false;
    }
    sent += options.produce;
    if (!progress.WaitUntilReceived(sent * options.readers)) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Reads with many subscribers at once");
  app.add_option("--target", options.target, "HOST:PORT of the hub")->capture_default_str();
  app.add_option("--topic", options.topic)->capture_default_str();
  app.add_option("--readers", options.readers)->capture_default_str();
  app.add_option("--channels", options.channels, "at most")->capture_default_str();
  app.add_option("--records", options.records, "for each reader; a multiple of --produce")
      ->capture_default_str();
  app.add_option(
         "--produce", options.produce,
         "records a batch of partition 0, each batch when all readers have the last; 0: read "
         "what the topic holds")
      ->capture_default_str();
  app.add_option("--record-bytes", options.record_bytes, "bytes of a value that is produced")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  Progress progress(options.readers);
  std::vector<std::unique_ptr<EventHubService::Stub>> stubs;
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < options.readers; ++i) {
    if (i < options.channels) stubs.push_back(EventHubService::NewStub(Connect(options.target)));
    readers.push_back(std::make_unique<Reader>(*stubs[i % stubs.size()], options, progress));
  }
  if (options.produce > 0 && !Produce(*stubs[0], options, progress)) {
    for (const auto& reader : readers) reader->Cancel();
  }
  if (!progress.WaitUntilEnded()) return 1;
  std::cout << nlohmann::json{{"records", options.records * options.readers}}.dump() << "\n";
  return 0;
}
