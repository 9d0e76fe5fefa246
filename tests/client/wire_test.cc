#include "client/cpp/wire.h"

#include <gtest/gtest.h>

#include <limits>

#include "client/cpp/record_codec.h"
#include "millrace/v1/event_hub.pb.h"
#include "millrace/v1/record.pb.h"

namespace millrace::client {
namespace {

Record FullRecord() {
  return {.key = std::string("k\0y", 3),
          .value = std::string(300, 'v'),
          .headers = {{"traceparent", "00-1"}, {"empty", ""}, {"none", std::nullopt}, {"", "x"}},
          .event_time = absl::FromUnixNanos(1700000000123456789)};
}

std::string Encode(const Record& record) {
  EncodeBuffer buffer;
  AppendRecordEntry(buffer, PartsOf(record), EncodedSize(PartsOf(record)));
  return std::string(buffer.view());
}

TEST(RecordCodec, WritesWhatProtobufReads) {
  v1::ProduceRequest request;
  ASSERT_TRUE(request.ParseFromString(Encode(FullRecord()) + Encode(Record{})));
  ASSERT_EQ(request.records_size(), 2);
  const v1::Record& record = request.records(0);
  EXPECT_EQ(record.key(), *FullRecord().key);
  EXPECT_EQ(record.value(), *FullRecord().value);
  ASSERT_EQ(record.headers_size(), 4);
  EXPECT_EQ(record.headers(0).name(), "traceparent");
  EXPECT_EQ(record.headers(0).value(), "00-1");
  EXPECT_TRUE(record.headers(1).has_value());
  EXPECT_FALSE(record.headers(2).has_value());
  EXPECT_EQ(record.event_time().seconds(), 1700000000);
  EXPECT_EQ(record.event_time().nanos(), 123456789);
  EXPECT_FALSE(request.records(1).has_key());
  EXPECT_FALSE(request.records(1).has_value());
}

TEST(RecordCodec, ReadsWhatItWrote) {
  for (const Record& record : {FullRecord(), Record{}, Record{.key = "", .value = ""},
                               Record{.event_time = absl::FromUnixMillis(-1)}}) {
    const std::string entry = Encode(record);
    WireReader reader(entry);
    ASSERT_TRUE(reader.Next());
    Record decoded;
    ASSERT_TRUE(DecodeRecord(reader.bytes(), decoded));
    EXPECT_EQ(decoded, record);
    EXPECT_FALSE(reader.Next());
    EXPECT_TRUE(reader.ok());
  }
}

TEST(RecordCodec, SaysTheExactSize) {
  const Record record = FullRecord();
  v1::ProduceRequest request;
  ASSERT_TRUE(request.ParseFromString(Encode(record)));
  EXPECT_EQ(EncodedSize(PartsOf(record)), request.records(0).ByteSizeLong());
}

TEST(WireReader, RejectsEveryTruncation) {
  const std::string whole = Encode(FullRecord());
  for (size_t size = 1; size < whole.size(); ++size) {
    WireReader reader(std::string_view(whole).substr(0, size));
    while (reader.Next()) {
    }
    EXPECT_FALSE(reader.ok()) << size;
  }
}

TEST(WireReader, PassesOverFixedFieldsAndRejectsGroups) {
  const std::string fixed = {'\x09', 1, 2, 3, 4, 5, 6, 7, 8, '\x15', 1, 2, 3, 4, '\x18', 7};
  WireReader reader(fixed);
  ASSERT_TRUE(reader.Next());
  ASSERT_TRUE(reader.Next());
  ASSERT_TRUE(reader.Next());
  EXPECT_TRUE(reader.is(3, kVarint));
  EXPECT_EQ(reader.varint(), 7u);
  WireReader group("\x0b\x0c");
  EXPECT_FALSE(group.Next());
  EXPECT_FALSE(group.ok());
}

TEST(Utf8, KnowsWellFormedFromIllFormed) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("plain, grüße, 漢字, \xF0\x9F\x98\x80"));
  EXPECT_FALSE(IsUtf8("\x80"));
  EXPECT_FALSE(IsUtf8("\xC0\xAF"));          // Overlong.
  EXPECT_FALSE(IsUtf8("\xED\xA0\x80"));      // A surrogate.
  EXPECT_FALSE(IsUtf8("\xF4\x90\x80\x80"));  // Past the last code point.
  EXPECT_FALSE(IsUtf8("\xE6\xBC"));          // Cut short.
}

TEST(Durations, SurviveTheWire) {
  for (const absl::Duration duration :
       {absl::ZeroDuration(), absl::Milliseconds(1500), absl::Nanoseconds(-1), absl::Hours(9000)}) {
    EXPECT_EQ(DecodeDuration(EncodeDuration(duration)), duration);
  }
}

}  // namespace
}  // namespace millrace::client
