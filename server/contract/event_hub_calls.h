// The unary methods of millrace.v1.EventHubService that a transport runs on a worker: requests in,
// responses out. Those that write (Produce, Transact, CommitOffset) complete later and are in
// produce_decoder, transact_decoder, conversions and write_answers.
#pragma once

#include "absl/status/statusor.h"
#include "millrace/v1/event_hub.pb.h"
#include "server/contract/caller.h"
#include "server/hub/hub.h"

namespace millrace::server {

// Threads: any. Each may block; the reasons are those that the contract lists for the rpc. Whether
// the caller may call has been asked before (guard.h); those that take it show it only what it may
// see, and find only its own sessions.
class EventHubCalls {
 public:
  // `hub` outlives this object.
  explicit EventHubCalls(hub::Hub& hub) : hub_(hub) {}

  absl::StatusOr<v1::OpenProducerResponse> OpenProducer(const v1::OpenProducerRequest& request);
  absl::StatusOr<v1::GetCommittedOffsetsResponse> GetCommittedOffsets(
      const v1::GetCommittedOffsetsRequest& request, const Caller& caller);
  absl::StatusOr<v1::ListOffsetsResponse> ListOffsets(const v1::ListOffsetsRequest& request);
  absl::StatusOr<v1::SeekResponse> Seek(const v1::SeekRequest& request, const Caller& caller);
  absl::StatusOr<v1::UpdateSubscriptionResponse> UpdateSubscription(
      const v1::UpdateSubscriptionRequest& request, const Caller& caller);
  absl::StatusOr<v1::PausePartitionsResponse> PausePartitions(
      const v1::PausePartitionsRequest& request, const Caller& caller);
  absl::StatusOr<v1::ResumePartitionsResponse> ResumePartitions(
      const v1::ResumePartitionsRequest& request, const Caller& caller);

 private:
  template <typename Response, typename Request>
  absl::StatusOr<Response> SetPaused(const Request& request, const Caller& caller, bool paused);

  hub::Hub& hub_;
};

}  // namespace millrace::server
