#include "client/cli/input/record_maker.h"

#include <algorithm>

#include "absl/status/status.h"

namespace millrace::cli {
namespace {

constexpr std::string_view kBlanks = " \t\r";

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

std::optional<std::string_view> FieldOf(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.size() > name.size() && line[name.size()] == ':' &&
        EqualIgnoringCase(line.substr(0, name.size()), name)) {
      return Trimmed(line.substr(name.size() + 1));
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return std::nullopt;
}

absl::StatusOr<client::Record> MakeRecord(const RecordShape& shape, std::string_view bytes,
                                          int64_t number) {
  client::Record record;
  record.headers = shape.headers;
  record.key = shape.key;
  std::string_view value = bytes;
  if (shape.key_delimiter) {
    if (const size_t at = bytes.find(*shape.key_delimiter); at != std::string_view::npos) {
      record.key = bytes.substr(0, at);
      value = bytes.substr(at + shape.key_delimiter->size());
    }
  }
  if (shape.key_field) {
    const std::optional<std::string_view> key = FieldOf(value, *shape.key_field);
    if (!key) {
      return absl::InvalidArgumentError("record " + std::to_string(number) +
                                        " of the input has no field \"" + *shape.key_field +
                                        ":\" to take its key from");
    }
    record.key = *key;
  }
  for (const HeaderField& wanted : shape.header_fields) {
    if (const std::optional<std::string_view> field = FieldOf(value, wanted.field)) {
      record.headers.push_back({wanted.header, std::string(*field)});
    }
  }
  if (!value.empty() || !shape.empty_is_tombstone) record.value = value;
  return record;
}

absl::StatusOr<client::Header> ParseHeader(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == 0 || text.empty()) {
    return absl::InvalidArgumentError("\"" + std::string(text) +
                                      "\" is no header; write name=value");
  }
  client::Header header{std::string(text.substr(0, equals)), std::nullopt};
  if (equals != std::string_view::npos) header.value = text.substr(equals + 1);
  return header;
}

absl::StatusOr<HeaderField> ParseHeaderField(std::string_view text) {
  const size_t equals = text.find('=');
  const std::string_view header = text.substr(0, equals);
  const std::string_view field = equals == std::string_view::npos ? text : text.substr(equals + 1);
  if (header.empty() || field.empty()) {
    return absl::InvalidArgumentError("\"" + std::string(text) +
                                      "\" names no field; write Field or header=Field");
  }
  return HeaderField{std::string(header), std::string(field)};
}

}  // namespace millrace::cli
