#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/test_hub.h"

namespace millrace::testing {
namespace {

class InspectionService : public ::testing::Test {
 protected:
  InspectionService() { hub_.CreateTopic("orders", 2); }

  ErrorFacts Send(const v1::SendRequest& request) {
    return FactsOf(hub_.inspection().Send(NewContext().get(), request, &sent_));
  }

  // Everything that a Tail shows, up to its end.
  std::pair<std::vector<v1::TailResponse>, ErrorFacts> Tail(const v1::TailRequest& request) {
    auto context = NewContext();
    const auto reader = hub_.inspection().Tail(context.get(), request);
    std::vector<v1::TailResponse> shown;
    for (v1::TailResponse response; reader->Read(&response);) shown.push_back(response);
    return {shown, FactsOf(reader->Finish())};
  }

  std::vector<v1::TailResponse> Everything() {
    v1::TailRequest request;
    request.set_topic("orders");
    request.set_from_beginning(true);
    request.set_end_at_current(true);
    auto [shown, facts] = Tail(request);
    EXPECT_EQ(facts.code, grpc::OK) << facts.message;
    return shown;
  }

  TestHub hub_;
  v1::SendResponse sent_;
};

v1::SendRequest ToPartition(int partition) {
  v1::SendRequest request;
  request.set_topic("orders");
  request.set_partition(partition);
  return request;
}

TEST_F(InspectionService, ShowsAValueAsWhatLosesNothing) {
  enum Form { kJson, kText, kBinary };
  std::string deep_enough(32, '[');
  deep_enough += std::string(32, ']');
  std::string too_deep(65, '[');
  too_deep += std::string(65, ']');
  const std::vector<std::pair<std::string, Form>> cases = {
      {R"({"item": "tea", "count": 3, "paid": true, "note": null, "sizes": [1, 2.5]})", kJson},
      {"[]", kJson},
      {"\"text in quotes\"", kJson},
      {"17", kJson},
      {"0.1", kJson},
      {"9007199254740992", kJson},
      {"9007199254740993", kText},  // No double holds it.
      {"0.1000000000000000055511", kText},
      {"1e400", kText},
      {R"({"a": 1, "a": 2})", kText},  // One of them would be lost.
      {deep_enough, kJson},
      {too_deep, kText},
      {"007", kText},
      {"{\"a\": 1} trailing", kText},
      {"plain words: grüße", kText},
      {"", kText},
      {"\xEF\xBB\xBF{}", kText},
      {std::string("\x00zero\xff", 6), kBinary},
      {"\"broken \xff utf-8\"", kBinary},
  };
  for (const auto& [value, form] : cases) hub_.Produce("orders", 0, {value});
  const auto shown = Everything();
  ASSERT_EQ(shown.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].first);
    EXPECT_EQ(shown[i].has_json(), cases[i].second == kJson);
    EXPECT_EQ(shown[i].has_text(), cases[i].second == kText);
    EXPECT_EQ(shown[i].has_binary(), cases[i].second == kBinary);
    const std::string kept = shown[i].has_text() ? shown[i].text() : shown[i].binary();
    if (!shown[i].has_json()) {
      EXPECT_EQ(kept, cases[i].first);
    }
  }
  const auto& object = shown[0].json().struct_value().fields();
  EXPECT_EQ(object.at("item").string_value(), "tea");
  EXPECT_EQ(object.at("count").number_value(), 3);
  EXPECT_TRUE(object.at("paid").bool_value());
  EXPECT_EQ(object.at("note").kind_case(), google::protobuf::Value::kNullValue);
  EXPECT_EQ(object.at("sizes").list_value().values(1).number_value(), 2.5);
}

// A stub in C++, Java or Python reads messages that nest at most 100 deep, and a JSON object takes
// three levels of google.protobuf.Value.
TEST_F(InspectionService, ShowsNoJsonThatAStubRefusesToRead) {
  for (int depth = 1; depth <= 66; ++depth) {
    std::string objects;
    for (int i = 0; i < depth; ++i) objects += R"({"a":)";
    objects += "1" + std::string(depth, '}');
    hub_.Produce("orders", 0, {objects});
  }
  const auto shown = Everything();
  ASSERT_EQ(shown.size(), 66u);
  EXPECT_TRUE(shown[31].has_json()) << "32 deep";
  EXPECT_TRUE(shown[33].has_text()) << "34 deep";
}

TEST_F(InspectionService, ShowsAllPartsOfARecord) {
  v1::ProduceRequest request;
  request.set_topic("orders");
  request.set_partition(1);
  v1::Record* record = request.add_records();
  record->set_key("42");
  record->mutable_event_time()->set_seconds(1'700'000'000);
  record->mutable_event_time()->set_nanos(5);
  v1::Header* header = record->add_headers();
  header->set_name("text");
  header->set_value("words");
  header = record->add_headers();
  header->set_name("binary");
  header->set_value("\xff");
  record->add_headers()->set_name("absent");
  request.add_records()->set_key("\xfe\xff");
  request.add_records()->set_value("no key");
  v1::ProduceResponse response;
  ASSERT_TRUE(hub_.events().Produce(NewContext().get(), request, &response).ok());

  const auto shown = Everything();
  ASSERT_EQ(shown.size(), 3u);
  EXPECT_EQ(shown[0].topic(), "orders");
  EXPECT_EQ(shown[0].partition(), 1);
  EXPECT_EQ(shown[0].offset(), 0);
  EXPECT_EQ(shown[0].key(), "42");
  EXPECT_TRUE(shown[0].has_append_time());
  EXPECT_EQ(shown[0].event_time().seconds(), 1'700'000'000);
  EXPECT_EQ(shown[0].event_time().nanos(), 5);
  EXPECT_EQ(shown[0].record_value_case(), v1::TailResponse::RECORD_VALUE_NOT_SET);
  ASSERT_EQ(shown[0].headers_size(), 3);
  EXPECT_EQ(shown[0].headers(0).text(), "words");
  EXPECT_EQ(shown[0].headers(1).binary(), "\xff");
  EXPECT_EQ(shown[0].headers(2).value_case(), v1::ReadableHeader::VALUE_NOT_SET);
  EXPECT_EQ(shown[1].offset(), 1);
  EXPECT_EQ(shown[1].key_binary(), "\xfe\xff");
  EXPECT_EQ(shown[2].record_key_case(), v1::TailResponse::RECORD_KEY_NOT_SET);
  EXPECT_FALSE(shown[2].has_event_time());
}

TEST_F(InspectionService, LeavesOutAnEventTimeThatIsNone) {
  v1::ProduceRequest request;
  request.set_topic("orders");
  request.set_partition(0);
  request.add_records()->mutable_event_time()->set_nanos(-1);
  v1::ProduceResponse response;
  ASSERT_TRUE(hub_.events().Produce(NewContext().get(), request, &response).ok());
  const auto shown = Everything();
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_FALSE(shown[0].has_event_time());
}

TEST_F(InspectionService, WhatIsSentComesBackTheSame) {
  v1::SendRequest request = ToPartition(1);
  request.set_key("42");
  request.mutable_event_time()->set_seconds(1'700'000'000);
  v1::ReadableHeader* header = request.add_headers();
  header->set_name("source");
  header->set_text("a person");
  header = request.add_headers();
  header->set_name("blob");
  header->set_binary("\xff");
  request.add_headers()->set_name("absent");
  auto& fields = *request.mutable_json()->mutable_struct_value()->mutable_fields();
  fields["item"].set_string_value("tea");
  fields["count"].set_number_value(3);
  fields["price"].set_number_value(2.5);
  ASSERT_EQ(Send(request).code, grpc::OK);
  EXPECT_EQ(sent_.topic(), "orders");
  EXPECT_EQ(sent_.partition(), 1);
  EXPECT_EQ(sent_.offset(), 0);

  const auto shown = Everything();
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].json().DebugString(), request.json().DebugString());
  EXPECT_EQ(shown[0].key(), "42");
  EXPECT_EQ(shown[0].event_time().seconds(), 1'700'000'000);
  ASSERT_EQ(shown[0].headers_size(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(shown[0].headers(i).DebugString(), request.headers(i).DebugString());
  }
}

TEST_F(InspectionService, StoresJsonAsCompactText) {
  v1::SendRequest request = ToPartition(0);
  auto& fields = *request.mutable_json()->mutable_struct_value()->mutable_fields();
  fields["count"].set_number_value(3);
  fields["a"].mutable_list_value()->add_values()->set_bool_value(true);
  ASSERT_EQ(Send(request).code, grpc::OK);

  v1::SubscribeRequest subscribe;
  subscribe.add_topics("orders");
  subscribe.mutable_start()->set_earliest(true);
  Subscriber subscriber(hub_, subscribe);
  const auto frame = subscriber.NextOf(v1::SubscribeResponse::kBatches);
  EXPECT_EQ(frame.batches().batches(0).records(0).value(), R"({"a":[true],"count":3})");
}

TEST_F(InspectionService, SendsTextBytesAndTombstones) {
  v1::SendRequest text = ToPartition(0);
  text.set_text("grüße");
  v1::SendRequest binary = ToPartition(0);
  binary.set_key_binary("\xff");
  binary.set_binary("\xfe");
  ASSERT_EQ(Send(text).code, grpc::OK);
  ASSERT_EQ(Send(binary).code, grpc::OK);
  ASSERT_EQ(Send(ToPartition(0)).code, grpc::OK);
  EXPECT_EQ(sent_.offset(), 2);
  const auto shown = Everything();
  ASSERT_EQ(shown.size(), 3u);
  EXPECT_EQ(shown[0].text(), "grüße");
  EXPECT_EQ(shown[1].binary(), "\xfe");
  EXPECT_EQ(shown[1].key_binary(), "\xff");
  EXPECT_EQ(shown[2].record_value_case(), v1::TailResponse::RECORD_VALUE_NOT_SET);
}

TEST_F(InspectionService, RefusesToSendAsProduceWould) {
  struct Case {
    std::string reason;
    std::function<void(v1::SendRequest&)> change;
  };
  const std::vector<Case> cases = {
      {"TOPIC_NOT_FOUND", [](auto& r) { r.set_topic("nothing"); }},
      {"PARTITION_OUT_OF_RANGE", [](auto& r) { r.set_partition(9); }},
      {"RECORD_TOO_LARGE", [](auto& r) { r.set_text(std::string(1 << 20, 'x')); }},
      {"INVALID_CONFIG", [](auto& r) { r.mutable_event_time()->set_nanos(-1); }},
      {"INVALID_CONFIG",
       [](auto& r) {
         r.mutable_json()->set_number_value(std::numeric_limits<double>::infinity());
       }},
      {"INVALID_CONFIG", [](auto& r) { r.mutable_json(); }},
  };
  for (const Case& each : cases) {
    v1::SendRequest request = ToPartition(0);
    each.change(request);
    EXPECT_EQ(Send(request).reason, each.reason);
  }
  EXPECT_TRUE(Everything().empty());
}

// ---- Where Tail begins and ends

TEST_F(InspectionService, TailBeginsWhereItIsTold) {
  hub_.Produce("orders", 0, {"a", "b", "c"});
  hub_.Produce("orders", 1, {"d"});
  EXPECT_EQ(Everything().size(), 4u);

  v1::TailRequest request;
  request.set_topic("orders");
  request.set_end_at_current(true);
  EXPECT_TRUE(Tail(request).first.empty()) << "new records only";

  request.set_partition(0);
  request.set_from_beginning(true);
  EXPECT_EQ(Tail(request).first.size(), 3u);
  request.clear_from_beginning();
  request.set_offset(1);
  const auto from_offset = Tail(request).first;
  ASSERT_EQ(from_offset.size(), 2u);
  EXPECT_EQ(from_offset[0].offset(), 1);
  EXPECT_EQ(from_offset[0].text(), "b");
  request.clear_offset();
  request.mutable_time()->set_seconds(1);
  EXPECT_EQ(Tail(request).first.size(), 3u);
  request.mutable_time()->set_seconds(250'000'000'000);
  EXPECT_TRUE(Tail(request).first.empty());
  request.clear_partition();
  request.mutable_time()->set_seconds(1);
  EXPECT_EQ(Tail(request).first.size(), 4u);
}

TEST_F(InspectionService, TailEndsAtItsLimit) {
  hub_.Produce("orders", 0, {"a", "b", "c"});
  v1::TailRequest request;
  request.set_topic("orders");
  request.set_from_beginning(true);
  request.set_limit(2);
  const auto [shown, facts] = Tail(request);
  EXPECT_EQ(facts.code, grpc::OK);
  EXPECT_EQ(shown.size(), 2u);
}

TEST_F(InspectionService, TailShowsWhatComesLater) {
  v1::TailRequest request;
  request.set_topic("orders");
  request.set_from_beginning(true);
  request.set_limit(2);
  auto context = NewContext();
  const auto reader = hub_.inspection().Tail(context.get(), request);
  v1::TailResponse shown;
  hub_.Produce("orders", 0, {"first"});
  ASSERT_TRUE(reader->Read(&shown));
  EXPECT_EQ(shown.text(), "first");
  hub_.Produce("orders", 1, {"second"});
  ASSERT_TRUE(reader->Read(&shown));
  EXPECT_EQ(shown.text(), "second");
  EXPECT_FALSE(reader->Read(&shown));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(InspectionService, TailRefusesWhatMakesNoSense) {
  struct Case {
    std::string reason;
    std::function<void(v1::TailRequest&)> change;
  };
  const std::vector<Case> cases = {
      {"INVALID_NAME", [](auto& r) { r.clear_topic(); }},
      {"INVALID_NAME", [](auto& r) { r.set_topic("no name"); }},
      {"TOPIC_NOT_FOUND", [](auto& r) { r.set_topic("nothing"); }},
      {"PARTITION_OUT_OF_RANGE", [](auto& r) { r.set_partition(2); }},
      {"INVALID_CONFIG", [](auto& r) { r.set_offset(0); }},
      {"INVALID_CONFIG", [](auto& r) { r.set_limit(-1); }},
      {"INVALID_CONFIG", [](auto& r) { r.mutable_time()->set_nanos(-1); }},
      {"INVALID_CONFIG",
       [](auto& r) {
         r.set_from_beginning(true);
         r.mutable_time()->set_seconds(1);
       }},
      {"OFFSET_OUT_OF_RANGE",
       [](auto& r) {
         r.set_partition(0);
         r.set_offset(1);
       }},
  };
  for (const Case& each : cases) {
    v1::TailRequest request;
    request.set_topic("orders");
    each.change(request);
    const auto [shown, facts] = Tail(request);
    EXPECT_EQ(facts.reason, each.reason);
    EXPECT_TRUE(shown.empty());
  }
}

TEST_F(InspectionService, TailEndsWithTheReasonWhenItsTopicIsDeleted) {
  hub_.Produce("orders", 0, {"a"});
  v1::TailRequest request;
  request.set_topic("orders");
  request.set_from_beginning(true);
  auto context = NewContext();
  const auto reader = hub_.inspection().Tail(context.get(), request);
  v1::TailResponse shown;
  ASSERT_TRUE(reader->Read(&shown));
  ASSERT_TRUE(hub_.hub().topics().Delete("orders").ok());
  EXPECT_FALSE(reader->Read(&shown));
  EXPECT_EQ(FactsOf(reader->Finish()).reason, "TOPIC_NOT_FOUND");
}

TEST_F(InspectionService, TailEndsWhenTheHubDrains) {
  v1::TailRequest request;
  request.set_topic("orders");
  request.set_from_beginning(true);
  hub_.Produce("orders", 0, {"a"});
  auto context = NewContext();
  const auto reader = hub_.inspection().Tail(context.get(), request);
  v1::TailResponse shown;
  ASSERT_TRUE(reader->Read(&shown));
  hub_.server().Stop(absl::Seconds(kPatienceSeconds));
  EXPECT_FALSE(reader->Read(&shown));
  EXPECT_EQ(reader->Finish().error_code(), grpc::UNAVAILABLE);
}

}  // namespace
}  // namespace millrace::testing
