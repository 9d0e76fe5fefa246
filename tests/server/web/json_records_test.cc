#include "server/web/json_records.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "server/web/json_text.h"
#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

using nlohmann::json;
using storage::Reason;

std::string Encoded(const storage::RecordView& record) {
  std::string bytes;
  storage::AppendRecord(record, &bytes);
  return bytes;
}

std::string Shown(const storage::RecordView& record, int64_t offset = 7) {
  std::string out;
  AppendRecordJson(Encoded(record), offset, &out);
  EXPECT_TRUE(IsJson(out)) << out;
  EXPECT_EQ(out.find_first_of("\r\n"), std::string::npos) << out;
  return out;
}

absl::StatusOr<hub::ProduceCommand> Produced(const std::string& request,
                                             std::string_view topic = "", hub::Limits limits = {}) {
  EXPECT_TRUE(IsJson(request)) << request;
  return ProduceFromJson(request, topic, limits);
}

// The only record of a request with this record.
storage::RecordView Taken(const std::string& record, std::string* bytes) {
  const auto command = Produced(R"({"topic":"t","records":[)" + record + "]}");
  EXPECT_TRUE(command.ok()) << command.status();
  if (!command.ok()) return {};
  *bytes = std::string(command->records.entries.bytes);
  storage::EntryReader reader(*bytes);
  std::string_view only;
  EXPECT_TRUE(reader.Next(&only));
  return *storage::ParseRecord(only);
}

std::optional<Reason> RefusalOf(const std::string& record) {
  return storage::ReasonOf(Produced(R"({"topic":"t","records":[)" + record + "]}").status());
}

TEST(JsonRecords, ShowTextBytesAndJsonEachAsWhatItIs) {
  EXPECT_EQ(Shown({.key = "42", .value = R"({"b":1,"a":2.50})"}),
            R"({"offset":"7","key":"42","json":{"b":1,"a":2.50}})");
  EXPECT_EQ(Shown({.value = "tea"}), R"({"offset":"7","text":"tea"})");
  EXPECT_EQ(Shown({.key = "\xff", .value = std::string_view("\0\xfe", 2)}),
            R"({"offset":"7","keyBinary":"/w==","binary":"AP4="})");
}

TEST(JsonRecords, TellATombstoneFromNullAndFromEmpty) {
  EXPECT_EQ(Shown({.key = ""}), R"({"offset":"7","key":""})");
  EXPECT_EQ(Shown({.value = "null"}), R"({"offset":"7","json":null})");
  EXPECT_EQ(Shown({.value = ""}), R"({"offset":"7","text":""})");
}

TEST(JsonRecords, ShowAsTextWhatJsonWouldChange) {
  for (const char* value : {"9007199254740993", "{\"a\":1,\"a\":2}", "0.1234567890123456789"}) {
    EXPECT_EQ(json::parse(Shown({.value = value}))["text"], value);
  }
}

TEST(JsonRecords, KeepJsonOnOneLine) {
  EXPECT_EQ(Shown({.value = "{\n\t\"a\":\r\n\"x\\ny\"}"}),
            "{\"offset\":\"7\",\"json\":{ \t\"a\":  \"x\\ny\"}}");
}

TEST(JsonRecords, ShowHeadersInOrderAndTimes) {
  storage::RecordView record{.event_time = storage::EventTime{1, 500'000'000}};
  record.headers = {{"a", "1"}, {"a", std::nullopt}, {"b", "\xff"}};
  EXPECT_EQ(Shown(record),
            R"({"offset":"7","headers":[{"name":"a","text":"1"},{"name":"a"},)"
            R"({"name":"b","binary":"/w=="}],"eventTime":"1970-01-01T00:00:01.500Z"})");
  record = {.event_time = storage::EventTime{0, -5}};  // Nobody has judged it.
  EXPECT_EQ(Shown(record), R"({"offset":"7"})");
}

TEST(JsonRecords, TakeWhatTheyShow) {
  storage::RecordView record{
      .key = "k\"", .value = R"({"a":[1,2]})", .event_time = storage::EventTime{5, 0}};
  record.headers = {{"h", "v"}, {"none", std::nullopt}, {"bytes", "\xff"}};
  json shown = json::parse(Shown(record));
  shown.erase("offset");
  std::string bytes;
  const storage::RecordView taken = Taken(shown.dump(), &bytes);
  EXPECT_EQ(taken.key, record.key);
  EXPECT_EQ(taken.value, record.value);
  EXPECT_EQ(taken.headers, record.headers);
  EXPECT_EQ(taken.event_time, record.event_time);
}

TEST(JsonRecords, StoreAJsonValueAsTheTextThatStandsThere) {
  std::string bytes;
  EXPECT_EQ(Taken(R"({"json": {"big": 12345678901234567890, "x": 1.0} })", &bytes).value,
            R"({"big": 12345678901234567890, "x": 1.0})");
  EXPECT_EQ(Taken(R"({"json":null})", &bytes).value, "null");
  EXPECT_EQ(Taken(R"({"text":null,"key":null})", &bytes).value, std::nullopt);
  EXPECT_EQ(Taken(R"({"binary":"-_8"})", &bytes).value, "\xfb\xff");
}

TEST(JsonRecords, RefuseWhatIsNotOfTheForm) {
  for (const char* record :
       {"7", "null", "[]", R"({"key":7})", R"({"value":"dGVh"})", R"({"binary":"!"})",
        R"({"text":"a","json":1})", R"({"key":"a","keyBinary":"YQ=="})", R"({"headers":{}})",
        R"({"headers":["a"]})", R"({"headers":[{"name":"a","value":"b"}]})",
        R"({"eventTime":"soon"})", R"({"eventTime":5})", R"({"offset":"3"})"}) {
    EXPECT_EQ(RefusalOf(record), Reason::kMalformedRecord) << record;
  }
}

TEST(JsonRecords, NameTheRecordThatIsWrong) {
  const auto refused = Produced(R"({"topic":"t","records":[{},{},{"text":1}]})");
  EXPECT_EQ(storage::MetadataOf(refused.status()).at("record_index"), "2");
}

TEST(JsonRecords, HoldRequestsToTheLimits) {
  hub::Limits limits;
  limits.max_request_records = 2;
  EXPECT_EQ(
      storage::ReasonOf(Produced(R"({"topic":"t","records":[{},{},{}]})", "", limits).status()),
      Reason::kBatchTooLarge);
  limits.max_record_bytes = 4;
  EXPECT_EQ(storage::ReasonOf(
                Produced(R"({"topic":"t","records":[{"text":"12345"}]})", "", limits).status()),
            Reason::kRecordTooLarge);
}

TEST(JsonRecords, ComeWithTheOtherFieldsOfAProduce) {
  const auto command = Produced(
      R"({"topic":"t","partition":3,"records":[{}],"durability":"DURABILITY_BUFFERED",)"
      R"("expectedNextOffset":"12","sequence":{"producerId":"p","epoch":"1","sequence":2}})");
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(command->topic, "t");
  EXPECT_EQ(command->partition, 3);
  EXPECT_EQ(command->durability, storage::Durability::kBuffered);
  EXPECT_EQ(command->expected_next_offset, storage::Offset(12));
  EXPECT_EQ(command->producer->sequence, 2);
}

TEST(JsonRecords, RefuseAProduceThatMakesNoSense) {
  EXPECT_EQ(storage::ReasonOf(Produced(R"({"topic":"t"})").status()), Reason::kEmptyRequest);
  for (const char* request :
       {"[]", R"({"records":7})", R"({"records":[{}],"records":[{}]})", R"({"records":[{}],"x":1})",
        R"({"records":[{}],"partition":"first"})", R"({"records":[{}],"topic":7})",
        R"({"records":[{}],"durability":"DURABILITY_SOON"})"}) {
    EXPECT_EQ(storage::ReasonOf(Produced(request).status()), Reason::kMalformedRequest) << request;
  }
}

TEST(JsonRecords, TakeTheTopicOfThePathUnlessTheBodyNamesAnother) {
  EXPECT_EQ(Produced(R"({"records":[{}]})", "orders")->topic, "orders");
  EXPECT_EQ(Produced(R"({"topic":"orders","records":[{}]})", "orders")->topic, "orders");
  EXPECT_EQ(storage::ReasonOf(Produced(R"({"topic":"x","records":[{}]})", "orders").status()),
            Reason::kInvalidConfig);
}

}  // namespace
}  // namespace millrace::server
