#include "client/cli/output/record_view.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "client/cli/output/json_line.h"
#include "client/cli/output/json_value.h"
#include "client/cli/output/utf8.h"
#include "client/cli/parse/escape.h"
#include "client/cli/parse/time.h"

namespace millrace::cli {
namespace {

using client::ReceivedRecord;

int64_t SizeOrMinusOne(const std::optional<std::string>& bytes) {
  return bytes ? static_cast<int64_t>(bytes->size()) : -1;
}

int64_t MillisOrMinusOne(const std::optional<absl::Time>& time) {
  return time ? absl::ToUnixMillis(*time) : -1;
}

void AppendHeaders(const std::vector<client::Header>& headers, std::string& out) {
  bool first = true;
  for (const client::Header& header : headers) {
    if (!std::exchange(first, false)) out += ',';
    out += header.name;
    if (header.value) out += "=" + *header.value;
  }
}

void AppendBigEndian(int64_t number, std::string& out) {
  const auto bits = static_cast<uint32_t>(number);
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(bits >> shift & 0xff);
}

// What the letter after a percent sign stands for.
void AppendToken(char token, const ReceivedRecord& record, std::string& out) {
  switch (token) {
    case 't':
      out += record.topic;
      break;
    case 'p':
      out += std::to_string(record.partition);
      break;
    case 'o':
      out += std::to_string(record.offset);
      break;
    case 'k':
      out += record.key.value_or("");
      break;
    case 's':
      out += record.value.value_or("");
      break;
    case 'K':
      out += std::to_string(SizeOrMinusOne(record.key));
      break;
    case 'S':
      out += std::to_string(SizeOrMinusOne(record.value));
      break;
    case 'R':
      AppendBigEndian(SizeOrMinusOne(record.value), out);
      break;
    case 'h':
      AppendHeaders(record.headers, out);
      break;
    case 'T':
      out += std::to_string(MillisOrMinusOne(record.append_time));
      break;
    case 'E':
      out += std::to_string(MillisOrMinusOne(record.event_time));
      break;
    default:
      out += '%';
  }
}

struct FormatPart {
  std::string text;  // Stands before the token.
  char token = '\0';
};

std::string Base64(std::string_view bytes) {
  return absl::Base64Escape({bytes.data(), bytes.size()});
}

// Text under `text_name`, other bytes as base64 under `binary_name`.
void AddBytes(JsonLine& json, std::string_view text_name, std::string_view binary_name,
              std::string_view bytes) {
  if (IsUtf8(bytes)) {
    json.Text(text_name, bytes);
  } else {
    json.Text(binary_name, Base64(bytes));
  }
}

std::string HeadersJson(const std::vector<client::Header>& headers) {
  JsonArray array;
  for (const client::Header& header : headers) {
    JsonLine json;
    json.Text("name", header.name);
    if (header.value) AddBytes(json, "text", "binary", *header.value);
    array.Add(json.Take());
  }
  return array.Take();
}

std::string RecordJson(const ReceivedRecord& record) {
  JsonLine json;
  json.Text("topic", record.topic)
      .Number("partition", record.partition)
      .Number("offset", record.offset);
  if (record.append_time) json.Text("append_time", TimeText(*record.append_time));
  if (record.event_time) json.Text("event_time", TimeText(*record.event_time));
  if (record.key) AddBytes(json, "key", "key_binary", *record.key);
  json.Json("headers", HeadersJson(record.headers));
  if (record.value) {
    if (const std::optional<std::string> document = AsJsonDocument(*record.value)) {
      json.Json("json", *document);
    } else {
      AddBytes(json, "text", "binary", *record.value);
    }
  }
  return json.Take();
}

}  // namespace

RecordView ValueView(std::string key_delimiter, std::string delimiter) {
  return [key_delimiter = std::move(key_delimiter), delimiter = std::move(delimiter)](
             const ReceivedRecord& record, std::string& out) {
    if (!key_delimiter.empty() && record.key) {
      out += *record.key;
      out += key_delimiter;
    }
    if (record.value) out += *record.value;
    out += delimiter;
  };
}

absl::StatusOr<RecordView> FormatView(std::string_view format) {
  constexpr std::string_view kTokens = "tpokKsSRhTE%";
  absl::StatusOr<std::string> text = Unescape(format);
  if (!text.ok()) return text.status();
  std::vector<FormatPart> parts(1);
  for (size_t i = 0; i < text->size(); ++i) {
    if ((*text)[i] != '%') {
      parts.back().text += (*text)[i];
      continue;
    }
    const char token = ++i < text->size() ? (*text)[i] : '\0';
    if (token == '\0' || kTokens.find(token) == std::string_view::npos) {
      return absl::InvalidArgumentError("\"%" + std::string(token != '\0' ? 1 : 0, token) +
                                        "\" stands for nothing; there are %t %p %o %k %s %K %S %R "
                                        "%h %T %E and %%");
    }
    parts.back().token = token;
    parts.emplace_back();
  }
  return [parts = std::move(parts)](const ReceivedRecord& record, std::string& out) {
    for (const FormatPart& part : parts) {
      out += part.text;
      if (part.token != '\0') AppendToken(part.token, record, out);
    }
  };
}

RecordView JsonView() {
  return [](const ReceivedRecord& record, std::string& out) { out += RecordJson(record) + "\n"; };
}

}  // namespace millrace::cli
