// A hub with a topic "orders" of two partitions and a group "billing" that reads it.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/hub/groups.h"
#include "tests/server/hub/frame_reader.h"
#include "tests/server/hub/hub_fixture.h"

namespace millrace::hub {

using Values = std::vector<std::string>;
using Numbers = std::vector<int32_t>;

class GroupsTest : public HubFixture {
 protected:
  GroupsTest() { CreateTopic("orders", 2); }

  static SubscribeCommand Member(const std::string& instance_id = "") {
    return {.topics = {"orders"}, .group = "billing", .instance_id = instance_id};
  }

  // Begins anew with these options and a topic "orders" of two partitions.
  void Restart(HubOptions options) {
    Start(std::move(options));
    CreateTopic("orders", 2);
  }

  // The member's reader, its session_started frame read.
  struct Joined {
    std::shared_ptr<Subscription> stream;
    std::unique_ptr<FrameReader> reader;
    SessionStartedFrame session;
  };
  Joined Join(const SubscribeCommand& command) {
    Joined joined{.stream = Subscribe(command)};
    joined.reader = std::make_unique<FrameReader>(joined.stream);
    joined.session = joined.reader->Expect<SessionStartedFrame>();
    return joined;
  }

  CommitCommand CommitOf(const Joined& member, int32_t partition, int64_t next_offset) {
    return {.group = "billing",
            .member_id = member.session.member_id,
            .member_epoch = member.session.member_epoch,
            .entries = {{.topic = "orders",
                         .partition = partition,
                         .next_offset = storage::Offset(next_offset)}}};
  }

  // Commits, and expects that it is accepted.
  void MustCommit(const Joined& member, int32_t partition, int64_t next_offset) {
    const auto outcome = Commit(CommitOf(member, partition, next_offset));
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_TRUE((*outcome)[0].ok()) << (*outcome)[0].status();
  }

  void Close(const Joined& member) { hub_->subscriptions().Close(member.stream); }

  int64_t CommittedIn(int32_t partition) {
    const auto committed = hub_->groups().Committed("billing", {{"orders", partition}});
    return (*committed)[0].committed ? (*committed)[0].committed->next_offset.value() : -1;
  }
};

inline std::vector<int32_t> NumbersOf(const std::vector<PartitionName>& names) {
  std::vector<int32_t> numbers;
  for (const PartitionName& name : names) numbers.push_back(name.partition);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

inline std::vector<int32_t> NumbersOf(const AssignedFrame& frame) {
  std::vector<PartitionName> names;
  for (const Assignment& each : frame.assignments) names.push_back(each.name);
  return NumbersOf(names);
}

}  // namespace millrace::hub
