#include "client/cli/output/record_view.h"

#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

client::ReceivedRecord Order() {
  client::ReceivedRecord record;
  record.topic = "orders";
  record.partition = 2;
  record.offset = 17;
  record.key = "42";
  record.value = "{\"total\": 7}";
  record.headers = {{"source", "web"}, {"none", std::nullopt}, {"raw", "\xff"}};
  record.append_time = absl::FromUnixMillis(1'795'443'845'120);
  return record;
}

std::string Show(const RecordView& view, const client::ReceivedRecord& record) {
  std::string out;
  view(record, out);
  return out;
}

std::string Format(std::string_view format, const client::ReceivedRecord& record) {
  absl::StatusOr<RecordView> view = FormatView(format);
  EXPECT_TRUE(view.ok()) << view.status();
  return view.ok() ? Show(*view, record) : "";
}

TEST(ValueView, PrintsTheValueAndTheDelimiter) {
  EXPECT_EQ(Show(ValueView("", "\n"), Order()), "{\"total\": 7}\n");
  EXPECT_EQ(Show(ValueView(": ", "\n\n"), Order()), "42: {\"total\": 7}\n\n");
}

TEST(ValueView, PrintsNeitherAMissingKeyNorATombstone) {
  client::ReceivedRecord record;
  EXPECT_EQ(Show(ValueView(":", "\n"), record), "\n");
  record.key = "";
  EXPECT_EQ(Show(ValueView(":", "\n"), record), ":\n");
}

TEST(FormatView, ReplacesItsTokens) {
  EXPECT_EQ(Format(R"(%t/%p/%o %k=%s (%K,%S) [%h] %T %E 100%%\n)", Order()),
            "orders/2/17 42={\"total\": 7} (2,12) [source=web,none,raw=\xff] 1795443845120 -1 "
            "100%\n");
  EXPECT_EQ(Format("%R", Order()), std::string("\0\0\0\x0c", 4));
  EXPECT_EQ(Format("", Order()), "");
}

TEST(FormatView, PrintsMinusOneForTheSizeOfWhatIsMissing) {
  EXPECT_EQ(Format("%K %S %T|%k%s%h|", {}), "-1 -1 -1||");
}

TEST(FormatView, RefusesUnknownTokens) {
  for (const char* format : {"%x", "100%", R"(\q)"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(FormatView(format).status())) << format;
  }
}

TEST(JsonView, ShowsAJsonValueAsJson) {
  EXPECT_EQ(
      Show(JsonView(), Order()),
      R"({"topic":"orders","partition":2,"offset":17,"append_time":"2026-11-23T14:24:05.120Z",)"
      R"("key":"42","headers":[{"name":"source","text":"web"},{"name":"none"},)"
      R"({"name":"raw","binary":"/w=="}],"json":{"total":7}})"
      "\n");
}

TEST(JsonView, ShowsOtherTextAsTextAndOtherBytesAsBase64) {
  client::ReceivedRecord record;
  record.topic = "t";
  record.value = "plain \"text\"\n";
  EXPECT_EQ(Show(JsonView(), record),
            R"({"topic":"t","partition":0,"offset":0,"headers":[],"text":"plain \"text\"\n"})"
            "\n");
  record.value = std::string("\x00\xff", 2);
  record.key = "\x80";
  EXPECT_EQ(Show(JsonView(), record),
            R"({"topic":"t","partition":0,"offset":0,"key_binary":"gA==","headers":[],)"
            R"("binary":"AP8="})"
            "\n");
}

TEST(JsonView, TellsATombstoneFromAnEmptyValueAndNoKeyFromAnEmptyOne) {
  client::ReceivedRecord record;
  EXPECT_EQ(Show(JsonView(), record), R"({"topic":"","partition":0,"offset":0,"headers":[]})"
                                      "\n");
  record.key = "";
  record.value = "";
  record.event_time = absl::FromUnixSeconds(0);
  EXPECT_EQ(Show(JsonView(), record),
            R"({"topic":"","partition":0,"offset":0,"event_time":"1970-01-01T00:00:00.000Z",)"
            R"("key":"","headers":[],"text":""})"
            "\n");
}

}  // namespace
}  // namespace millrace::cli
