#include "client/cli/input/record_splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::cli {
namespace {

constexpr size_t kNoLimit = 1 << 20;

// Splits `input`, fed in pieces of `piece` bytes.
std::vector<std::string> Split(std::string_view input, std::string separator, size_t piece) {
  std::vector<std::string> records;
  RecordSplitter splitter(std::move(separator), kNoLimit, [&](std::string_view record) {
    records.emplace_back(record);
    return absl::OkStatus();
  });
  for (size_t at = 0; at < input.size(); at += piece) {
    EXPECT_TRUE(splitter.Feed(input.substr(at, piece)).ok());
  }
  EXPECT_TRUE(splitter.Finish().ok());
  return records;
}

using Records = std::vector<std::string>;

TEST(RecordSplitter, CutsLinesHoweverThePiecesFall) {
  for (size_t piece = 1; piece < 12; ++piece) {
    EXPECT_EQ(Split("one\ntwo\n\nfour\n", "\n", piece), (Records{"one", "two", "", "four"}));
  }
}

TEST(RecordSplitter, TakesALastRecordWithoutSeparator) {
  EXPECT_EQ(Split("one\ntwo", "\n", 100), (Records{"one", "two"}));
}

TEST(RecordSplitter, FindsASeparatorThatLiesAcrossPieces) {
  for (size_t piece = 1; piece < 16; ++piece) {
    EXPECT_EQ(Split("a\nb\n\nc\n\n", "\n\n", piece), (Records{"a\nb", "c"})) << piece;
    EXPECT_EQ(Split("aXXYbXYcXXY", "XXY", piece), (Records{"a", "bXYc"})) << piece;
    EXPECT_EQ(Split("aXXXYb", "XXY", piece), (Records{"aX", "b"})) << piece;
  }
}

TEST(RecordSplitter, KeepsEveryByteOfARecord) {
  const std::string binary("\x00\xff\r\x80", 4);
  EXPECT_EQ(Split(binary + "\n" + binary, "\n", 3), (Records{binary, binary}));
}

TEST(RecordSplitter, MakesTheWholeStreamOneRecordWithoutSeparator) {
  EXPECT_EQ(Split("one\ntwo\n", "", 3), (Records{"one\ntwo\n"}));
}

TEST(RecordSplitter, HasNoRecordInAnEmptyStream) {
  EXPECT_EQ(Split("", "\n", 1), Records{});
  EXPECT_EQ(Split("", "", 1), Records{});
}

TEST(RecordSplitter, BeginsAnewAfterFinish) {
  Records records;
  RecordSplitter splitter("\n", kNoLimit, [&](std::string_view record) {
    records.emplace_back(record);
    return absl::OkStatus();
  });
  ASSERT_TRUE(splitter.Feed("end of one file").ok());
  ASSERT_TRUE(splitter.Finish().ok());
  ASSERT_TRUE(splitter.Feed("next\nfile").ok());
  ASSERT_TRUE(splitter.Finish().ok());
  EXPECT_EQ(records, (Records{"end of one file", "next", "file"}));
}

TEST(RecordSplitter, RefusesARecordOverTheLimit) {
  RecordSplitter splitter("\n", 8, [](std::string_view) { return absl::OkStatus(); });
  EXPECT_TRUE(splitter.Feed("12345678").ok());
  EXPECT_TRUE(absl::IsResourceExhausted(splitter.Feed("9")));
}

TEST(RecordSplitter, StopsAtTheSinksError) {
  int calls = 0;
  RecordSplitter splitter("\n", kNoLimit, [&](std::string_view) {
    ++calls;
    return absl::AbortedError("enough");
  });
  EXPECT_TRUE(absl::IsAborted(splitter.Feed("one\ntwo\n")));
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace millrace::cli
