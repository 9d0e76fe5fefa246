// Groups and transactions of the fake hub, see fake_hub.h.
#include "tests/support/fake_hub.h"

namespace millrace::testing {
namespace {

constexpr int kFailedPrecondition = 9;
constexpr int kAborted = 10;

void SetPlace(const std::pair<std::string, int>& partition, v1::TopicPartition& out) {
  out.set_topic(partition.first);
  out.set_partition(partition.second);
}

}  // namespace

void FakeHub::Revoke(const std::string& group, const std::string& topic, int partition) {
  std::lock_guard lock(mutex_);
  for (auto& [id, session] : sessions_) {
    if (session.group != group || session.cursors.erase({topic, partition}) == 0) continue;
    session.revoking.insert({topic, partition});
    v1::Revoking& revoking = *session.control.emplace_back().mutable_revoking();
    SetPlace({topic, partition}, *revoking.add_partitions());
    revoking.mutable_time_left()->set_seconds(300);
  }
  changed_.notify_all();
}

bool FakeHub::Owns(const std::string& member_id, const v1::OffsetCommit& commit) const {
  for (const auto& [id, session] : sessions_) {
    if (session.member_id != member_id) continue;
    const TopicPartition partition = {commit.topic(), commit.partition()};
    return session.cursors.contains(partition) || session.revoking.contains(partition);
  }
  return false;
}

// Of an older position than the member's present one.
bool FakeHub::IsSuperseded(const std::string& member_id, const v1::OffsetCommit& commit) const {
  for (const auto& [id, session] : sessions_) {
    const auto cursor = session.cursors.find({commit.topic(), commit.partition()});
    if (session.member_id != member_id || cursor == session.cursors.end()) continue;
    return commit.has_position_epoch() && commit.position_epoch() < cursor->second.position_epoch;
  }
  return false;
}

void FakeHub::HandOver(const std::string& member_id, const TopicPartition& partition) {
  for (auto& [id, session] : sessions_) {
    if (session.member_id != member_id || session.revoking.erase(partition) == 0) continue;
    v1::Lost& lost = *session.control.emplace_back().mutable_lost();
    SetPlace(partition, *lost.add_partitions());
    lost.set_cause(v1::LOST_CAUSE_HANDED_OVER);
  }
}

grpc::Status FakeHub::CommitOffsets(const v1::CommitOffsetRequest& request,
                                    v1::CommitOffsetResponse& response) {
  std::lock_guard lock(mutex_);
  commit_requests_.push_back(request);
  changed_.notify_all();
  for (const auto& [id, session] : sessions_) {
    if (request.member_id().empty() && session.group == request.group()) {
      return ToStatus(MakeRequestError(kFailedPrecondition, "GROUP_HAS_MEMBERS"));
    }
  }
  for (const v1::OffsetCommit& commit : request.offsets()) {
    v1::CommitResult& result = *response.add_results();
    result.set_topic(commit.topic());
    result.set_partition(commit.partition());
    if (!request.member_id().empty() && !Owns(request.member_id(), commit)) {
      *result.mutable_error() = MakeRequestError(kAborted, "MEMBER_FENCED");
      continue;
    }
    if (IsSuperseded(request.member_id(), commit)) {
      *result.mutable_error() = MakeRequestError(kAborted, "SUPERSEDED");
      continue;
    }
    committed_[{request.group(), {commit.topic(), commit.partition()}}] = commit.next_offset();
    result.set_committed_next_offset(commit.next_offset());
    HandOver(request.member_id(), {commit.topic(), commit.partition()});
  }
  for (const v1::TopicPartition& released : request.released()) {
    HandOver(request.member_id(), {released.topic(), released.partition()});
  }
  for (auto& [id, session] : sessions_) {
    if (!request.leave() || session.member_id != request.member_id()) continue;
    session.cursors.clear();
    session.control.emplace_back().mutable_ending()->set_reason(v1::ENDING_REASON_LEFT);
  }
  return grpc::Status::OK;
}

grpc::Status FakeHub::Transact(const v1::TransactRequest& request, v1::TransactResponse& response) {
  std::lock_guard lock(mutex_);
  const int64_t sequence = request.sequence().sequence();
  const auto producer = producers_.find(request.sequence().producer_id());
  if (producer != producers_.end() && producer->second.transactions.contains(sequence) &&
      request.sequence().epoch() == producer->second.epoch) {
    response = producer->second.transactions.at(sequence);
    response.set_duplicate(true);
    return grpc::Status::OK;
  }
  v1::ProduceResponse known;
  if (const auto error = CheckSequence(request.sequence(), known)) return ToStatus(*error);
  for (const v1::OffsetCommit& commit : request.commit().offsets()) {
    if (!Owns(request.commit().member_id(), commit)) {
      return ToStatus(MakeRequestError(kAborted, "MEMBER_FENCED"));
    }
    if (IsSuperseded(request.commit().member_id(), commit)) {
      return ToStatus(MakeRequestError(kAborted, "SUPERSEDED"));
    }
  }
  for (const v1::ProduceRequest& append : request.appends()) {
    *response.add_appended() = Store(append);
  }
  for (const v1::OffsetCommit& commit : request.commit().offsets()) {
    committed_[{request.commit().group(), {commit.topic(), commit.partition()}}] =
        commit.next_offset();
    v1::CommitResult& result = *response.add_committed();
    result.set_topic(commit.topic());
    result.set_partition(commit.partition());
    result.set_committed_next_offset(commit.next_offset());
    HandOver(request.commit().member_id(), {commit.topic(), commit.partition()});
  }
  producer->second.last_sequence = sequence;
  producer->second.transactions[sequence] = response;
  changed_.notify_all();
  return grpc::Status::OK;
}

}  // namespace millrace::testing
