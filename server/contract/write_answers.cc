#include "server/contract/write_answers.h"

#include "server/contract/request_error.h"

namespace millrace::server {

void Fill(const hub::ProduceOutcome& outcome, v1::ProduceResponse& response) {
  for (const hub::PlacedRange& range : outcome.ranges) {
    v1::AppendedRange* appended = response.add_appended();
    appended->set_partition(range.partition);
    appended->set_base_offset(range.base_offset.value());
    appended->set_record_count(range.record_count);
    appended->mutable_record_indexes()->Add(range.record_indexes.begin(),
                                            range.record_indexes.end());
  }
  response.set_duplicate(outcome.duplicate);
  response.set_result_expired(outcome.result_expired);
}

void Fill(const hub::TransactOutcome& outcome, v1::TransactResponse& response) {
  for (const hub::ProduceOutcome& append : outcome.appended) Fill(append, *response.add_appended());
  for (const hub::CommittedPosition& position : outcome.committed) {
    v1::CommitResult* result = response.add_committed();
    result->set_topic(position.topic);
    result->set_partition(position.partition);
    if (position.next_offset) result->set_committed_next_offset(position.next_offset->value());
  }
  response.set_duplicate(outcome.duplicate);
  response.set_result_expired(outcome.result_expired);
}

v1::CommitOffsetResponse ToCommitResponse(const v1::CommitOffsetRequest& request,
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

}  // namespace millrace::server
