#include "server/contract/trace_context.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"

namespace millrace::server {
namespace {

constexpr std::string_view kValid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

// What becomes of one traceparent; "none" where it is not valid.
std::string Parent(std::string_view traceparent) {
  const auto trace = TraceContextOf({traceparent}, {});
  return trace ? trace->traceparent : "none";
}

std::string State(std::vector<std::string_view> tracestates) {
  return TraceContextOf({kValid}, tracestates)->tracestate;
}

std::string Replaced(size_t at, std::string_view by) {
  return std::string(kValid).replace(at, by.size(), by);
}

TEST(TraceContext, TakesAValidTraceparentAsItIs) {
  EXPECT_EQ(Parent(kValid), kValid);
  EXPECT_EQ(Parent(std::string("  ") + std::string(kValid) + "\t"), kValid);
  // A version that is yet to come may say more.
  const std::string later = Replaced(0, "cc") + "-what-the-future-will-be-like";
  EXPECT_EQ(Parent(later), later);
  EXPECT_EQ(Parent(Replaced(0, "cc")), Replaced(0, "cc"));
}

TEST(TraceContext, IgnoresAnInvalidTraceparent) {
  for (const std::string& invalid :
       {std::string(), std::string("00"), std::string(kValid) + "-01", std::string(kValid) + "0",
        std::string(kValid).substr(0, 54), Replaced(0, "ff"), Replaced(0, "0g"), Replaced(2, "_"),
        Replaced(3, "4B"), Replaced(35, "_"), Replaced(52, "_"), Replaced(53, "0x"),
        Replaced(3, std::string(32, '0')), Replaced(36, std::string(16, '0')),
        Replaced(0, "cc") + ".more"}) {
    EXPECT_EQ(Parent(invalid), "none") << invalid;
  }
  EXPECT_FALSE(TraceContextOf({}, {"a=b"}));
  EXPECT_FALSE(TraceContextOf({kValid, kValid}, {}));
}

TEST(TraceContext, JoinsTracestates) {
  EXPECT_EQ(State({"congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"}),
            "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  EXPECT_EQ(State({" a=1 ,\tb=2,, ", "1t@sys=x y"}), "a=1,b=2,1t@sys=x y");
  EXPECT_EQ(State({""}), "");
}

TEST(TraceContext, LeavesAnInvalidTracestateOut) {
  std::string many;
  for (int i = 0; i < 33; ++i) many += "k" + std::to_string(i) + "=v,";
  for (const std::string& invalid :
       {std::string("novalue"), std::string("A=1"), std::string("a=1=2"), std::string("a="),
        std::string("=1"), std::string("a b=1"), std::string("a@=1"), std::string("a@1=1"),
        std::string("a@b@c=1"), std::string("a=\x01"), std::string("a=1,B=2"),
        "a=" + std::string(257, 'v'), std::string(257, 'k') + "=1",
        "a=" + std::string(255, 'v') + ",b=" + std::string(255, 'v'), many}) {
    EXPECT_EQ(State({invalid}), "") << invalid;
  }
}

class WithTraceTest : public testing::Test {
 protected:
  void Add(const storage::RecordView& record) {
    storage::AppendRecordEntry(record, entries_.get());
    ++count_;
  }

  // "key=k name=value ...", of each record afterwards.
  std::vector<std::string> After(const TraceContext& trace) {
    const storage::EncodedRecords with =
        WithTrace({.entries = {entries_, *entries_}, .count = count_}, trace, limits_);
    EXPECT_EQ(with.count, count_);
    std::vector<std::string> shown;
    storage::EntryReader reader(with.entries.bytes);
    for (std::string_view bytes; reader.Next(&bytes);) {
      const auto record = storage::ParseRecord(bytes);
      shown.push_back("key=" + std::string(record->key.value_or("none")));
      for (const auto& [name, value] : record->headers) {
        shown.back() += " " + std::string(name) + "=" + std::string(value.value_or("none"));
      }
    }
    EXPECT_FALSE(reader.damaged());
    return shown;
  }

  using Shown = std::vector<std::string>;

  hub::Limits limits_;
  std::shared_ptr<std::string> entries_ = std::make_shared<std::string>();
  int32_t count_ = 0;
};

TEST_F(WithTraceTest, AddsBehindTheRecordsOwnHeaders) {
  Add({.key = "a"});
  Add({.key = "b", .value = std::string_view("v"), .headers = {{"h", "1"}, {"h", std::nullopt}}});
  EXPECT_EQ(After({"P", ""}), (Shown{"key=a traceparent=P", "key=b h=1 h=none traceparent=P"}));
  EXPECT_EQ(After({"P", "S"}), (Shown{"key=a traceparent=P tracestate=S",
                                      "key=b h=1 h=none traceparent=P tracestate=S"}));
}

TEST_F(WithTraceTest, LeavesARecordWithATraceOfItsOwn) {
  Add({.key = "a", .headers = {{"traceparent", "mine"}}});
  Add({.key = "b", .headers = {{"tracestate", "mine"}}});
  EXPECT_EQ(After({"P", "S"}),
            (Shown{"key=a traceparent=mine", "key=b tracestate=mine traceparent=P tracestate=S"}));
}

TEST_F(WithTraceTest, LeavesARecordThatWouldBeOverALimit) {
  limits_.max_record_headers = 2;
  Add({.key = "a", .headers = {{"h", "1"}}});
  Add({.key = "b"});
  EXPECT_EQ(After({"P", "S"}), (Shown{"key=a h=1", "key=b traceparent=P tracestate=S"}));
  limits_.max_record_bytes = 4;
  EXPECT_EQ(After({"P", ""}), (Shown{"key=a h=1", "key=b"}));
}

TEST_F(WithTraceTest, KeepsTheBytesOfTheRecord) {
  // A field that this hub does not know, and a length that is longer than it need be.
  *entries_ = std::string("\x1a\x85\x00\x12\x01y\x78\x01", 8);
  count_ = 1;
  const auto with = WithTrace({.entries = {entries_, *entries_}, .count = 1}, {"P", ""}, limits_);
  storage::EntryReader reader(with.entries.bytes);
  std::string_view record;
  ASSERT_TRUE(reader.Next(&record));
  EXPECT_EQ(record.substr(0, 5), std::string_view("\x12\x01y\x78\x01", 5));
}

}  // namespace
}  // namespace millrace::server
