#include "server/grpc/group_service.h"

#include "millrace/v1/group.grpc.pb.h"
#include "server/grpc/conversions.h"
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

// A stream that ends before its first message.
class RefusedStream final : public grpc::ServerWriteReactor<ByteBuffer> {
 public:
  explicit RefusedStream(const absl::Status& status) { Finish(ToGrpcStatus(status)); }

 private:
  void OnDone() override { delete this; }
};

class GroupService final : public RawMethods {
 public:
  UnaryReactor* ListGroups(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Answer({c, q, r}, NotInThisVersion("ListGroups"));
  }
  UnaryReactor* GetGroup(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Answer({c, q, r}, NotInThisVersion("GetGroup"));
  }
  grpc::ServerWriteReactor<ByteBuffer>* WatchGroup(Context* /*context*/,
                                                   const ByteBuffer* /*request*/) override {
    return new RefusedStream(NotInThisVersion("WatchGroup"));
  }
  UnaryReactor* ResetOffsets(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Answer({c, q, r}, NotInThisVersion("ResetOffsets"));
  }
  UnaryReactor* DeleteGroup(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Answer({c, q, r}, NotInThisVersion("DeleteGroup"));
  }
};

}  // namespace

std::unique_ptr<grpc::Service> MakeGroupService() { return std::make_unique<GroupService>(); }

}  // namespace millrace::server
