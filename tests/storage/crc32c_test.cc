#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>

// RocksDB's own function, which storage/rocksdb/crc32c.cc takes the place of.
namespace rocksdb::crc32c {
uint32_t Extend(uint32_t crc, const char* data, size_t size);
}
extern "C" uint32_t __wrap__ZN7rocksdb6crc32c6ExtendEjPKcm(uint32_t crc, const char* data,
                                                           size_t size);

namespace millrace::storage {
namespace {

uint32_t Crc(const std::string& bytes) {
  return rocksdb::crc32c::Extend(0, bytes.data(), bytes.size());
}

// Bit by bit, as the definition has it.
uint32_t CrcByDefinition(const std::string& bytes) {
  uint32_t crc = ~uint32_t{0};
  for (const char byte : bytes) {
    crc ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
  }
  return ~crc;
}

std::string MixedBytes(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

std::string Counting(char from, char step) {
  std::string bytes(32, from);
  for (size_t i = 1; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i - 1] + step);
  return bytes;
}

// RFC 3720, B.4.
TEST(Crc32c, IsThatOfTheStandard) {
  EXPECT_EQ(Crc(""), 0U);
  EXPECT_EQ(Crc(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(Crc(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(Crc(Counting(0, 1)), 0x46dd794eU);
  EXPECT_EQ(Crc(Counting(31, -1)), 0x113fdb5cU);
}

TEST(Crc32c, IsThatOfTheDefinitionForEveryLengthAndAlignment) {
  const std::string bytes = MixedBytes(20'000);
  for (size_t size = 0; size < 9'500; size += size < 100 ? 1 : 37) {
    const std::string piece = bytes.substr(size % 17, size);
    EXPECT_EQ(rocksdb::crc32c::Extend(0, bytes.data() + size % 17, size), CrcByDefinition(piece))
        << size << " bytes";
  }
}

TEST(Crc32c, GoesOnFromWhatCameBefore) {
  const std::string bytes = MixedBytes(10'000);
  for (const size_t first : {0, 1, 1023, 3072, 9'999, 10'000}) {
    const uint32_t before = Crc(bytes.substr(0, first));
    EXPECT_EQ(rocksdb::crc32c::Extend(before, bytes.data() + first, bytes.size() - first),
              Crc(bytes));
  }
}

#if defined(__x86_64__)
// The linker gives RocksDB, whose archive is linked as this file is, what it gives this file.
TEST(Crc32c, IsWhatRocksDbCalls) {
  EXPECT_EQ(&rocksdb::crc32c::Extend, &__wrap__ZN7rocksdb6crc32c6ExtendEjPKcm);
}
#endif

}  // namespace
}  // namespace millrace::storage
