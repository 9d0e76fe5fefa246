// The two subprotocols of the WebSocket, without the WebSocket.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "millrace/v1/gateway.pb.h"
#include "server/contract/request_error.h"
#include "server/web/gateway_command.h"
#include "storage/batch/record_view.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

using nlohmann::json;
using storage::Reason;

class GatewayProtocolTest : public ::testing::Test {
 protected:
  // Of a command in JSON, which must be JSON.
  GatewayCommand Json(const std::string& text) {
    auto command = json_->Decode(text);
    EXPECT_TRUE(command.has_value()) << text;
    return command ? *std::move(command) : GatewayCommand{.action = absl::UnknownError("")};
  }
  std::optional<Reason> JsonRefusal(const std::string& text) {
    return storage::ReasonOf(Json(text).action.status());
  }
  GatewayCommand Proto(const v1::GatewayRequest& request) {
    return *proto_->Decode(request.SerializeAsString());
  }

  hub::Limits limits_;
  JsonFrames frames_{1 << 20};
  std::unique_ptr<GatewayProtocol> json_ = MakeJsonProtocol(limits_, frames_, 1 << 20);
  std::unique_ptr<GatewayProtocol> proto_ = MakeProtoProtocol(limits_, 1 << 20);
};

// A frame with one record of this value.
hub::Frame BatchFrame(const std::string& value, int64_t offset, int64_t position_epoch = 1) {
  storage::RecordView record;
  record.value = value;
  const auto entry = std::make_shared<std::string>();
  storage::AppendRecordEntry(record, entry.get());
  hub::DeliveredBatch delivered{.name = {std::make_shared<const std::string>("orders"), 3},
                                .batch = {.base_offset = storage::Offset(offset),
                                          .record_count = 1,
                                          .log_epoch = storage::LogEpoch(2),
                                          .append_time = 1500,
                                          .entries = {{entry, *entry}},
                                          .entries_bytes = static_cast<int64_t>(entry->size())},
                                .position_epoch = storage::PositionEpoch(position_epoch),
                                .high_watermark = storage::Offset(offset + 1)};
  return hub::BatchesFrame{{delivered}};
}

TEST_F(GatewayProtocolTest, BothTakeEveryCommand) {
  const auto subscribe = Json(R"({"id":1,"subscribe":{"request":{"topics":["t"]},"credit":5}})");
  EXPECT_EQ(subscribe.id, 1);
  EXPECT_EQ(std::get<hub::SubscribeCommand>(*subscribe.action).credit_records, 5);
  EXPECT_TRUE(std::holds_alternative<hub::ProduceCommand>(
      *Json(R"({"id":2,"produce":{"topic":"t","records":[{}]}})").action));
  EXPECT_EQ(
      std::get<v1::CommitOffsetRequest>(*Json(R"({"id":3,"commit":{"group":"g"}})").action).group(),
      "g");
  EXPECT_EQ(
      std::get<v1::GatewayUnsubscribe>(*Json(R"({"id":4,"unsubscribe":{"subscription":1}})").action)
          .subscription(),
      1);
  EXPECT_EQ(std::get<v1::GatewayCredit>(
                *Json(R"({"id":5,"credit":{"subscription":1,"records":9}})").action)
                .records(),
            9);
  EXPECT_TRUE(std::holds_alternative<v1::GatewayPing>(*Json(R"({"id":6,"ping":{}})").action));
  const auto watch = Json(R"({"watchGroup":{"group":"g","interval":"0.5s"},"id":"7"})");
  EXPECT_EQ(watch.id, 7);
  EXPECT_EQ(std::get<GroupWatchCommand>(*watch.action).interval, absl::Milliseconds(500));

  v1::GatewayRequest request;
  request.set_id(8);
  request.mutable_subscribe()->mutable_request()->add_topics("t");
  EXPECT_FALSE(std::get<hub::SubscribeCommand>(*Proto(request).action).credit_records.has_value());
  request.mutable_produce()->set_topic("t");
  request.mutable_produce()->add_records()->set_value("v");
  const auto produce = Proto(request);
  EXPECT_EQ(produce.id, 8);
  EXPECT_EQ(std::get<hub::ProduceCommand>(*produce.action).records.count, 1);
  request.mutable_commit()->set_group("g");
  EXPECT_TRUE(std::holds_alternative<v1::CommitOffsetRequest>(*Proto(request).action));
  request.mutable_unsubscribe();
  EXPECT_TRUE(std::holds_alternative<v1::GatewayUnsubscribe>(*Proto(request).action));
  request.mutable_credit()->set_records(1);
  EXPECT_TRUE(std::holds_alternative<v1::GatewayCredit>(*Proto(request).action));
  request.mutable_ping();
  EXPECT_TRUE(std::holds_alternative<v1::GatewayPing>(*Proto(request).action));
  request.mutable_watch_group()->set_group("g");
  EXPECT_TRUE(std::holds_alternative<GroupWatchCommand>(*Proto(request).action));
}

TEST_F(GatewayProtocolTest, TellBytesThatAreNoCommandFromAWrongOne) {
  for (const char* text : {"", "7", "[]", "{", "{\"id\":1}x", "\xff"}) {
    EXPECT_FALSE(json_->Decode(text).has_value()) << text;
  }
  EXPECT_FALSE(proto_->Decode("\xff").has_value());
  EXPECT_FALSE(proto_->Decode(std::string("\x0a\x01x", 3)).has_value());  // An id of bytes.
  EXPECT_FALSE(proto_->Decode(std::string("\x12\x05x", 3)).has_value());  // Cut off.
}

TEST_F(GatewayProtocolTest, AnswerAWrongCommandWithItsId) {
  for (const char* text :
       {R"({"id":9})", R"({"id":9,"fly":{}})", R"({"id":9,"ping":{},"credit":{}})",
        R"({"id":9,"ping":7})", R"({"id":9,"ping":{"x":1}})", R"({"id":9,"subscribe":[]})",
        R"({"id":9,"subscribe":{"request":{"topics":{"t":1}}}})",
        R"({"id":9,"credit":{"subscription":1,"records":"many"}})",
        R"({"id":9,"subscribe":{"request":{},"credit":99999999999}})"}) {
    EXPECT_EQ(JsonRefusal(text), Reason::kMalformedRequest) << text;
    EXPECT_EQ(Json(text).id, 9);
  }
  v1::GatewayRequest request;
  request.set_id(9);
  EXPECT_EQ(storage::ReasonOf(Proto(request).action.status()), Reason::kMalformedRequest);
  const auto unknown = proto_->Decode(request.SerializeAsString() + std::string("\xfa\x01\x00", 3));
  EXPECT_EQ(storage::ReasonOf(unknown->action.status()), Reason::kMalformedRequest);
  EXPECT_EQ(unknown->id, 9);
}

TEST_F(GatewayProtocolTest, RefuseCreditsThatMakeNoSense) {
  for (const char* text : {R"({"id":1,"subscribe":{"request":{"topics":["t"]},"credit":-1}})",
                           R"({"id":1,"credit":{"subscription":1,"records":-5}})",
                           R"({"id":1,"credit":{"subscription":1,"records":0}})",
                           R"({"id":1,"credit":{"subscription":1}})"}) {
    EXPECT_EQ(JsonRefusal(text), Reason::kInvalidConfig) << text;
  }
}

TEST_F(GatewayProtocolTest, ShowNoHalfCharacterOfWhatWasSent) {
  std::string name;
  for (int i = 0; i < 100; ++i) name += "\xe2\x82\xac";
  const auto command = Json(R"({"id":1,")" + name + R"(":{}})");
  v1::GatewayResponse response;
  *response.mutable_error() = ToRequestError(command.action.status());
  const json shown = json::parse(json_->Encode(response).Text());
  EXPECT_EQ(shown["error"]["metadata"]["command"], name.substr(0, 63));
}

TEST_F(GatewayProtocolTest, KeepAnIdThatIsNone) {
  for (const auto& [text, shown] : std::vector<std::pair<std::string, std::string>>{
           {R"({"id":"one","ping":{}})", "one"},
           {R"({"id":1.5,"ping":{}})", "1.5"},
           {R"({"id":4294967297,"ping":{}})", "4294967297"},
           {R"({"id":[1],"ping":{}})", "[1]"}}) {
    EXPECT_EQ(Json(text).id, 0);
    EXPECT_EQ(Json(text).bad_id, shown);
  }
  EXPECT_EQ(Json(R"({"id":-3,"ping":{}})").id, -3);
}

TEST_F(GatewayProtocolTest, SayAFrameOfBatchesEachInItsForm) {
  const hub::Frame frame = BatchFrame("tea", 5);
  const json shown = json::parse(json_->EncodeFrame(9, frame).Text());
  EXPECT_EQ(shown, json::parse(R"({"id":9,"frame":{"batches":{"batches":[{"topic":"orders",
      "partition":3,"baseOffset":"5","appendTime":"1970-01-01T00:00:01.500Z","positionEpoch":"1",
      "highWatermark":"6","logEpoch":"2","records":[{"offset":"5","text":"tea"}]}]}}})"));

  v1::GatewayResponse response;
  ASSERT_TRUE(response.ParseFromString(proto_->EncodeFrame(9, frame).Text()));
  EXPECT_EQ(response.id(), 9);
  const v1::RecordBatch& batch = response.frame().batches().batches(0);
  EXPECT_EQ(batch.topic(), "orders");
  EXPECT_EQ(batch.partition(), 3);
  EXPECT_EQ(batch.base_offset(), 5);
  EXPECT_EQ(batch.records(0).value(), "tea");
}

TEST_F(GatewayProtocolTest, SayLongRecordsWhole) {
  for (const size_t size : {5'000u, 20'000u, 1'000'000u}) {
    const std::string value(size, 'x');
    const hub::Frame frame = BatchFrame(value, static_cast<int64_t>(size));
    v1::GatewayResponse response;
    ASSERT_TRUE(response.ParseFromString(proto_->EncodeFrame(1, frame).Text()));
    EXPECT_EQ(response.frame().batches().batches(0).records(0).value(), value);
    const json shown = json::parse(json_->EncodeFrame(1, frame).Text());
    EXPECT_EQ(shown["frame"]["batches"]["batches"][0]["records"][0]["text"], value);
  }
}

TEST_F(GatewayProtocolTest, MakeABatchOnceForAllReaders) {
  for (int reader = 1; reader <= 100; ++reader) {
    const json shown = json::parse(json_->EncodeFrame(reader, BatchFrame("tea", 5, reader)).Text());
    EXPECT_EQ(shown["frame"]["batches"]["batches"][0]["positionEpoch"], std::to_string(reader));
  }
  EXPECT_EQ(frames_.rendered_count(), 1);
  json_->EncodeFrame(1, BatchFrame("milk", 6));
  EXPECT_EQ(frames_.rendered_count(), 2);
}

TEST_F(GatewayProtocolTest, ShareAMessageAmongAllReaders) {
  const std::string value(10'000, 'x');
  for (const auto* protocol : {json_.get(), proto_.get()}) {
    const auto first = protocol->EncodeFrame(1, BatchFrame(value, 5)).Take();
    const auto second = protocol->EncodeFrame(1, BatchFrame(value, 5)).Take();
    ASSERT_EQ(first.size(), second.size());
    for (size_t i = 0; i < first.size(); ++i) {
      EXPECT_EQ(first[i].bytes.data(), second[i].bytes.data());
    }
  }
}

TEST_F(GatewayProtocolTest, ForgetOldBatchesBeyondABound) {
  const std::string value(100'000, 'x');
  for (int64_t offset = 0; offset < 50; ++offset) json_->EncodeFrame(1, BatchFrame(value, offset));
  EXPECT_EQ(frames_.rendered_count(), 50);
  json_->EncodeFrame(1, BatchFrame(value, 49));  // The newest is still there.
  EXPECT_EQ(frames_.rendered_count(), 50);
  json_->EncodeFrame(1, BatchFrame(value, 0));
  EXPECT_EQ(frames_.rendered_count(), 51);
}

TEST_F(GatewayProtocolTest, SayLargeNumbersAsStrings) {
  v1::GatewayResponse response;
  response.set_id(1);
  response.mutable_produced()->add_appended()->set_base_offset(9007199254740993);
  const json shown = json::parse(json_->Encode(response).Text());
  EXPECT_EQ(shown["produced"]["appended"][0]["baseOffset"], "9007199254740993");
  EXPECT_EQ(shown["produced"]["duplicate"], false);  // Without presence: always there.
}

}  // namespace
}  // namespace millrace::server
