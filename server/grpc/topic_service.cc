#include "server/grpc/topic_service.h"

#include <utility>

#include "millrace/v1/topic.grpc.pb.h"
#include "server/grpc/unary_call.h"

namespace millrace::server {
namespace {

using Contract = v1::TopicService;
using Context = grpc::CallbackServerContext;
using grpc::ByteBuffer;
using UnaryReactor = grpc::ServerUnaryReactor;

using RawMethods = Contract::WithRawCallbackMethod_CreateTopic<
    Contract::WithRawCallbackMethod_GetTopic<Contract::WithRawCallbackMethod_ListTopics<
        Contract::WithRawCallbackMethod_UpdateTopic<Contract::WithRawCallbackMethod_DeleteTopic<
            Contract::WithRawCallbackMethod_TruncateTopic<Contract::Service>>>>>>;

class TopicService final : public RawMethods {
 public:
  TopicService(hub::Hub& hub, TopicChangeLog log) : hub_(hub), calls_(hub, std::move(log)) {}

  UnaryReactor* CreateTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &TopicCalls::CreateTopic);
  }
  UnaryReactor* GetTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &TopicCalls::GetTopic);
  }
  UnaryReactor* ListTopics(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &TopicCalls::ListTopics);
  }
  UnaryReactor* UpdateTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &TopicCalls::UpdateTopic);
  }
  UnaryReactor* DeleteTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &TopicCalls::DeleteTopic);
  }
  UnaryReactor* TruncateTopic(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &TopicCalls::TruncateTopic);
  }

 private:
  template <typename Request, typename Response>
  UnaryReactor* Run(UnaryCall call,
                    absl::StatusOr<Response> (TopicCalls::*method)(const Request&)) {
    return AnswerFromWorker(hub_, call, &calls_, method);
  }

  hub::Hub& hub_;
  TopicCalls calls_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeTopicService(hub::Hub& hub, TopicChangeLog log) {
  return std::make_unique<TopicService>(hub, std::move(log));
}

}  // namespace millrace::server
