#include "server/grpc/group_service.h"

#include "millrace/v1/group.grpc.pb.h"
#include "server/grpc/conversions.h"
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

absl::StatusOr<hub::ResetCommand> ToResetCommand(const v1::ResetOffsetsRequest& request) {
  hub::ResetCommand command{.group = request.group(),
                            .partitions = FromTopicPartitions(request.partitions())};
  switch (request.target_case()) {
    case v1::ResetOffsetsRequest::kStart: {
      auto start = FromStartPosition(request.start());
      if (!start.ok()) return start.status();
      command.target = *start;
      return command;
    }
    case v1::ResetOffsetsRequest::kOffset:
      command.target = storage::Offset(request.offset());
      return command;
    case v1::ResetOffsetsRequest::kShift:
      command.target = hub::ResetCommand::Shift{request.shift()};
      return command;
    case v1::ResetOffsetsRequest::TARGET_NOT_SET:
      break;
  }
  return InvalidField("target", "say where to: a start, an offset or a shift");
}

class GroupService final : public RawMethods {
 public:
  explicit GroupService(hub::Hub& hub) : hub_(hub) {}

  UnaryReactor* ListGroups(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &GroupService::List);
  }
  UnaryReactor* GetGroup(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &GroupService::Get);
  }
  grpc::ServerWriteReactor<ByteBuffer>* WatchGroup(Context* /*context*/,
                                                   const ByteBuffer* request) override {
    return StartGroupWatch(hub_, *request);
  }
  UnaryReactor* ResetOffsets(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &GroupService::Reset);
  }
  UnaryReactor* DeleteGroup(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &GroupService::Delete);
  }

 private:
  template <typename Request, typename Response>
  UnaryReactor* Run(UnaryCall call,
                    absl::StatusOr<Response> (GroupService::*method)(const Request&)) {
    return AnswerFromWorker(hub_, call, this, method);
  }

  absl::StatusOr<v1::ListGroupsResponse> List(const v1::ListGroupsRequest& request) {
    const auto page = hub_.group_inspection().List(request.page_size(), request.page_token());
    if (!page.ok()) return page.status();
    v1::ListGroupsResponse response;
    for (const hub::GroupDescription& group : page->groups) {
      *response.add_groups() = ToGroupSummary(group);
    }
    response.set_next_page_token(page->next_page_token);
    return response;
  }

  absl::StatusOr<v1::GetGroupResponse> Get(const v1::GetGroupRequest& request) {
    const auto description = hub_.group_inspection().Describe(request.group());
    if (!description.ok()) return description.status();
    v1::GetGroupResponse response;
    *response.mutable_group() = ToGroup(*description);
    return response;
  }

  absl::StatusOr<v1::ResetOffsetsResponse> Reset(const v1::ResetOffsetsRequest& request) {
    const auto command = ToResetCommand(request);
    if (!command.ok()) return command.status();
    const auto outcomes = hub_.group_inspection().Reset(*command);
    if (!outcomes.ok()) return outcomes.status();
    v1::ResetOffsetsResponse response;
    for (const hub::ResetOutcome& outcome : *outcomes) {
      v1::ResetResult* result = response.add_results();
      result->set_topic(outcome.partition.first);
      result->set_partition(outcome.partition.second);
      if (outcome.committed.ok()) {
        result->set_committed_next_offset(outcome.committed->value());
      } else {
        *result->mutable_error() = ToRequestError(outcome.committed.status());
      }
    }
    return response;
  }

  absl::StatusOr<v1::DeleteGroupResponse> Delete(const v1::DeleteGroupRequest& request) {
    if (absl::Status status = hub_.groups().Delete(request.group()); !status.ok()) return status;
    return v1::DeleteGroupResponse();
  }

  hub::Hub& hub_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeGroupService(hub::Hub& hub) {
  return std::make_unique<GroupService>(hub);
}

}  // namespace millrace::server
