#include "server/grpc/group_watch.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "server/grpc/conversions.h"
#include "server/grpc/message_bytes.h"
#include "server/grpc/status.h"

namespace millrace::server {
namespace {

constexpr absl::Duration kUsualInterval = absl::Seconds(1);
constexpr absl::Duration kShortestInterval = absl::Milliseconds(100);
constexpr absl::Duration kLongestInterval = absl::Hours(1);
constexpr absl::Duration kLongestNap = absl::Seconds(1);  // So that a draining hub need not wait.

v1::GroupPartition ToGroupPartition(const hub::GroupPartition& partition) {
  v1::GroupPartition proto;
  proto.set_topic(partition.topic);
  proto.set_partition(partition.partition);
  proto.set_member_id(partition.member_id);
  if (partition.committed) {
    proto.set_committed_next_offset(partition.committed->next_offset.value());
    proto.set_metadata(partition.committed->metadata);
  }
  if (partition.delivered) proto.set_delivered_next_offset(partition.delivered->value());
  proto.set_earliest_offset(partition.earliest.value());
  proto.set_latest_offset(partition.latest.value());
  proto.set_lag_records(partition.lag_records);
  if (partition.lag_time) *proto.mutable_lag_time() = ToDuration(*partition.lag_time);
  return proto;
}

// Life: Describe on a worker, a write if something changed, a nap by the timer, and again. Whatever
// is under way holds a share, so that it finds the reactor alive.
class GroupWatch final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                         public std::enable_shared_from_this<GroupWatch> {
 public:
  explicit GroupWatch(hub::Hub& hub) : hub_(hub) {}

  void Start(const grpc::ByteBuffer& bytes) {
    self_ = shared_from_this();
    if (absl::Status status = Read(bytes); !status.ok()) return End(status);
    DescribeOnWorker();
  }

  void OnWriteDone(bool ok) override {
    bool cancelled;
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      cancelled = cancelled_;
    }
    if (!ok || cancelled) return End(absl::CancelledError("the client is gone"));
    Nap(interval_);
  }

  void OnCancel() override {
    {
      std::lock_guard lock(mutex_);
      cancelled_ = true;
      if (writing_) return;  // OnWriteDone ends the call.
    }
    End(absl::CancelledError("the client is gone"));
  }

  void OnDone() override { self_.reset(); }

 private:
  absl::Status Read(const grpc::ByteBuffer& bytes) {
    v1::WatchGroupRequest request;
    if (absl::Status status = ParseMessage(bytes, request); !status.ok()) return status;
    group_ = request.group();
    if (!request.has_interval()) return absl::OkStatus();
    const auto interval = FromDuration(request.interval(), "interval");
    if (!interval.ok()) return interval.status();
    if (*interval < kShortestInterval || *interval > kLongestInterval) {
      return InvalidField("interval", "interval must be between 100 ms and 1 h");
    }
    interval_ = *interval;
    return absl::OkStatus();
  }

  void DescribeOnWorker() {
    if (absl::Status status = hub_.Admit(); !status.ok()) return End(status);
    hub_.workers().Post([self = shared_from_this()] { self->Describe(); });
  }

  void Describe() {
    const auto description = hub_.group_inspection().Describe(group_);
    if (!description.ok()) return End(description.status());
    v1::WatchGroupResponse response;
    *response.mutable_group() = ToGroup(*description);
    std::string text = response.SerializeAsString();
    if (text == last_) return Nap(interval_);
    last_ = std::move(text);
    outgoing_ = SerializeMessage(response);
    std::lock_guard lock(mutex_);
    if (finished_ || cancelled_) return;
    writing_ = true;
    StartWrite(&outgoing_);
  }

  void Nap(absl::Duration left) {
    if (absl::Status status = hub_.Admit(); !status.ok()) return End(status);
    {
      std::lock_guard lock(mutex_);
      if (finished_) return;
    }
    const absl::Duration nap = std::min(left, kLongestNap);
    hub_.timers().Schedule(nap, [self = shared_from_this(), left = left - nap] {
      if (left > absl::ZeroDuration()) return self->Nap(left);
      self->DescribeOnWorker();
    });
  }

  // The first one wins. Not while a write is under way.
  void End(const absl::Status& status) {
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(finished_, true)) return;
    }
    Finish(ToGrpcStatus(status));
  }

  hub::Hub& hub_;
  std::shared_ptr<GroupWatch> self_;  // Until OnDone.
  std::string group_;
  absl::Duration interval_ = kUsualInterval;

  std::mutex mutex_;
  bool writing_ = false;
  bool cancelled_ = false;
  bool finished_ = false;

  // Touched by one thread at a time.
  std::string last_;
  grpc::ByteBuffer outgoing_;
};

}  // namespace

v1::GroupSummary ToGroupSummary(const hub::GroupDescription& description) {
  v1::GroupSummary summary;
  summary.set_group(description.name);
  summary.set_member_count(static_cast<int32_t>(std::count_if(
      description.members.begin(), description.members.end(),
      [](const hub::MemberView& member) { return member.connect_time.has_value(); })));
  for (const std::string& topic : description.topics) summary.add_topics(topic);
  summary.set_lag_records(description.lag_records);
  return summary;
}

v1::Group ToGroup(const hub::GroupDescription& description) {
  v1::Group group;
  *group.mutable_summary() = ToGroupSummary(description);
  std::map<std::string, v1::GroupMember*> members;
  for (const hub::MemberView& view : description.members) {
    v1::GroupMember* member = group.add_members();
    member->set_member_id(view.member_id);
    member->set_instance_id(view.instance_id);
    member->set_peer(view.peer);
    if (view.connect_time) *member->mutable_connect_time() = ToTimestamp(*view.connect_time);
    members[view.member_id] = member;
  }
  for (const hub::GroupPartition& partition : description.partitions) {
    *group.add_partitions() = ToGroupPartition(partition);
    const auto it = members.find(partition.member_id);
    if (it == members.end()) continue;
    v1::TopicPartition* owned = it->second->add_partitions();
    owned->set_topic(partition.topic);
    owned->set_partition(partition.partition);
  }
  return group;
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartGroupWatch(hub::Hub& hub,
                                                            const grpc::ByteBuffer& request) {
  auto watch = std::make_shared<GroupWatch>(hub);
  watch->Start(request);
  return watch.get();
}

}  // namespace millrace::server
