#include "server/grpc/group_service.h"

#include <string_view>

#include "millrace/v1/group.grpc.pb.h"
#include "server/contract/group_calls.h"
#include "server/grpc/group_watch.h"
#include "server/grpc/unary_call.h"

namespace millrace::server {
namespace {

using Contract = v1::GroupService;
using Context = grpc::CallbackServerContext;
using grpc::ByteBuffer;
using UnaryReactor = grpc::ServerUnaryReactor;

using RawMethods =
    Contract::WithRawCallbackMethod_ListGroups<Contract::WithRawCallbackMethod_GetGroup<
        Contract::WithRawCallbackMethod_WatchGroup<Contract::WithRawCallbackMethod_ResetOffsets<
            Contract::WithRawCallbackMethod_DeleteGroup<Contract::Service>>>>>;

class GroupService final : public RawMethods {
 public:
  GroupService(hub::Hub& hub, CallWatch& watch) : hub_(hub), watch_(watch), calls_(hub) {}

  UnaryReactor* ListGroups(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("GroupService/ListGroups", {c, q, r}, &GroupCalls::ListGroups);
  }
  UnaryReactor* GetGroup(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("GroupService/GetGroup", {c, q, r}, &GroupCalls::GetGroup);
  }
  grpc::ServerWriteReactor<ByteBuffer>* WatchGroup(Context* context,
                                                   const ByteBuffer* request) override {
    ServedMethod& served = watch_.Method(Transport::kGrpc, "GroupService/WatchGroup");
    return StartGroupWatch(hub_, served, CallerOf(*context, served), *request);
  }
  UnaryReactor* ResetOffsets(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("GroupService/ResetOffsets", {c, q, r}, &GroupCalls::ResetOffsets);
  }
  UnaryReactor* DeleteGroup(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("GroupService/DeleteGroup", {c, q, r}, &GroupCalls::DeleteGroup);
  }

 private:
  template <typename Request, typename Response, typename... Who>
  UnaryReactor* Run(std::string_view name, UnaryCall call,
                    absl::StatusOr<Response> (GroupCalls::*method)(const Request&, const Who&...)) {
    return AnswerFromWorker(hub_, call, watch_.Method(Transport::kGrpc, name), &calls_, method);
  }

  hub::Hub& hub_;
  CallWatch& watch_;
  GroupCalls calls_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeGroupService(hub::Hub& hub, CallWatch& watch) {
  return std::make_unique<GroupService>(hub, watch);
}

}  // namespace millrace::server
