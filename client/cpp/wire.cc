#include "client/cpp/wire.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace millrace::client {
namespace {

struct SecondsAndNanos {
  int64_t seconds = 0;
  int32_t nanos = 0;
};

std::optional<SecondsAndNanos> DecodeSecondsAndNanos(std::string_view bytes) {
  SecondsAndNanos result;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.is(1, kVarint)) result.seconds = reader.int64();
    if (reader.is(2, kVarint)) result.nanos = reader.int32();
  }
  if (!reader.ok()) return std::nullopt;
  return result;
}

std::string EncodeSecondsAndNanos(int64_t seconds, int64_t nanos) {
  std::string out;
  if (seconds != 0) AppendVarintField(out, 1, static_cast<uint64_t>(seconds));
  if (nanos != 0) AppendVarintField(out, 2, static_cast<uint64_t>(nanos));
  return out;
}

// The bytes that follow `lead` in a UTF-8 sequence; -1 where none starts with it.
int ContinuationBytes(unsigned char lead) {
  if (lead < 0x80) return 0;
  if (lead >= 0xC2 && lead < 0xE0) return 1;
  if (lead >= 0xE0 && lead < 0xF0) return 2;
  if (lead >= 0xF0 && lead < 0xF5) return 3;
  return -1;
}

// Whether `second` may follow `lead`: no overlong forms, surrogates or code points past U+10FFFF.
bool SecondByteFits(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xE0:
      return second >= 0xA0;
    case 0xED:
      return second < 0xA0;
    case 0xF0:
      return second >= 0x90;
    case 0xF4:
      return second < 0x90;
    default:
      return true;
  }
}

}  // namespace

size_t VarintSize(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

char* WriteVarint(char* out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *out++ = static_cast<char>(value | 0x80);
  *out++ = static_cast<char>(value);
  return out;
}

char* WriteBytes(char* out, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

size_t BytesFieldSize(size_t length) { return 1 + VarintSize(length) + length; }

char* WriteBytesField(char* out, uint32_t field, std::string_view bytes) {
  *out++ = static_cast<char>(WireTag(field, kLengthDelimited));
  return WriteBytes(WriteVarint(out, bytes.size()), bytes);
}

void AppendBytesField(std::string& out, uint32_t field, std::string_view bytes) {
  const size_t before = out.size();
  out.resize(before + BytesFieldSize(bytes.size()));
  WriteBytesField(out.data() + before, field, bytes);
}

void AppendVarintField(std::string& out, uint32_t field, uint64_t value) {
  out.push_back(static_cast<char>(WireTag(field, kVarint)));
  char encoded[10];
  out.append(encoded, WriteVarint(encoded, value) - encoded);
}

std::string EncodeTimestamp(absl::Time time) {
  // Nanoseconds of a Timestamp count forward, also before 1970.
  const int64_t seconds = absl::ToUnixSeconds(time);
  return EncodeSecondsAndNanos(seconds,
                               absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds)));
}

std::string EncodeDuration(absl::Duration duration) {
  absl::Duration rest;
  const int64_t seconds = absl::IDivDuration(duration, absl::Seconds(1), &rest);
  return EncodeSecondsAndNanos(seconds, absl::ToInt64Nanoseconds(rest));
}

std::optional<absl::Time> DecodeTimestamp(std::string_view bytes) {
  const std::optional<SecondsAndNanos> decoded = DecodeSecondsAndNanos(bytes);
  if (!decoded) return std::nullopt;
  return absl::FromUnixSeconds(decoded->seconds) + absl::Nanoseconds(decoded->nanos);
}

std::optional<absl::Duration> DecodeDuration(std::string_view bytes) {
  const std::optional<SecondsAndNanos> decoded = DecodeSecondsAndNanos(bytes);
  if (!decoded) return std::nullopt;
  return absl::Seconds(decoded->seconds) + absl::Nanoseconds(decoded->nanos);
}

bool IsUtf8(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    const int more = ContinuationBytes(lead);
    if (more < 0 || bytes.size() - i <= static_cast<size_t>(more)) return false;
    for (int k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(bytes[i + k]);
      if ((next & 0xC0) != 0x80 || (k == 1 && !SecondByteFits(lead, next))) return false;
    }
    i += 1 + more;
  }
  return true;
}

bool WireReader::ReadVarint(uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && at_ < end_; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at_++);
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return Fail();
}

bool WireReader::Next() {
  if (!ok_ || at_ == end_) return false;
  const char* const start = at_;
  uint64_t tag = 0;
  if (!ReadVarint(tag)) return false;
  tag_ = static_cast<uint32_t>(tag);
  uint64_t length = 0;
  switch (tag_ & 7) {
    case kVarint:
      if (!ReadVarint(varint_)) return false;
      break;
    case kLengthDelimited:
      if (!ReadVarint(length)) return false;
      break;
    case kFixed64:
      length = 8;
      break;
    case kFixed32:
      length = 4;
      break;
    default:
      return Fail();
  }
  if (length > static_cast<uint64_t>(end_ - at_)) return Fail();
  bytes_ = {at_, static_cast<size_t>(length)};
  at_ += length;
  entry_ = {start, static_cast<size_t>(at_ - start)};
  return true;
}

char* EncodeBuffer::Extend(size_t size) {
  if (size_ + size > capacity_) Reserve(std::max(size_ + size, capacity_ * 2));
  char* const at = data_.get() + size_;
  size_ += size;
  return at;
}

void EncodeBuffer::Reserve(size_t capacity) {
  if (capacity <= capacity_) return;
  auto grown = std::make_unique_for_overwrite<char[]>(capacity);
  if (size_ > 0) std::memcpy(grown.get(), data_.get(), size_);
  data_ = std::move(grown);
  capacity_ = capacity;
}

std::unique_ptr<char[]> EncodeBuffer::Release(size_t& size) {
  size = std::exchange(size_, 0);
  capacity_ = 0;
  return std::move(data_);
}

}  // namespace millrace::client
