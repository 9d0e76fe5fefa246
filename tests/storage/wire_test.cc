#include "storage/batch/wire.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace millrace::storage::wire {
namespace {

const char* End(const std::string& bytes) { return bytes.data() + bytes.size(); }

TEST(Wire, ReadsBackTheVarintsThatItWrites) {
  std::vector<uint64_t> values = {0, std::numeric_limits<uint64_t>::max()};
  for (int shift = 0; shift < 64; ++shift) {
    const uint64_t value = uint64_t{1} << shift;
    values.insert(values.end(), {value - 1, value, value + 1});
  }
  for (const uint64_t value : values) {
    char room[kMaxVarintBytes];
    const std::string bytes(room, WriteVarint(room, value) - room);
    EXPECT_EQ(bytes.size(), VarintSize(value)) << value;
    uint64_t read = 0;
    EXPECT_EQ(ReadVarint(bytes.data(), End(bytes), &read), End(bytes)) << value;
    EXPECT_EQ(read, value);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(ReadVarint(bytes.data(), bytes.data() + size, &read), nullptr) << value;
    }
  }
}

TEST(Wire, TakesVarintsThatAreLongerThanNeeded) {
  const std::string bytes("\x81\x80\x80\x00", 4);
  uint64_t value = 0;
  EXPECT_EQ(ReadVarint(bytes.data(), End(bytes), &value), End(bytes));
  EXPECT_EQ(value, 1u);
}

TEST(Wire, RefusesVarintsOfMoreThan64Bits) {
  uint64_t value;
  const std::string too_long(11, '\x80');
  EXPECT_EQ(ReadVarint(too_long.data(), End(too_long), &value), nullptr);
  const std::string too_large = std::string(9, '\x80') + "\x02";
  EXPECT_EQ(ReadVarint(too_large.data(), End(too_large), &value), nullptr);
  const std::string largest = std::string(9, '\x80') + "\x01";
  EXPECT_EQ(ReadVarint(largest.data(), End(largest), &value), End(largest));
  EXPECT_EQ(value, uint64_t{1} << 63);
}

TEST(Wire, RefusesTagsThatNoMessageHas) {
  Tag tag;
  for (const std::string& bytes : {std::string(1, '\x00'), std::string("\x02"),  // Field 0.
                                   std::string("\x0b"), std::string("\x0c"),     // Groups.
                                   std::string("\x0e"), std::string("\x0f"),     // No wire types.
                                   std::string("\x80\x80\x80\x80\x10"),          // 33 bits.
                                   std::string("\x8a\x80\x80\x80\x80\x00", 6)}) {
    EXPECT_EQ(ReadTag(bytes.data(), End(bytes), &tag), nullptr);
  }
  const std::string last = "\xfd\xff\xff\xff\x0f";
  ASSERT_EQ(ReadTag(last.data(), End(last), &tag), End(last));
  EXPECT_EQ(tag.field, (1u << 29) - 1);
  EXPECT_EQ(tag.type, WireType::kFixed32);
}

TEST(Wire, RefusesLengthsBeyondTheEnd) {
  std::string_view read;
  for (const std::string& bytes : {std::string(),
                                   std::string("\x03"
                                               "ab"),
                                   std::string("\x80"), std::string("\xff\xff\xff\xff\x0f"),
                                   std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")}) {
    EXPECT_EQ(ReadBytes(bytes.data(), End(bytes), &read), nullptr);
  }
  const std::string bytes =
      "\x02"
      "abc";
  EXPECT_EQ(ReadBytes(bytes.data(), End(bytes), &read), bytes.data() + 3);
  EXPECT_EQ(read, "ab");
}

TEST(Wire, SkipsValuesOfEveryType) {
  const std::string bytes =
      "\x07"
      "1234567";
  const char* const p = bytes.data();
  EXPECT_EQ(SkipValue(p, End(bytes), WireType::kVarint), p + 1);
  EXPECT_EQ(SkipValue(p, End(bytes), WireType::kFixed32), p + 4);
  EXPECT_EQ(SkipValue(p, End(bytes), WireType::kFixed64), p + 8);
  EXPECT_EQ(SkipValue(p, End(bytes), WireType::kLengthDelimited), p + 8);
  EXPECT_EQ(SkipValue(p, p + 3, WireType::kFixed32), nullptr);
  EXPECT_EQ(SkipValue(p, p + 7, WireType::kFixed64), nullptr);
  EXPECT_EQ(SkipValue(p, p + 7, WireType::kLengthDelimited), nullptr);
}

TEST(Wire, WritesAFieldOfBytes) {
  char room[64];
  char* const end = WriteBytesField(room, 3, "abc");
  EXPECT_EQ(std::string(room, end - room),
            "\x1a\x03"
            "abc");
  EXPECT_EQ(BytesFieldSize(3, 3), 5u);
  EXPECT_EQ(BytesFieldSize(16, 200), 204u);
}

}  // namespace
}  // namespace millrace::storage::wire
