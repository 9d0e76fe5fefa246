#include "client/cli/input/record_maker.h"

#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

client::Record Make(const RecordShape& shape, std::string_view bytes) {
  absl::StatusOr<client::Record> record = MakeRecord(shape, bytes, 1);
  EXPECT_TRUE(record.ok()) << record.status();
  return record.ok() ? *std::move(record) : client::Record();
}

RecordShape WithKeyDelimiter(std::string delimiter) {
  RecordShape shape;
  shape.key_delimiter = std::move(delimiter);
  return shape;
}

TEST(MakeRecord, MakesTheBytesTheValueUnlessToldOtherwise) {
  const client::Record record = Make({}, "a:b");
  EXPECT_EQ(record.value, "a:b");
  EXPECT_FALSE(record.key);
  EXPECT_TRUE(record.headers.empty());
}

TEST(MakeRecord, CutsTheKeyOffAtTheFirstDelimiter) {
  const client::Record record = Make(WithKeyDelimiter("::"), "key::val::ue");
  EXPECT_EQ(record.key, "key");
  EXPECT_EQ(record.value, "val::ue");
}

TEST(MakeRecord, TellsAnEmptyKeyFromNone) {
  EXPECT_EQ(Make(WithKeyDelimiter(":"), ":value").key, "");
  const client::Record without = Make(WithKeyDelimiter(":"), "value");
  EXPECT_FALSE(without.key);
  EXPECT_EQ(without.value, "value");
}

TEST(MakeRecord, MakesATombstoneOfAnEmptyValueOnlyWhenAsked) {
  RecordShape shape = WithKeyDelimiter(":");
  EXPECT_EQ(Make(shape, "key:").value, "");
  shape.empty_is_tombstone = true;
  EXPECT_FALSE(Make(shape, "key:").value);
  EXPECT_EQ(Make(shape, "key:x").value, "x");
}

TEST(MakeRecord, GivesEveryRecordTheFixedKeyAndHeaders) {
  RecordShape shape;
  shape.key = "fixed";
  shape.headers = {{"a", "1"}, {"b", std::nullopt}};
  const client::Record record = Make(shape, "value");
  EXPECT_EQ(record.key, "fixed");
  EXPECT_EQ(record.headers, shape.headers);
}

constexpr std::string_view kStanza =
    "Package: hello\n"
    "Version: 2.10-3\n"
    "Description: example\n"
    " Section: not a field\n"
    "section:  devel \n"
    "Priority: optional";

TEST(MakeRecord, TakesKeyAndHeadersFromTheValuesFields) {
  RecordShape shape;
  shape.key_field = "Package";
  shape.headers = {{"source", "test"}};
  shape.header_fields = {{"section", "Section"}, {"missing", "Essential"}, {"prio", "priority"}};
  const client::Record record = Make(shape, kStanza);
  EXPECT_EQ(record.key, "hello");
  EXPECT_EQ(record.value, kStanza);
  EXPECT_EQ(record.headers, (std::vector<client::Header>{
                                {"source", "test"}, {"section", "devel"}, {"prio", "optional"}}));
}

TEST(MakeRecord, RefusesARecordWithoutItsKeyField) {
  RecordShape shape;
  shape.key_field = "Package";
  const absl::Status status = MakeRecord(shape, "Version: 1", 17).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(status.message().find("record 17"), absl::string_view::npos);
}

TEST(FieldOf, FindsTheFirstLineOfThatName) {
  EXPECT_EQ(FieldOf(kStanza, "PACKAGE"), "hello");
  EXPECT_EQ(FieldOf("A:\nB: x\nA: y\n", "A"), "");
  EXPECT_EQ(FieldOf("A: x: y\r\n", "A"), "x: y");
  EXPECT_EQ(FieldOf("AB: x", "A"), std::nullopt);
  EXPECT_EQ(FieldOf("", "A"), std::nullopt);
  EXPECT_EQ(FieldOf("A", "A"), std::nullopt);
  EXPECT_EQ(FieldOf("\n\nA:x", "A"), "x");
}

TEST(ParseHeader, TellsAnEmptyValueFromNone) {
  EXPECT_EQ(*ParseHeader("a=b=c"), (client::Header{"a", "b=c"}));
  EXPECT_EQ(*ParseHeader("a="), (client::Header{"a", ""}));
  EXPECT_EQ(*ParseHeader("a"), (client::Header{"a", std::nullopt}));
  EXPECT_FALSE(ParseHeader("=b").ok());
  EXPECT_FALSE(ParseHeader("").ok());
}

TEST(ParseHeaderField, NamesTheHeaderAsTheFieldUnlessToldOtherwise) {
  EXPECT_EQ(ParseHeaderField("section")->header, "section");
  EXPECT_EQ(ParseHeaderField("section")->field, "section");
  EXPECT_EQ(ParseHeaderField("s=Section")->header, "s");
  EXPECT_EQ(ParseHeaderField("s=Section")->field, "Section");
  for (const char* text : {"", "=", "a=", "=b"}) EXPECT_FALSE(ParseHeaderField(text).ok()) << text;
}

}  // namespace
}  // namespace millrace::cli
