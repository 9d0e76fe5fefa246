#include "server/grpc/topic_service.h"

#include <string_view>

#include "millrace/v1/topic.grpc.pb.h"
#include "server/contract/topic_calls.h"
#include "server/grpc/unary_call.h"

namespace millrace::server {
namespace {

using Contract = v1::TopicService;
using Context = grpc::CallbackServerContext;
using grpc::ByteBuffer;
using UnaryReactor = grpc::ServerUnaryReactor;

using RawMethods =
    Contract::WithRawCallbackMethod_CreateTopic<Contract::WithRawCallbackMethod_GetTopic<
        Contract::WithRawCallbackMethod_DescribeTopics<Contract::WithRawCallbackMethod_ListTopics<
            Contract::WithRawCallbackMethod_UpdateTopic<Contract::WithRawCallbackMethod_DeleteTopic<
                Contract::WithRawCallbackMethod_TruncateTopic<Contract::Service>>>>>>>;

class TopicService final : public RawMethods {
 public:
  TopicService(hub::Hub& hub, CallWatch& watch) : hub_(hub), watch_(watch), calls_(hub) {}

  UnaryReactor* CreateTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("TopicService/CreateTopic", {c, q, r}, &TopicCalls::CreateTopic);
  }
  UnaryReactor* GetTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("TopicService/GetTopic", {c, q, r}, &TopicCalls::GetTopic);
  }
  UnaryReactor* DescribeTopics(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("TopicService/DescribeTopics", {c, q, r}, &TopicCalls::DescribeTopics);
  }
  UnaryReactor* ListTopics(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("TopicService/ListTopics", {c, q, r}, &TopicCalls::ListTopics);
  }
  UnaryReactor* UpdateTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("TopicService/UpdateTopic", {c, q, r}, &TopicCalls::UpdateTopic);
  }
  UnaryReactor* DeleteTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("TopicService/DeleteTopic", {c, q, r}, &TopicCalls::DeleteTopic);
  }
  UnaryReactor* TruncateTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("TopicService/TruncateTopic", {c, q, r}, &TopicCalls::TruncateTopic);
  }

 private:
  template <typename Request, typename Response, typename... Who>
  UnaryReactor* Run(std::string_view name, UnaryCall call,
                    absl::StatusOr<Response> (TopicCalls::*method)(const Request&, const Who&...)) {
    return AnswerFromWorker(hub_, call, watch_.Method(Transport::kGrpc, name), &calls_, method);
  }

  hub::Hub& hub_;
  CallWatch& watch_;
  TopicCalls calls_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeTopicService(hub::Hub& hub, CallWatch& watch) {
  return std::make_unique<TopicService>(hub, watch);
}

}  // namespace millrace::server
