#include "tests/support/test_hub.h"

#include <chrono>
#include <utility>

namespace millrace::testing {

std::unique_ptr<grpc::ClientContext> NewContext() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(kPatienceSeconds));
  return context;
}

TestHub::TestHub(hub::HubOptions options)
    : own_engine_(std::make_unique<storage::MemoryEngine>()), engine_(*own_engine_) {
  Serve(std::move(options));
}

TestHub::TestHub(storage::Engine& engine, hub::HubOptions options) : engine_(engine) {
  Serve(std::move(options));
}

TestHub::~TestHub() = default;

void TestHub::Serve(hub::HubOptions options) {
  hub_ = std::make_unique<hub::Hub>(engine_, storage::Clock::System(), std::move(options));
  auto server =
      server::GrpcServer::Start(*hub_, {.listen = "localhost:0", .version = "1.2.3-test"});
  if (!server.ok()) {
    ADD_FAILURE() << server.status();
    return;
  }
  server_ = *std::move(server);
  channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                                 grpc::InsecureChannelCredentials());
  events_ = v1::EventHubService::NewStub(channel_);
  topics_ = v1::TopicService::NewStub(channel_);
  groups_ = v1::GroupService::NewStub(channel_);
  inspection_ = v1::InspectionService::NewStub(channel_);
  hub_info_ = v1::HubService::NewStub(channel_);
  health_ = ::grpc::health::v1::Health::NewStub(channel_);
}

void TestHub::CreateTopic(const std::string& name, int partitions) {
  v1::CreateTopicRequest request;
  request.set_topic(name);
  request.set_partition_count(partitions);
  v1::CreateTopicResponse response;
  const grpc::Status status = topics_->CreateTopic(NewContext().get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
}

void TestHub::Produce(const std::string& topic, int partition,
                      const std::vector<std::string>& values) {
  v1::ProduceRequest request;
  request.set_topic(topic);
  request.set_partition(partition);
  for (const std::string& value : values) request.add_records()->set_value(value);
  v1::ProduceResponse response;
  const grpc::Status status = events_->Produce(NewContext().get(), request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
}

Subscriber::Subscriber(TestHub& hub, const v1::SubscribeRequest& request)
    : context_(NewContext()), reader_(hub.events().Subscribe(context_.get(), request)) {
  v1::SubscribeResponse first;
  if (!reader_->Read(&first)) return;  // Finish tells why.
  EXPECT_TRUE(first.has_session_started()) << first.DebugString();
  session_ = first.session_started();
  session_id_ = session_.session_id();
}

Subscriber::~Subscriber() {
  if (finished_) return;
  context_->TryCancel();
  Finish();
}

v1::SubscribeResponse Subscriber::Next() {
  v1::SubscribeResponse frame;
  EXPECT_TRUE(reader_->Read(&frame)) << "the stream is over";
  return frame;
}

v1::SubscribeResponse Subscriber::NextOf(v1::SubscribeResponse::FrameCase kind) {
  v1::SubscribeResponse frame;
  while (reader_->Read(&frame)) {
    if (frame.frame_case() == kind) return frame;
  }
  ADD_FAILURE() << "the stream ended without a frame of kind " << kind;
  return {};
}

grpc::Status Subscriber::Finish() {
  v1::SubscribeResponse frame;
  while (reader_->Read(&frame)) continue;
  finished_ = true;
  return reader_->Finish();
}

}  // namespace millrace::testing
