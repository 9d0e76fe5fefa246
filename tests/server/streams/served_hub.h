// A hub over the memory engine, served over gRPC on a free port of this process.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "millrace/v1/event_hub.grpc.pb.h"
#include "server/grpc/grpc_server.h"
#include "server/hub/hub.h"
#include "storage/memory/memory_engine.h"

namespace millrace::server {

class ServedHub : public testing::Test {
 protected:
  explicit ServedHub(hub::HubOptions options = {})
      : hub_(engine_, storage::Clock::System(), std::move(options)) {
    auto server = GrpcServer::Start(hub_, {.listen = "127.0.0.1:0", .version = "test"});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                                   grpc::InsecureChannelCredentials());
    stub_ = v1::EventHubService::NewStub(channel_);
  }

  void CreateTopic(const std::string& name, int32_t partitions = 1) {
    ASSERT_TRUE(hub_.topics().Create(name, partitions, std::nullopt).ok());
  }

  static v1::ProduceRequest RequestOf(const std::string& topic, int32_t partition,
                                      const std::string& value) {
    v1::ProduceRequest request;
    request.set_topic(topic);
    request.set_partition(partition);
    request.add_records()->set_value(value);
    return request;
  }

  void Produce(const std::string& topic, const std::string& value) {
    grpc::ClientContext context;
    v1::ProduceResponse response;
    const grpc::Status status = stub_->Produce(&context, RequestOf(topic, 0, value), &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }

  storage::MemoryEngine engine_;
  hub::Hub hub_;
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::EventHubService::Stub> stub_;
};

}  // namespace millrace::server
