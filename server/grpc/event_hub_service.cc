#include "server/grpc/event_hub_service.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "millrace/v1/event_hub.grpc.pb.h"
#include "server/grpc/conversions.h"
#include "server/grpc/produce_call.h"
#include "server/grpc/subscribe_stream.h"
#include "server/grpc/transact_call.h"
#include "server/grpc/unary_call.h"
#include "server/hub/offsets.h"

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

void Fill(const std::vector<hub::PartitionName>& names,
          google::protobuf::RepeatedPtrField<v1::TopicPartition>* partitions) {
  for (const hub::PartitionName& name : names) {
    v1::TopicPartition* partition = partitions->Add();
    partition->set_topic(*name.topic);
    partition->set_partition(name.partition);
  }
}

v1::CommitOffsetResponse ToResponse(const v1::CommitOffsetRequest& request,
                                    const hub::CommitOutcome& outcome) {
  v1::CommitOffsetResponse response;
  for (size_t i = 0; i < outcome.size(); ++i) {
    v1::CommitResult* result = response.add_results();
    result->set_topic(request.offsets(static_cast<int>(i)).topic());
    result->set_partition(request.offsets(static_cast<int>(i)).partition());
    if (outcome[i].ok()) {
      result->set_committed_next_offset(outcome[i]->value());
    } else {
      *result->mutable_error() = ToRequestError(outcome[i].status());
    }
  }
  return response;
}

class EventHubService final : public RawMethods {
 public:
  EventHubService(hub::Hub& hub, ProduceStreams& produce_streams)
      : hub_(hub), produce_streams_(produce_streams) {}

  UnaryReactor* Produce(Context* context, const ByteBuffer* request,
                        ByteBuffer* response) override {
    return StartProduce(hub_, context, request, response);
  }

  grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* ProduceStream(Context* context) override {
    return produce_streams_.Start(context);
  }

  grpc::ServerWriteReactor<ByteBuffer>* Subscribe(Context* context,
                                                  const ByteBuffer* request) override {
    return StartSubscribe(hub_, *request, context->peer());
  }

  UnaryReactor* OpenProducer(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &EventHubService::Open);
  }

  UnaryReactor* CommitOffset(Context* context, const ByteBuffer* bytes,
                             ByteBuffer* response) override {
    const UnaryCall call{context, bytes, response};
    if (absl::Status status = hub_.Admit(); !status.ok()) return Answer(call, status);
    v1::CommitOffsetRequest request;
    if (absl::Status status = ParseMessage(*bytes, request); !status.ok()) {
      return Answer(call, status);
    }
    auto command = ToCommitCommand(request);
    if (!command.ok()) return Answer(call, command.status());
    UnaryReactor* reactor = context->DefaultReactor();
    hub_.groups().Commit(*std::move(command), [reactor, response, request = std::move(request)](
                                                  absl::StatusOr<hub::CommitOutcome> outcome) {
      if (outcome.ok()) *response = SerializeMessage(ToResponse(request, *outcome));
      reactor->Finish(ToGrpcStatus(outcome.status()));
    });
    return reactor;
  }

  UnaryReactor* GetCommittedOffsets(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &EventHubService::Committed);
  }
  UnaryReactor* ListOffsets(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &EventHubService::Offsets);
  }
  UnaryReactor* Seek(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &EventHubService::Move);
  }
  UnaryReactor* PausePartitions(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &EventHubService::Pause);
  }
  UnaryReactor* ResumePartitions(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &EventHubService::Resume);
  }

  UnaryReactor* Transact(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return StartTransact(hub_, {c, q, r});
  }
  UnaryReactor* UpdateSubscription(Context* c, const ByteBuffer* q, ByteBuffer* r) override {
    return Run({c, q, r}, &EventHubService::Update);
  }

 private:
  template <typename Request, typename Response>
  UnaryReactor* Run(UnaryCall call,
                    absl::StatusOr<Response> (EventHubService::*method)(const Request&)) {
    return AnswerFromWorker(hub_, call, this, method);
  }

  absl::StatusOr<v1::OpenProducerResponse> Open(const v1::OpenProducerRequest& request) {
    const auto opened = hub_.producing().OpenProducer(request.producer_id());
    if (!opened.ok()) return opened.status();
    v1::OpenProducerResponse response;
    response.set_producer_id(opened->producer_id);
    response.set_epoch(opened->state.epoch.value());
    response.set_last_sequence(opened->state.last_sequence);
    response.set_window(opened->window);
    return response;
  }

  absl::StatusOr<v1::GetCommittedOffsetsResponse> Committed(
      const v1::GetCommittedOffsetsRequest& request) {
    const auto entries =
        hub_.groups().Committed(request.group(), FromTopicPartitions(request.partitions()));
    if (!entries.ok()) return entries.status();
    v1::GetCommittedOffsetsResponse response;
    for (const hub::CommittedEntry& entry : *entries) {
      v1::CommittedOffset* offset = response.add_offsets();
      offset->set_topic(entry.topic);
      offset->set_partition(entry.partition);
      if (!entry.committed) continue;
      offset->set_next_offset(entry.committed->next_offset.value());
      offset->set_metadata(entry.committed->metadata);
      *offset->mutable_commit_time() = ToTimestamp(entry.committed->commit_time);
    }
    return response;
  }

  absl::StatusOr<v1::ListOffsetsResponse> Offsets(const v1::ListOffsetsRequest& request) {
    std::optional<absl::Time> time;
    if (request.has_time()) {
      const auto given = FromTimestamp(request.time(), "time");
      if (!given.ok()) return given.status();
      time = *given;
    }
    const auto offsets =
        hub::ListOffsets(hub_.engine(), hub_.topics(), request.topic(),
                         {request.partitions().begin(), request.partitions().end()}, time);
    if (!offsets.ok()) return offsets.status();
    v1::ListOffsetsResponse response;
    response.set_log_epoch(hub_.engine().log_epoch().value());
    for (const hub::PartitionOffsets& each : *offsets) {
      v1::PartitionOffsets* partition = response.add_partitions();
      partition->set_partition(each.partition);
      partition->set_earliest_offset(each.earliest.value());
      partition->set_latest_offset(each.latest.value());
      if (each.at_time) partition->set_offset_at_time(each.at_time->value());
    }
    return response;
  }

  absl::StatusOr<v1::SeekResponse> Move(const v1::SeekRequest& request) {
    const auto subscription = hub_.subscriptions().Find(request.session_id());
    if (!subscription.ok()) return subscription.status();
    const auto targets = ToSeekTargets(request);
    if (!targets.ok()) return targets.status();
    const auto outcomes = hub_.subscriptions().Seek(**subscription, *targets);
    v1::SeekResponse response;
    for (size_t i = 0; i < outcomes.size(); ++i) {
      v1::SeekResult* result = response.add_results();
      result->set_topic((*targets)[i].partition.first);
      result->set_partition((*targets)[i].partition.second);
      if (!outcomes[i].ok()) {
        *result->mutable_error() = ToRequestError(outcomes[i].status());
        continue;
      }
      result->set_offset(outcomes[i]->offset.value());
      result->set_position_epoch(outcomes[i]->position_epoch.value());
    }
    return response;
  }

  absl::StatusOr<v1::UpdateSubscriptionResponse> Update(
      const v1::UpdateSubscriptionRequest& request) {
    const auto missing = hub_.subscriptions().UpdateTopics(
        request.session_id(), {request.topics().begin(), request.topics().end()});
    if (!missing.ok()) return missing.status();
    v1::UpdateSubscriptionResponse response;
    for (const std::string& topic : *missing) response.add_missing_topics(topic);
    return response;
  }

  absl::StatusOr<v1::PausePartitionsResponse> Pause(const v1::PausePartitionsRequest& request) {
    return SetPaused<v1::PausePartitionsResponse>(request, true);
  }

  absl::StatusOr<v1::ResumePartitionsResponse> Resume(const v1::ResumePartitionsRequest& request) {
    return SetPaused<v1::ResumePartitionsResponse>(request, false);
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> SetPaused(const Request& request, bool paused) {
    const auto subscription = hub_.subscriptions().Find(request.session_id());
    if (!subscription.ok()) return subscription.status();
    const auto held = (*subscription)->SetPaused(FromTopicPartitions(request.partitions()), paused);
    if (!held.ok()) return held.status();
    Response response;
    Fill(*held, response.mutable_paused());
    return response;
  }

  hub::Hub& hub_;
  ProduceStreams& produce_streams_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeEventHubService(hub::Hub& hub, ProduceStreams& produce_streams) {
  return std::make_unique<EventHubService>(hub, produce_streams);
}

}  // namespace millrace::server
