#include "storage/batch/record_walk.h"

#include <gtest/gtest.h>

#include <string>

#include "storage/batch/record_view.h"

namespace millrace::storage {
namespace {

using std::string_literals::operator""s;

WalkError Walk(std::string_view record, const RecordLimits& limits = {}) {
  RecordFacts facts;
  return WalkRecord(record, limits, &facts);
}

std::string FullRecord() {
  RecordView record;
  record.key = "key";
  record.value = std::string_view("\xff\x00value", 7);
  record.headers.push_back({"traceparent", "00-ab"});
  record.headers.push_back({"grün", std::nullopt});
  record.event_time = EventTime{1'700'000'000, 123'000'000};
  std::string bytes;
  AppendRecord(record, &bytes);
  return bytes;
}

TEST(WalkRecord, GivesTheKeyAndCountsTheHeaders) {
  const std::string bytes = FullRecord();
  RecordFacts facts;
  ASSERT_EQ(WalkRecord(bytes, {}, &facts), WalkError::kNone);
  EXPECT_TRUE(facts.has_key);
  EXPECT_EQ(facts.key, "key");
  EXPECT_EQ(facts.header_count, 2);
}

TEST(WalkRecord, TellsNoKeyFromAnEmptyOne) {
  RecordFacts facts;
  ASSERT_EQ(WalkRecord("", {}, &facts), WalkError::kNone);
  EXPECT_FALSE(facts.has_key);
  ASSERT_EQ(WalkRecord("\x0a\x00"s, {}, &facts), WalkError::kNone);
  EXPECT_TRUE(facts.has_key);
  EXPECT_EQ(facts.key, "");
}

TEST(WalkRecord, TakesTheLastOfSeveralKeys) {
  RecordFacts facts;
  ASSERT_EQ(WalkRecord("\x0a\x01"
                       "a"
                       "\x0a\x01"
                       "b",
                       {}, &facts),
            WalkError::kNone);
  EXPECT_EQ(facts.key, "b");
}

TEST(WalkRecord, PassesUnknownFields) {
  EXPECT_EQ(Walk("\x28\x01"
                 "\x32\x01x"
                 "\x3d"
                 "1234"
                 "\x41"
                 "12345678"),
            WalkError::kNone);
  EXPECT_EQ(Walk("\x1a\x02\x18\x01"), WalkError::kNone);  // In a header.
  EXPECT_EQ(Walk("\x22\x02\x18\x01"), WalkError::kNone);  // In the event time.
}

TEST(WalkRecord, RefusesFieldsThatEndTooEarly) {
  EXPECT_EQ(Walk("\x0a"), WalkError::kTruncated);
  EXPECT_EQ(Walk("\x0a\x05"
                 "key"),
            WalkError::kTruncated);
  EXPECT_EQ(Walk("\x12\x80"), WalkError::kTruncated);
  EXPECT_EQ(Walk("\x92"), WalkError::kTruncated);
  EXPECT_EQ(Walk("\x3d"
                 "123"),
            WalkError::kTruncated);
  EXPECT_EQ(Walk("\x41"
                 "1234567"),
            WalkError::kTruncated);
  EXPECT_EQ(Walk("\x28\x80"), WalkError::kTruncated);
  EXPECT_EQ(Walk("\x1a\x03\x0a\x05x"), WalkError::kTruncated);
  EXPECT_EQ(Walk("\x22\x01\x08"), WalkError::kTruncated);
}

TEST(WalkRecord, RefusesKnownFieldsOfAWrongWireType) {
  EXPECT_EQ(Walk("\x08\x01"), WalkError::kWrongWireType);  // The key as a number.
  EXPECT_EQ(Walk("\x15"
                 "1234"),
            WalkError::kWrongWireType);                             // The value as fixed32.
  EXPECT_EQ(Walk("\x1a\x02\x08\x01"), WalkError::kWrongWireType);   // A header's name as a number.
  EXPECT_EQ(Walk("\x22\x03\x0a\x01x"), WalkError::kWrongWireType);  // Seconds as bytes.
}

TEST(WalkRecord, RefusesGroupsAndBadTags) {
  EXPECT_EQ(Walk("\x2b\x2c"), WalkError::kGroup);
  EXPECT_EQ(Walk("\x2c"), WalkError::kGroup);
  EXPECT_EQ(Walk("\x0b\x0c"), WalkError::kGroup);
  EXPECT_EQ(Walk("\x00"s), WalkError::kBadTag);
  EXPECT_EQ(Walk("\x02\x00"s), WalkError::kBadTag);
  EXPECT_EQ(Walk("\x2e"), WalkError::kBadTag);
  EXPECT_EQ(Walk("\xff\xff\xff\xff\xff\x01"), WalkError::kBadVarint);
}

TEST(WalkRecord, RefusesHeaderNamesThatAreNotUtf8) {
  EXPECT_EQ(Walk("\x1a\x03\x0a\x01\xff"), WalkError::kNotUtf8);
  EXPECT_EQ(Walk("\x1a\x03\x12\x01\xff"), WalkError::kNone);  // The value may be anything.
}

TEST(WalkRecord, HoldsRecordsToTheLimits) {
  const std::string bytes = FullRecord();
  EXPECT_EQ(Walk(bytes, {.max_record_bytes = bytes.size()}), WalkError::kNone);
  EXPECT_EQ(Walk(bytes, {.max_record_bytes = bytes.size() - 1}), WalkError::kRecordTooLarge);
  EXPECT_EQ(Walk(bytes, {.max_key_bytes = 3}), WalkError::kNone);
  EXPECT_EQ(Walk(bytes, {.max_key_bytes = 2}), WalkError::kKeyTooLarge);
  EXPECT_EQ(Walk(bytes, {.max_headers = 2}), WalkError::kNone);
  EXPECT_EQ(Walk(bytes, {.max_headers = 1}), WalkError::kTooManyHeaders);
  EXPECT_TRUE(IsLimitError(WalkError::kTooManyHeaders));
  EXPECT_FALSE(IsLimitError(WalkError::kNotUtf8));
}

TEST(WalkRecord, RefusesEveryTruncationThatSplitsAField) {
  const std::string bytes = FullRecord();
  int refused = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    refused += Walk(std::string_view(bytes).substr(0, size)) != WalkError::kNone;
  }
  // Only the cuts between two of the five fields leave a record.
  EXPECT_EQ(refused, static_cast<int>(bytes.size()) - 5);
}

TEST(IsUtf8, TakesWhatUnicodeDefinesAndNothingElse) {
  for (const char* good : {"", "ascii", "ü", "\xe2\x82\xac", "\xf0\x9f\x8e\x89", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf4\x8f\xbf\xbf", "sixteen bytes ü and more"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "plain text \xc3(",
        "\xe2\x28\xa1", "\xf0\x9f\x8e(", "eight by\xff"}) {
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace millrace::storage
