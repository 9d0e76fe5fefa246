// CRC-32C (Castagnoli) by the processor's own instruction, in the place of RocksDB's function.
//
// RocksDB checksums every byte of its write-ahead log and its blob files, when it writes them and
// again when it reads them. Debian builds it for the oldest x86-64, where that goes through tables:
// a third of the hub's time under records of 1 KB. The linker puts the function below in the place
// of rocksdb::crc32c::Extend (--wrap, see CMakeLists.txt); the values are the same. Other
// processors keep RocksDB's own, which asks what they can do.
//
// The instruction takes eight bytes, but three times as long as until it could take the next eight:
// three neighbouring blocks go through it side by side. That a CRC is linear puts them together:
// the CRC of A and B is that of A, advanced over as many zeros as B has bytes, xor that of B. See
// Gopal et al., "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction" (Intel, 2011).
#if defined(__x86_64__)

#include <nmmintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace millrace::storage {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // Bit-reflected.
constexpr size_t kBlockBytes = 1024;          // Of each of the three.

constexpr uint32_t AdvanceOverZeroBits(uint32_t crc, size_t bits) {
  for (size_t i = 0; i < bits; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
  return crc;
}

// [i][b]: what the byte b at place i of a CRC becomes after `bytes` zero bytes.
using AdvanceTable = std::array<std::array<uint32_t, 256>, 4>;

constexpr AdvanceTable MakeAdvanceTable(size_t bytes) {
  AdvanceTable table{};
  for (size_t place = 0; place < table.size(); ++place) {
    for (size_t bit = 0; bit < 8; ++bit) {
      const uint32_t advanced = AdvanceOverZeroBits(uint32_t{1} << (8 * place + bit), 8 * bytes);
      for (size_t byte = 0; byte < 256; ++byte) {
        if ((byte >> bit & 1) != 0) table[place][byte] ^= advanced;
      }
    }
  }
  return table;
}

constexpr AdvanceTable kOverBlock = MakeAdvanceTable(kBlockBytes);
constexpr AdvanceTable kOverByte = MakeAdvanceTable(1);

uint32_t AdvanceOverBlock(uint32_t crc) {
  return kOverBlock[0][crc & 0xff] ^ kOverBlock[1][crc >> 8 & 0xff] ^
         kOverBlock[2][crc >> 16 & 0xff] ^ kOverBlock[3][crc >> 24];
}

uint64_t Load(const char* data) {
  uint64_t word;
  std::memcpy(&word, data, sizeof(word));
  return word;
}

__attribute__((target("sse4.2"))) uint32_t ByInstruction(uint32_t crc, const char* data,
                                                         size_t size) {
  for (; size >= 3 * kBlockBytes; data += 3 * kBlockBytes, size -= 3 * kBlockBytes) {
    uint64_t first = crc;
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < kBlockBytes; i += sizeof(uint64_t)) {
      first = _mm_crc32_u64(first, Load(data + i));
      second = _mm_crc32_u64(second, Load(data + kBlockBytes + i));
      third = _mm_crc32_u64(third, Load(data + 2 * kBlockBytes + i));
    }
    const uint32_t two =
        AdvanceOverBlock(static_cast<uint32_t>(first)) ^ static_cast<uint32_t>(second);
    crc = AdvanceOverBlock(two) ^ static_cast<uint32_t>(third);
  }
  uint64_t wide = crc;
  for (; size >= sizeof(uint64_t); data += sizeof(uint64_t), size -= sizeof(uint64_t)) {
    wide = _mm_crc32_u64(wide, Load(data));
  }
  crc = static_cast<uint32_t>(wide);
  for (; size > 0; ++data, --size) crc = _mm_crc32_u8(crc, static_cast<uint8_t>(*data));
  return crc;
}

// For processors of before 2009.
uint32_t ByTable(uint32_t crc, const char* data, size_t size) {
  for (; size > 0; ++data, --size) {
    crc = (crc >> 8) ^ kOverByte[0][(crc ^ static_cast<uint8_t>(*data)) & 0xff];
  }
  return crc;
}

}  // namespace
}  // namespace millrace::storage

// rocksdb::crc32c::Extend: the CRC of some bytes whose CRC is `crc` and `size` more. Safe from any
// thread. The name is the linker's for what stands in for that function.
extern "C" uint32_t __wrap__ZN7rocksdb6crc32c6ExtendEjPKcm(uint32_t crc, const char* data,
                                                           size_t size) {
  using millrace::storage::ByInstruction;
  using millrace::storage::ByTable;
  static const bool by_instruction = __builtin_cpu_supports("sse4.2") != 0;
  return ~(by_instruction ? ByInstruction(~crc, data, size) : ByTable(~crc, data, size));
}

#endif
