#include "storage/batch/record_view.h"

#include "storage/batch/entries.h"
#include "storage/batch/record_walk.h"
#include "storage/batch/wire.h"

namespace millrace::storage {
namespace {

using wire::WireType;

// Gives the fields of an encoded message, one after another. The message has been walked.
class FieldReader {
 public:
  explicit FieldReader(std::string_view message) : p_(message.data()), end_(p_ + message.size()) {}

  bool Next() {
    if (p_ == end_) return false;
    p_ = wire::ReadTag(p_, end_, &tag_);
    const char* const value = p_;
    if (tag_.type == WireType::kLengthDelimited) {
      p_ = wire::ReadBytes(value, end_, &bytes_);
    } else if (tag_.type == WireType::kVarint) {
      p_ = wire::ReadVarint(value, end_, &number_);
    } else {
      p_ = wire::SkipValue(value, end_, tag_.type);
    }
    return true;
  }

  uint32_t field() const { return tag_.field; }
  std::string_view bytes() const { return bytes_; }
  uint64_t number() const { return number_; }

 private:
  const char* p_;
  const char* end_;
  wire::Tag tag_;
  std::string_view bytes_;
  uint64_t number_ = 0;
};

HeaderView ParseHeader(std::string_view message) {
  HeaderView header;
  for (FieldReader reader(message); reader.Next();) {
    if (reader.field() == 1) header.name = reader.bytes();
    if (reader.field() == 2) header.value = reader.bytes();
  }
  return header;
}

// Of a message field that comes twice protobuf merges the contents.
void MergeEventTime(std::string_view message, std::optional<EventTime>& time) {
  if (!time) time.emplace();
  for (FieldReader reader(message); reader.Next();) {
    if (reader.field() == 1) time->seconds = static_cast<int64_t>(reader.number());
    if (reader.field() == 2) time->nanos = static_cast<int32_t>(reader.number());
  }
}

// Makes room for `size` bytes at the end of `out`.
char* Grow(std::string* out, size_t size) {
  const size_t start = out->size();
  out->resize(start + size);
  return out->data() + start;
}

void AppendBytesField(uint32_t field, std::string_view bytes, std::string* out) {
  wire::WriteBytesField(Grow(out, wire::BytesFieldSize(field, bytes.size())), field, bytes);
}

// Fields of value 0 are left out, as proto3 does.
void AppendNumberField(uint32_t field, uint64_t number, std::string* out) {
  if (number == 0) return;
  char* p = Grow(out, 1 + wire::VarintSize(number));
  wire::WriteVarint(wire::WriteTag(p, field, WireType::kVarint), number);
}

}  // namespace

std::optional<RecordView> ParseRecord(std::string_view record) {
  RecordFacts facts;
  if (WalkRecord(record, RecordLimits{}, &facts) != WalkError::kNone) return std::nullopt;
  RecordView view;
  view.headers.reserve(static_cast<size_t>(facts.header_count));
  for (FieldReader reader(record); reader.Next();) {
    switch (reader.field()) {
      case 1:
        view.key = reader.bytes();
        break;
      case 2:
        view.value = reader.bytes();
        break;
      case 3:
        view.headers.push_back(ParseHeader(reader.bytes()));
        break;
      case 4:
        MergeEventTime(reader.bytes(), view.event_time);
        break;
    }
  }
  return view;
}

void AppendRecord(const RecordView& record, std::string* out) {
  if (record.key) AppendBytesField(1, *record.key, out);
  if (record.value) AppendBytesField(2, *record.value, out);
  for (const HeaderView& header : record.headers) {
    std::string encoded;
    if (!header.name.empty()) AppendBytesField(1, header.name, &encoded);
    if (header.value) AppendBytesField(2, *header.value, &encoded);
    AppendBytesField(3, encoded, out);
  }
  if (record.event_time) {
    std::string encoded;
    AppendNumberField(1, static_cast<uint64_t>(record.event_time->seconds), &encoded);
    // A negative int32 is sign-extended on the wire.
    AppendNumberField(2, static_cast<uint64_t>(int64_t{record.event_time->nanos}), &encoded);
    AppendBytesField(4, encoded, out);
  }
}

void AppendRecordEntry(const RecordView& record, std::string* out) {
  std::string encoded;
  AppendRecord(record, &encoded);
  AppendBytesField(kRecordsField, encoded, out);
}

}  // namespace millrace::storage
