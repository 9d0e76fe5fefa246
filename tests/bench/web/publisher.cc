#include "tests/bench/web/publisher.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "millrace/v1/event_hub.grpc.pb.h"
#include "millrace/v1/topic.grpc.pb.h"
#include "tests/bench/connect.h"
#include "tests/bench/web/client_socket.h"

namespace millrace::bench {
namespace {

void CreateTopic(const std::shared_ptr<grpc::Channel>& channel, const std::string& topic) {
  const auto stub = v1::TopicService::NewStub(channel);
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  v1::CreateTopicRequest request;
  request.set_topic(topic);
  request.set_partition_count(1);
  v1::CreateTopicResponse response;
  const grpc::Status status = stub->CreateTopic(&context, request, &response);
  if (!status.ok()) Fail("cannot create the topic: " + status.error_message());
}

class HubPublisher final : public Publisher {
 public:
  HubPublisher(const std::string& target, const std::string& topic, bool synced) {
    const auto channel = Connect(target);
    CreateTopic(channel, topic);
    v1::ProduceRequest& request = *request_.mutable_request();
    request.set_topic(topic);
    request.set_durability(synced ? v1::DURABILITY_SYNCED : v1::DURABILITY_BUFFERED);
    stub_ = v1::EventHubService::NewStub(channel);
    stream_ = stub_->ProduceStream(&context_);
    answers_ = std::thread([this] {
      v1::ProduceStreamResponse response;
      while (stream_->Read(&response)) {
        if (!response.has_produced()) Fail("a produce failed: " + response.ShortDebugString());
      }
    });
  }

  ~HubPublisher() override {
    stream_->WritesDone();
    answers_.join();
    stream_->Finish();
  }

  void Publish(const std::vector<std::string>& events) override {
    v1::ProduceRequest& request = *request_.mutable_request();
    request.clear_records();
    for (const std::string& event : events) request.add_records()->set_value(event);
    if (!stream_->Write(request_)) Fail("the produce stream ended");
  }

 private:
  std::unique_ptr<v1::EventHubService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ProduceStreamRequest, v1::ProduceStreamResponse>>
      stream_;
  v1::ProduceStreamRequest request_;
  std::thread answers_;
};

class BroadcastPublisher final : public Publisher {
 public:
  explicit BroadcastPublisher(const std::string& target) : socket_(OpenWebSocket(target, "")) {}
  ~BroadcastPublisher() override { close(socket_); }

  void Publish(const std::vector<std::string>& events) override {
    std::string message;
    for (const std::string& event : events) message += event;
    SendAll(socket_, ClientFrame(Opcode::kText, message));
  }

 private:
  const int socket_;
};

}  // namespace

std::unique_ptr<Publisher> PublishToHub(const std::string& target, const std::string& topic,
                                        bool synced) {
  return std::make_unique<HubPublisher>(target, topic, synced);
}

std::unique_ptr<Publisher> PublishToBroadcast(const std::string& target) {
  return std::make_unique<BroadcastPublisher>(target);
}

}  // namespace millrace::bench
