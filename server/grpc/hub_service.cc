#include "server/grpc/hub_service.h"

#include <utility>

#include "millrace/v1/hub.grpc.pb.h"
#include "server/contract/hub_calls.h"
#include "server/grpc/unary_call.h"

namespace millrace::server {
namespace {

using Contract = v1::HubService;

using RawService =
    Contract::WithRawCallbackMethod_GetHub<Contract::WithRawCallbackMethod_CreateCheckpoint<
        Contract::WithRawCallbackMethod_CheckAccess<Contract::Service>>>;

class HubService final : public RawService {
 public:
  HubService(hub::Hub& hub, CallWatch& watch, std::string version)
      : hub_(hub), watch_(watch), calls_(hub, std::move(version)) {}

  // Answers while the hub drains, too.
  grpc::ServerUnaryReactor* GetHub(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* bytes,
                                   grpc::ByteBuffer* response) override {
    ServedMethod& served = watch_.Method(Transport::kGrpc, "HubService/GetHub");
    v1::GetHubRequest request;
    absl::Status status = ParseMessage(*bytes, request);
    if (status.ok()) {
      const auto described =
          served.Run(CallerOf(*context, served), calls_, &HubCalls::GetHub, request);
      status = described.status();
      if (described.ok()) *response = SerializeMessage(*described);
    }
    return Answer({context, bytes, response}, served, status);
  }

  grpc::ServerUnaryReactor* CreateCheckpoint(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* bytes,
                                             grpc::ByteBuffer* response) override {
    return AnswerFromWorker(hub_, {context, bytes, response},
                            watch_.Method(Transport::kGrpc, "HubService/CreateCheckpoint"), &calls_,
                            &HubCalls::CreateCheckpoint);
  }

  grpc::ServerUnaryReactor* CheckAccess(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* bytes,
                                        grpc::ByteBuffer* response) override {
    return AnswerFromWorker(hub_, {context, bytes, response},
                            watch_.Method(Transport::kGrpc, "HubService/CheckAccess"), &calls_,
                            &HubCalls::CheckAccess);
  }

 private:
  hub::Hub& hub_;
  CallWatch& watch_;
  HubCalls calls_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeHubService(hub::Hub& hub, CallWatch& watch,
                                              std::string version) {
  return std::make_unique<HubService>(hub, watch, std::move(version));
}

}  // namespace millrace::server
