// The protobuf wire format, as far as this library reads and writes it by hand: records on their
// way out and in, where a message object per record would cost several times the work, and the
// error details of google.rpc, whose generated code would clash with a program's own copy.
//
// Threads: values; no shared state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace millrace::client {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

constexpr uint32_t WireTag(uint32_t field, WireType type) { return field << 3 | type; }

size_t VarintSize(uint64_t value);

// Writes at `out`, which has room, and gives the end of what was written.
char* WriteVarint(char* out, uint64_t value);
char* WriteBytes(char* out, std::string_view bytes);

// A length-delimited field: tag (of one byte), length, bytes.
size_t BytesFieldSize(size_t length);
char* WriteBytesField(char* out, uint32_t field, std::string_view bytes);

void AppendBytesField(std::string& out, uint32_t field, std::string_view bytes);
void AppendVarintField(std::string& out, uint32_t field, uint64_t value);

// google.protobuf.Timestamp and Duration, which have one shape: seconds = 1, nanos = 2.
std::string EncodeTimestamp(absl::Time time);
std::string EncodeDuration(absl::Duration duration);
std::optional<absl::Time> DecodeTimestamp(std::string_view bytes);
std::optional<absl::Duration> DecodeDuration(std::string_view bytes);

bool IsUtf8(std::string_view bytes);

// Walks the fields of one message.
//
//     for (WireReader reader(bytes); reader.Next();) { switch (reader.field()) ... }
//
// After the last field, or where the bytes are malformed, Next is false; ok() tells which.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool Next();
  bool ok() const { return ok_; }

  uint32_t field() const { return tag_ >> 3; }
  bool is(uint32_t field, WireType type) const { return tag_ == WireTag(field, type); }
  uint64_t varint() const { return varint_; }        // Of a kVarint field.
  std::string_view bytes() const { return bytes_; }  // Of a kLengthDelimited field.
  std::string_view entry() const { return entry_; }  // The whole field with its tag.
  int64_t int64() const { return static_cast<int64_t>(varint_); }
  int32_t int32() const { return static_cast<int32_t>(varint_); }

 private:
  bool Fail() {
    ok_ = false;
    return false;
  }
  bool ReadVarint(uint64_t& value);

  const char* at_;
  const char* end_;
  uint32_t tag_ = 0;
  uint64_t varint_ = 0;
  std::string_view bytes_;
  std::string_view entry_;
  bool ok_ = true;
};

// Bytes that grow at the end without being cleared first, and can be given away in one piece.
class EncodeBuffer {
 public:
  // Room for `size` more bytes; they are to be written before the next call.
  char* Extend(size_t size);
  void Reserve(size_t capacity);

  size_t size() const { return size_; }
  std::string_view view() const { return {data_.get(), size_}; }

  // Gives the bytes away; the buffer is empty afterwards.
  std::unique_ptr<char[]> Release(size_t& size);

 private:
  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace millrace::client
