// A hub in the test's own process: the memory engine, the hub and its gRPC listener on a port of
// its own, with stubs. Gone with the object.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "millrace/v1/event_hub.grpc.pb.h"
#include "millrace/v1/group.grpc.pb.h"
#include "millrace/v1/hub.grpc.pb.h"
#include "millrace/v1/inspection.grpc.pb.h"
#include "millrace/v1/topic.grpc.pb.h"
#include "server/grpc/grpc_server.h"
#include "server/hub/hub.h"
#include "storage/memory/memory_engine.h"
#include "tests/support/error_facts.h"

namespace millrace::testing {

// Every call of a test ends within this.
constexpr int kPatienceSeconds = 60;

// A context whose call ends with DEADLINE_EXCEEDED rather than hang the test.
std::unique_ptr<grpc::ClientContext> NewContext();

class TestHub {
 public:
  explicit TestHub(hub::HubOptions options = {});
  // Over another engine, which outlives the hub.
  TestHub(storage::Engine& engine, hub::HubOptions options);
  ~TestHub();

  hub::Hub& hub() { return *hub_; }
  storage::Engine& engine() { return engine_; }
  server::GrpcServer& server() { return *server_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  v1::EventHubService::Stub& events() { return *events_; }
  v1::TopicService::Stub& topics() { return *topics_; }
  v1::GroupService::Stub& groups() { return *groups_; }
  v1::InspectionService::Stub& inspection() { return *inspection_; }
  v1::HubService::Stub& hub_info() { return *hub_info_; }
  ::grpc::health::v1::Health::Stub& health() { return *health_; }

  void CreateTopic(const std::string& name, int partitions = 1);
  // Appends the values to one partition.
  void Produce(const std::string& topic, int partition, const std::vector<std::string>& values);

 private:
  void Serve(hub::HubOptions options);

  const std::unique_ptr<storage::MemoryEngine> own_engine_;
  storage::Engine& engine_;
  std::unique_ptr<hub::Hub> hub_;
  std::unique_ptr<server::GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::EventHubService::Stub> events_;
  std::unique_ptr<v1::TopicService::Stub> topics_;
  std::unique_ptr<v1::GroupService::Stub> groups_;
  std::unique_ptr<v1::InspectionService::Stub> inspection_;
  std::unique_ptr<v1::HubService::Stub> hub_info_;
  std::unique_ptr<::grpc::health::v1::Health::Stub> health_;
};

// A Subscribe stream, read frame by frame.
class Subscriber {
 public:
  Subscriber(TestHub& hub, const v1::SubscribeRequest& request);
  // Cancels, if the stream is still open.
  ~Subscriber();

  // The next frame; the test fails, with an empty frame, where the stream is over.
  v1::SubscribeResponse Next();
  // Skips frames up to one of this kind.
  v1::SubscribeResponse NextOf(v1::SubscribeResponse::FrameCase frame);
  // Reads to the end and gives the stream's status.
  grpc::Status Finish();

  // Of session_started, which has been read.
  const std::string& session_id() const { return session_id_; }
  const v1::SessionStarted& session() const { return session_; }

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<v1::SubscribeResponse>> reader_;
  v1::SessionStarted session_;
  std::string session_id_;
  bool finished_ = false;
};

}  // namespace millrace::testing
