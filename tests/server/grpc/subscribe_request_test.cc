// What a SubscribeRequest may say; what the stream then does is tested with the hub.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "tests/support/test_hub.h"

namespace millrace::testing {
namespace {

struct Refusal {
  std::string reason;
  std::string field;  // Empty: none is named.
  std::function<void(v1::SubscribeRequest&)> change;
};

class SubscribeRequest : public ::testing::Test {
 protected:
  SubscribeRequest() { hub_.CreateTopic("orders"); }

  ErrorFacts Refused(const v1::SubscribeRequest& request) {
    Subscriber subscriber(hub_, request);
    return FactsOf(subscriber.Finish());
  }

  TestHub hub_;
};

TEST_F(SubscribeRequest, IsRefusedForWhatMakesNoSense) {
  const std::vector<Refusal> refusals = {
      {"EMPTY_REQUEST", "topics", [](auto& r) { r.clear_topics(); }},
      {"INVALID_NAME", "topic", [](auto& r) { r.set_topics(0, "no name"); }},
      {"INVALID_NAME", "group", [](auto& r) { r.set_group("no group"); }},
      {"TOPIC_NOT_FOUND", "", [](auto& r) { r.set_topics(0, "nothing"); }},
      {"POSITIONS_WITH_GROUP", "positions",
       [](auto& r) {
         r.set_group("g");
         r.add_positions()->set_topic("orders");
       }},
      {"INVALID_CONFIG", "start", [](auto& r) { r.mutable_start(); }},
      {"INVALID_CONFIG", "start.earliest", [](auto& r) { r.mutable_start()->set_earliest(false); }},
      {"INVALID_CONFIG", "start.latest", [](auto& r) { r.mutable_start()->set_latest(false); }},
      {"INVALID_CONFIG", "start.time",
       [](auto& r) { r.mutable_start()->mutable_time()->set_nanos(1'000'000'000); }},
      {"INVALID_CONFIG", "on_out_of_range",
       [](auto& r) { r.set_on_out_of_range(static_cast<v1::OutOfRangePolicy>(8)); }},
      {"INVALID_CONFIG", "heartbeat_interval",
       [](auto& r) { r.mutable_heartbeat_interval()->set_nanos(99'999'999); }},
      {"INVALID_CONFIG", "heartbeat_interval",
       [](auto& r) { r.mutable_heartbeat_interval()->set_seconds(3601); }},
      {"INVALID_CONFIG", "max_batch_bytes", [](auto& r) { r.set_max_batch_bytes(0); }},
      {"INVALID_CONFIG", "max_batch_bytes", [](auto& r) { r.set_max_batch_bytes(1 << 30); }},
      {"INVALID_CONFIG", "revoke_timeout", [](auto& r) { r.mutable_revoke_timeout(); }},
      {"INVALID_CONFIG", "max_in_flight_records", [](auto& r) { r.set_max_in_flight_records(1); }},
      {"INVALID_CONFIG", "max_in_flight_bytes", [](auto& r) { r.set_max_in_flight_bytes(1); }},
      {"INVALID_CONFIG", "max_uncommitted_age",
       [](auto& r) { r.mutable_max_uncommitted_age()->set_seconds(1); }},
      {"INVALID_CONFIG", "max_in_flight_records",
       [](auto& r) {
         r.set_group("g");
         r.set_max_in_flight_records(0);
       }},
      {"INVALID_CONFIG", "max_uncommitted_age",
       [](auto& r) {
         r.set_group("g");
         r.mutable_max_uncommitted_age();
       }},
      {"INVALID_CONFIG", "resume_member_id", [](auto& r) { r.set_resume_member_id("m"); }},
      {"INVALID_NAME", "instance",
       [](auto& r) {
         r.set_group("g");
         r.set_instance_id("no name");
       }},
      {"PARTITION_OUT_OF_RANGE", "",
       [](auto& r) {
         r.add_positions()->set_topic("orders");
         r.mutable_positions(0)->set_partition(1);
       }},
      {"OFFSET_OUT_OF_RANGE", "",
       [](auto& r) {
         r.add_positions()->set_topic("orders");
         r.mutable_positions(0)->set_offset(1);
       }},
      {"OFFSET_OUT_OF_RANGE", "",
       [](auto& r) {
         r.add_positions()->set_topic("orders");
         r.mutable_positions(0)->set_offset(-1);
       }},
      {"LOG_EPOCH_CHANGED", "",
       [](auto& r) {
         r.add_positions()->set_topic("orders");
         r.mutable_positions(0)->set_log_epoch(0);
       }},
  };
  for (const Refusal& each : refusals) {
    SCOPED_TRACE(each.reason + " " + each.field);
    v1::SubscribeRequest request;
    request.add_topics("orders");
    each.change(request);
    const ErrorFacts facts = Refused(request);
    EXPECT_EQ(facts.reason, each.reason);
    EXPECT_EQ(facts.fields.empty() ? "" : facts.fields[0], each.field);
  }
}

TEST_F(SubscribeRequest, NeedsNoMoreThanATopic) {
  v1::SubscribeRequest request;
  request.add_topics("orders");
  Subscriber subscriber(hub_, request);
  EXPECT_EQ(subscriber.session_id().size(), 32u);
  const auto assigned = subscriber.NextOf(v1::SubscribeResponse::kAssigned).assigned();
  ASSERT_EQ(assigned.assignments_size(), 1);
  EXPECT_EQ(assigned.assignments(0).topic(), "orders");
}

TEST_F(SubscribeRequest, OfAMemberThatIsGoneMakesANewOne) {
  v1::SubscribeRequest request;
  request.add_topics("orders");
  request.set_group("audit");
  request.set_resume_member_id("long-gone");
  Subscriber subscriber(hub_, request);
  EXPECT_NE(subscriber.session().member_id(), "");
  EXPECT_NE(subscriber.session().member_id(), "long-gone");
}

TEST_F(SubscribeRequest, ThatIsNoMessageIsRefused) {
  auto context = NewContext();
  v1::SubscribeRequest request;
  request.add_topics("not utf-8: \xff\xfe");
  const auto reader = hub_.events().Subscribe(context.get(), request);
  v1::SubscribeResponse frame;
  EXPECT_FALSE(reader->Read(&frame));
  const ErrorFacts facts = FactsOf(reader->Finish());
  EXPECT_EQ(facts.code, grpc::INVALID_ARGUMENT);
  EXPECT_EQ(facts.reason, "MALFORMED_REQUEST");
}

}  // namespace
}  // namespace millrace::testing
