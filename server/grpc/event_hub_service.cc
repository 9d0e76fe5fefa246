#include "server/grpc/event_hub_service.h"

#include <string_view>
#include <utility>

#include "millrace/v1/event_hub.grpc.pb.h"
#include "server/contract/conversions.h"
#include "server/contract/event_hub_calls.h"
#include "server/contract/write_answers.h"
#include "server/grpc/produce_call.h"
#include "server/grpc/subscribe_stream.h"
#include "server/grpc/transact_call.h"
#include "server/grpc/unary_call.h"

namespace millrace::server {
namespace {

using Contract = v1::EventHubService;
using Context = grpc::CallbackServerContext;
using grpc::ByteBuffer;
using UnaryReactor = grpc::ServerUnaryReactor;

// Every method of the contract, served raw.
using RawMethods =
    Contract::WithRawCallbackMethod_Produce<Contract::WithRawCallbackMethod_ProduceStream<
        Contract::WithRawCallbackMethod_OpenProducer<Contract::WithRawCallbackMethod_Transact<
            Contract::WithRawCallbackMethod_Subscribe<Contract::WithRawCallbackMethod_CommitOffset<
                Contract::WithRawCallbackMethod_GetCommittedOffsets<
                    Contract::WithRawCallbackMethod_ListOffsets<
                        Contract::WithRawCallbackMethod_Seek<
                            Contract::WithRawCallbackMethod_PausePartitions<
                                Contract::WithRawCallbackMethod_ResumePartitions<
                                    Contract::WithRawCallbackMethod_UpdateSubscription<
                                        Contract::Service>>>>>>>>>>>>;

class EventHubService final : public RawMethods {
 public:
  EventHubService(hub::Hub& hub, CallWatch& watch, ProduceStreams& produce_streams)
      : hub_(hub), watch_(watch), calls_(hub), produce_streams_(produce_streams) {}

  UnaryReactor* Produce(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return StartProduce(hub_, produce_, {c, q, r});
  }

  grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* ProduceStream(Context* context) override {
    return produce_streams_.Start(context);
  }

  grpc::ServerWriteReactor<ByteBuffer>* Subscribe(Context* context,
                                                  const ByteBuffer* request) override {
    return StartSubscribe(hub_, subscribe_, CallerOf(*context, subscribe_), *request);
  }

  UnaryReactor* OpenProducer(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("EventHubService/OpenProducer", {c, q, r}, &EventHubCalls::OpenProducer);
  }

  UnaryReactor* CommitOffset(Context* context, const ByteBuffer* bytes,
                             ByteBuffer* response) override {
    const UnaryCall call{context, bytes, response};
    if (absl::Status status = hub_.Admit(); !status.ok()) return Answer(call, commit_, status);
    v1::CommitOffsetRequest request;
    if (absl::Status status = ParseMessage(*bytes, request); !status.ok()) {
      return Answer(call, commit_, status);
    }
    if (commit_.guarded()) {
      absl::Status status = commit_.Admit(CallerOf(*context, commit_), request);
      if (!status.ok()) return Answer(call, commit_, status);
    }
    auto command = ToCommitCommand(request);
    if (!command.ok()) return Answer(call, commit_, command.status());
    UnaryReactor* reactor = context->DefaultReactor();
    hub_.groups().Commit(*std::move(command),
                         [this, reactor, response, request = std::move(request)](
                             absl::StatusOr<hub::CommitOutcome> outcome) {
                           if (outcome.ok())
                             *response = SerializeMessage(ToCommitResponse(request, *outcome));
                           End(reactor, commit_, outcome.status());
                         });
    return reactor;
  }

  UnaryReactor* GetCommittedOffsets(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("EventHubService/GetCommittedOffsets", {c, q, r},
               &EventHubCalls::GetCommittedOffsets);
  }
  UnaryReactor* ListOffsets(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("EventHubService/ListOffsets", {c, q, r}, &EventHubCalls::ListOffsets);
  }
  UnaryReactor* Seek(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("EventHubService/Seek", {c, q, r}, &EventHubCalls::Seek);
  }
  UnaryReactor* PausePartitions(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("EventHubService/PausePartitions", {c, q, r}, &EventHubCalls::PausePartitions);
  }
  UnaryReactor* ResumePartitions(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("EventHubService/ResumePartitions", {c, q, r}, &EventHubCalls::ResumePartitions);
  }

  UnaryReactor* Transact(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return StartTransact(hub_, transact_, {c, q, r});
  }
  UnaryReactor* UpdateSubscription(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run("EventHubService/UpdateSubscription", {c, q, r}, &EventHubCalls::UpdateSubscription);
  }

 private:
  template <typename Request, typename Response, typename... Who>
  UnaryReactor* Run(std::string_view name, UnaryCall call,
                    absl::StatusOr<Response> (EventHubCalls::*method)(const Request&,
                                                                      const Who&...)) {
    return AnswerFromWorker(hub_, call, Served(name), &calls_, method);
  }

  ServedMethod& Served(std::string_view name) { return watch_.Method(Transport::kGrpc, name); }

  hub::Hub& hub_;
  CallWatch& watch_;
  ServedMethod& produce_ = Served("EventHubService/Produce");
  ServedMethod& transact_ = Served("EventHubService/Transact");
  ServedMethod& commit_ = Served("EventHubService/CommitOffset");
  ServedMethod& subscribe_ = Served("EventHubService/Subscribe");
  EventHubCalls calls_;
  ProduceStreams& produce_streams_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeEventHubService(hub::Hub& hub, CallWatch& watch,
                                                   ProduceStreams& produce_streams) {
  return std::make_unique<EventHubService>(hub, watch, produce_streams);
}

}  // namespace millrace::server
