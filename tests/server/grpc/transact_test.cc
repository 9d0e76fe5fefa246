// Transact over the wire: read, process and write in one call.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/test_hub.h"

namespace millrace::testing {
namespace {

class Transact : public ::testing::Test {
 protected:
  Transact() {
    hub_.CreateTopic("orders", 2);
    hub_.CreateTopic("invoices", 3);
    hub_.CreateTopic("audit");
    hub_.Produce("orders", 0, {"a", "b", "c"});
    OpenProducer();
  }

  void OpenProducer() {
    v1::OpenProducerRequest request;
    request.set_producer_id("worker");
    v1::OpenProducerResponse response;
    ASSERT_TRUE(hub_.events().OpenProducer(NewContext().get(), request, &response).ok());
    epoch_ = response.epoch();
  }

  v1::TransactRequest RequestOf(int64_t sequence, int64_t next_offset) const {
    v1::TransactRequest request;
    v1::ProduceRequest* invoice = request.add_appends();
    invoice->set_topic("invoices");
    invoice->set_partition(2);
    v1::Record* record = invoice->add_records();
    record->set_key("customer");
    record->set_value("invoice");
    record->add_headers()->set_name("traceparent");
    v1::ProduceRequest* audit = request.add_appends();
    audit->set_topic("audit");
    audit->add_records()->set_value("x");
    audit->add_records()->set_value("y");
    request.mutable_commit()->set_group("billing");
    v1::OffsetCommit* offset = request.mutable_commit()->add_offsets();
    offset->set_topic("orders");
    offset->set_next_offset(next_offset);
    request.mutable_sequence()->set_producer_id("worker");
    request.mutable_sequence()->set_epoch(epoch_);
    request.mutable_sequence()->set_sequence(sequence);
    return request;
  }

  ErrorFacts Call(const v1::TransactRequest& request) {
    return FactsOf(hub_.events().Transact(NewContext().get(), request, &response_));
  }

  int64_t EndOf(const std::string& topic, int partition = 0) {
    v1::ListOffsetsRequest request;
    request.set_topic(topic);
    v1::ListOffsetsResponse response;
    EXPECT_TRUE(hub_.events().ListOffsets(NewContext().get(), request, &response).ok());
    return response.partitions(partition).latest_offset();
  }

  // -1: nothing.
  int64_t Committed() {
    v1::GetCommittedOffsetsRequest request;
    request.set_group("billing");
    v1::GetCommittedOffsetsResponse response;
    EXPECT_TRUE(hub_.events().GetCommittedOffsets(NewContext().get(), request, &response).ok());
    for (const v1::CommittedOffset& offset : response.offsets()) {
      if (offset.topic() == "orders" && offset.partition() == 0) return offset.next_offset();
    }
    return -1;
  }

  v1::SubscribeRequest MemberRequest() const {
    v1::SubscribeRequest request;
    request.add_topics("orders");
    request.set_group("billing");
    return request;
  }
  static void SetMember(const Subscriber& member, v1::TransactRequest& request) {
    request.mutable_commit()->set_member_id(member.session().member_id());
    request.mutable_commit()->set_member_epoch(member.session().member_epoch());
  }

  TestHub hub_;
  int64_t epoch_ = 0;
  v1::TransactResponse response_;
};

TEST_F(Transact, AnswersForEveryAppendAndEveryCommit) {
  ASSERT_EQ(Call(RequestOf(1, 2)).code, grpc::OK);
  EXPECT_FALSE(response_.duplicate());
  EXPECT_FALSE(response_.result_expired());
  ASSERT_EQ(response_.appended_size(), 2);
  ASSERT_EQ(response_.appended(0).appended_size(), 1);
  EXPECT_EQ(response_.appended(0).appended(0).partition(), 2);
  EXPECT_EQ(response_.appended(0).appended(0).base_offset(), 0);
  EXPECT_EQ(response_.appended(1).appended(0).record_count(), 2);
  ASSERT_EQ(response_.committed_size(), 1);
  EXPECT_EQ(response_.committed(0).topic(), "orders");
  EXPECT_EQ(response_.committed(0).partition(), 0);
  EXPECT_EQ(response_.committed(0).committed_next_offset(), 2);
  EXPECT_FALSE(response_.committed(0).has_error());
  EXPECT_EQ(Committed(), 2);
}

TEST_F(Transact, DeliversTheRecordsAsTheyWereSent) {
  v1::TransactRequest request = RequestOf(1, 2);
  v1::Record* record = request.mutable_appends(0)->mutable_records(0);
  record->mutable_event_time()->set_seconds(1'700'000'000);
  record->GetReflection()->MutableUnknownFields(record)->AddVarint(99, 7);
  const std::string sent = record->SerializeAsString();
  ASSERT_EQ(Call(request).code, grpc::OK);
  v1::SubscribeRequest subscribe;
  subscribe.add_topics("invoices");
  subscribe.mutable_start()->set_earliest(true);
  Subscriber subscriber(hub_, subscribe);
  const auto frame = subscriber.NextOf(v1::SubscribeResponse::kBatches);
  EXPECT_EQ(frame.batches().batches(0).partition(), 2);
  EXPECT_EQ(frame.batches().batches(0).records(0).SerializeAsString(), sent);
}

TEST_F(Transact, IsRepeatable) {
  ASSERT_EQ(Call(RequestOf(1, 2)).code, grpc::OK);
  const v1::TransactResponse first = response_;
  ASSERT_EQ(Call(RequestOf(1, 2)).code, grpc::OK);
  EXPECT_TRUE(response_.duplicate());
  ASSERT_EQ(response_.appended_size(), 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(response_.appended(i).duplicate());
    EXPECT_EQ(response_.appended(i).appended(0).SerializeAsString(),
              first.appended(i).appended(0).SerializeAsString());
  }
  EXPECT_EQ(response_.committed(0).committed_next_offset(), 2);
  EXPECT_EQ(EndOf("invoices", 2), 1);
  EXPECT_EQ(EndOf("audit"), 2);
}

TEST_F(Transact, SaysWhatIsWrongWithARequestAndStoresNothing) {
  struct Case {
    const char* reason;
    grpc::StatusCode code;
    std::string field;  // Empty: none is named.
    std::function<void(v1::TransactRequest&)> change;
  };
  const std::vector<Case> cases = {
      {"SEQUENCE_REQUIRED", grpc::INVALID_ARGUMENT, "sequence",
       [](auto& r) { r.clear_sequence(); }},
      {"INVALID_SEQUENCE", grpc::INVALID_ARGUMENT, "sequence",
       [](auto& r) { r.mutable_sequence()->clear_producer_id(); }},
      {"EMPTY_REQUEST", grpc::INVALID_ARGUMENT, "appends",
       [](auto& r) {
         r.clear_appends();
         r.clear_commit();
       }},
      {"EMPTY_REQUEST", grpc::INVALID_ARGUMENT, "appends[1].records",
       [](auto& r) { r.mutable_appends(1)->clear_records(); }},
      {"INVALID_CONFIG", grpc::INVALID_ARGUMENT, "appends[0].sequence",
       [](auto& r) { *r.mutable_appends(0)->mutable_sequence() = r.sequence(); }},
      {"INVALID_CONFIG", grpc::INVALID_ARGUMENT, "appends[1].durability",
       [](auto& r) { r.mutable_appends(1)->set_durability(v1::DURABILITY_SYNCED); }},
      {"TOPIC_NOT_FOUND", grpc::NOT_FOUND, "",
       [](auto& r) { r.mutable_appends(1)->set_topic("nothing"); }},
      {"INVALID_NAME", grpc::INVALID_ARGUMENT, "",
       [](auto& r) { r.mutable_appends(1)->set_topic("no name"); }},
      {"PARTITION_OUT_OF_RANGE", grpc::OUT_OF_RANGE, "",
       [](auto& r) { r.mutable_appends(0)->set_partition(3); }},
      {"EXPECTED_OFFSET_NEEDS_PARTITION", grpc::INVALID_ARGUMENT, "appends[1].partition",
       [](auto& r) { r.mutable_appends(1)->set_expected_next_offset(0); }},
      {"UNEXPECTED_OFFSET", grpc::FAILED_PRECONDITION, "",
       [](auto& r) { r.mutable_appends(0)->set_expected_next_offset(8); }},
      {"RECORD_TOO_LARGE", grpc::INVALID_ARGUMENT, "",
       [](auto& r) {
         r.mutable_appends(1)->add_records()->set_value(std::string((1 << 20) + 1, 'v'));
       }},
      {"BATCH_TOO_LARGE", grpc::INVALID_ARGUMENT, "",
       [](auto& r) {
         for (int i = 0; i < 50'000; ++i) r.mutable_appends(0)->add_records();
         for (int i = 0; i < 50'000; ++i) r.mutable_appends(1)->add_records();
       }},
      {"BATCH_TOO_LARGE", grpc::INVALID_ARGUMENT, "",
       [](auto& r) {
         for (int i = 0; i < 5; ++i) {
           r.mutable_appends(i % 2)->add_records()->set_value(std::string(1'000'000, 'v'));
         }
       }},
      {"MALFORMED_REQUEST", grpc::INVALID_ARGUMENT, "durability",
       [](auto& r) { r.set_durability(static_cast<v1::Durability>(77)); }},
      {"PRODUCER_UNKNOWN", grpc::FAILED_PRECONDITION, "",
       [](auto& r) { r.mutable_sequence()->set_producer_id("stranger"); }},
      {"SEQUENCE_GAP", grpc::FAILED_PRECONDITION, "",
       [](auto& r) { r.mutable_sequence()->set_sequence(2); }},
      {"INVALID_NAME", grpc::INVALID_ARGUMENT, "",
       [](auto& r) { r.mutable_commit()->set_group("no group"); }},
      {"OFFSET_OUT_OF_RANGE", grpc::OUT_OF_RANGE, "",
       [](auto& r) { r.mutable_commit()->mutable_offsets(0)->set_next_offset(4); }},
      {"TOPIC_NOT_FOUND", grpc::NOT_FOUND, "",
       [](auto& r) { r.mutable_commit()->mutable_offsets(0)->set_topic("nothing"); }},
      {"METADATA_TOO_LARGE", grpc::INVALID_ARGUMENT, "",
       [](auto& r) {
         r.mutable_commit()->mutable_offsets(0)->set_metadata(std::string(4097, 'm'));
       }},
      {"MEMBER_FENCED", grpc::ABORTED, "",
       [](auto& r) { r.mutable_commit()->set_member_id("an-impostor"); }},
  };
  for (const Case& each : cases) {
    v1::TransactRequest request = RequestOf(1, 2);
    each.change(request);
    const ErrorFacts facts = Call(request);
    EXPECT_EQ(facts.reason, each.reason);
    EXPECT_EQ(facts.code, each.code) << each.reason;
    if (!each.field.empty()) {
      EXPECT_EQ(facts.fields, std::vector<std::string>{each.field}) << each.reason;
    }
  }
  EXPECT_EQ(EndOf("invoices", 2), 0);
  EXPECT_EQ(EndOf("audit"), 0);
  EXPECT_EQ(Committed(), -1);
  EXPECT_EQ(Call(RequestOf(1, 2)).code, grpc::OK) << "its sequence was used up";
}

TEST_F(Transact, TellsWhichAppendIsRefused) {
  v1::TransactRequest request = RequestOf(1, 2);
  request.mutable_appends(1)->add_records()->set_value(std::string((1 << 20) + 1, 'v'));
  ErrorFacts facts = Call(request);
  EXPECT_EQ(facts.metadata.at("append_index"), "1");
  EXPECT_EQ(facts.metadata.at("record_index"), "2");
  request = RequestOf(1, 2);
  request.mutable_appends(0)->set_topic("nothing");
  facts = Call(request);
  EXPECT_EQ(facts.metadata.at("append_index"), "0");
  EXPECT_EQ(facts.metadata.at("topic"), "nothing");
}

TEST_F(Transact, IsFencedByTheNextEpochOfItsProducer) {
  ASSERT_EQ(Call(RequestOf(1, 1)).code, grpc::OK);
  const v1::TransactRequest zombie = RequestOf(2, 2);
  OpenProducer();
  const ErrorFacts facts = Call(zombie);
  EXPECT_EQ(facts.code, grpc::FAILED_PRECONDITION);
  EXPECT_EQ(facts.reason, "PRODUCER_FENCED");
  EXPECT_EQ(Committed(), 1);
  ASSERT_EQ(Call(RequestOf(1, 1)).code, grpc::OK);  // The new epoch goes on with the sequence.
  EXPECT_TRUE(response_.duplicate());
  EXPECT_EQ(Call(RequestOf(2, 2)).code, grpc::OK);
}

TEST_F(Transact, StoresNothingOfAMemberThatWasReplacedButAnswersItsRepetitions) {
  v1::SubscribeRequest subscribe = MemberRequest();
  subscribe.set_instance_id("pod-1");
  Subscriber former(hub_, subscribe);
  former.NextOf(v1::SubscribeResponse::kAssigned);
  EXPECT_EQ(Call(RequestOf(1, 2)).reason, "GROUP_HAS_MEMBERS");
  v1::TransactRequest request = RequestOf(1, 2);
  SetMember(former, request);
  ASSERT_EQ(Call(request).code, grpc::OK);

  Subscriber present(hub_, subscribe);
  present.NextOf(v1::SubscribeResponse::kAssigned);
  ASSERT_EQ(Call(request).code, grpc::OK);
  EXPECT_TRUE(response_.duplicate());
  EXPECT_EQ(response_.appended(0).appended(0).base_offset(), 0);
  EXPECT_EQ(response_.committed(0).committed_next_offset(), 2);

  v1::TransactRequest next = RequestOf(2, 3);
  SetMember(former, next);
  const ErrorFacts facts = Call(next);
  EXPECT_EQ(facts.code, grpc::ABORTED);
  EXPECT_EQ(facts.reason, "MEMBER_FENCED");
  EXPECT_EQ(EndOf("invoices", 2), 1);
  EXPECT_EQ(Committed(), 2);
  SetMember(present, next);
  ASSERT_EQ(Call(next).code, grpc::OK);
  EXPECT_FALSE(response_.duplicate());
  EXPECT_EQ(Committed(), 3);
}

}  // namespace
}  // namespace millrace::testing
