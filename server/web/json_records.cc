#include "server/web/json_records.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "millrace/v1/event_hub.pb.h"
#include "server/contract/conversions.h"
#include "server/contract/produce_decoder.h"
#include "server/hub/value_rendering.h"
#include "server/web/json_messages.h"
#include "server/web/json_text.h"
#include "storage/batch/record_view.h"
#include "storage/batch/record_walk.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

using google::protobuf::util::TimeUtil;
using storage::Error;
using storage::Reason;

// ---- Outwards

// Bytes under one of two names: as text, or else as base64.
void AppendReadable(std::string_view text_name, std::string_view binary_name,
                    std::string_view bytes, std::string* out) {
  if (storage::IsUtf8(bytes)) {
    absl::StrAppend(out, ",\"", std::string(text_name), "\":");
    AppendJsonString(bytes, out);
    return;
  }
  absl::StrAppend(out, ",\"", std::string(binary_name), "\":\"",
                  absl::Base64Escape({bytes.data(), bytes.size()}), "\"");
}

void AppendHeaders(const storage::RecordView& record, std::string* out) {
  if (record.headers.empty()) return;
  char separator = '[';
  *out += ",\"headers\":";
  for (const storage::HeaderView& header : record.headers) {
    *out += separator;
    separator = ',';
    *out += "{\"name\":";
    AppendJsonString(header.name, out);
    if (header.value) AppendReadable("text", "binary", *header.value, out);
    *out += '}';
  }
  *out += ']';
}

// Nobody judged the time when it came; one that is none is left out.
void AppendEventTime(const storage::EventTime& event_time, std::string* out) {
  google::protobuf::Timestamp time;
  time.set_seconds(event_time.seconds);
  time.set_nanos(event_time.nanos);
  if (!FromTimestamp(time, "event_time").ok()) return;
  absl::StrAppend(out, ",\"eventTime\":\"", TimeUtil::ToString(time), "\"");
}

void AppendValue(std::string_view value, std::string* out) {
  if (!hub::IsExactJson(value)) return AppendReadable("text", "binary", value, out);
  *out += ",\"json\":";
  const size_t begin = out->size();
  *out += value;
  // Line breaks stand between tokens only: inside a string JSON has none.
  const auto is_line_break = [](char c) { return c == '\n' || c == '\r'; };
  std::replace_if(out->begin() + static_cast<std::ptrdiff_t>(begin), out->end(), is_line_break,
                  ' ');
}

// ---- Inwards

absl::Status Wrong(std::string_view member, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(std::string(member), " ", std::string(why)));
}

absl::StatusOr<std::string> Text(const JsonMember& member) {
  auto text = JsonString(member.value);
  if (!text) return Wrong(member.name, "must be a string");
  return *std::move(text);
}

absl::StatusOr<std::string> Binary(const JsonMember& member) {
  const auto text = Text(member);
  std::string bytes;
  if (!text.ok()) return text.status();
  if (absl::Base64Unescape(*text, &bytes) || absl::WebSafeBase64Unescape(*text, &bytes)) {
    return bytes;
  }
  return Wrong(member.name, "must be base64");
}

// The readable form of a record, or of a header, being read; what its view points to.
struct Taken {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::optional<storage::EventTime> event_time;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

// Sets what may be said once only.
absl::Status Set(const JsonMember& member, absl::StatusOr<std::string> bytes,
                 std::optional<std::string>& target) {
  if (!bytes.ok()) return bytes.status();
  if (target) return Wrong(member.name, "says a second time what is said already");
  target = *std::move(bytes);
  return absl::OkStatus();
}

bool IsNull(std::string_view value) { return value == "null"; }

absl::Status TakeHeader(std::string_view json, Taken& taken) {
  JsonMembers members(json);
  if (!members.is_object()) return Wrong("headers", "must be objects");
  std::optional<std::string> name;
  std::optional<std::string> value;
  for (JsonMember member; members.Next(&member);) {
    absl::Status status;
    if (IsNull(member.value)) {
      continue;
    } else if (member.name == "name") {
      status = Set(member, Text(member), name);
    } else if (member.name == "text") {
      status = Set(member, Text(member), value);
    } else if (member.name == "binary") {
      status = Set(member, Binary(member), value);
    } else {
      status = Wrong(member.name, "is no member of a header");
    }
    if (!status.ok()) return status;
  }
  taken.headers.emplace_back(name.value_or(""), std::move(value));
  return absl::OkStatus();
}

absl::Status TakeHeaders(const JsonMember& member, Taken& taken) {
  JsonElements elements(member.value);
  if (!elements.is_array()) return Wrong("headers", "must be an array");
  for (std::string_view element; elements.Next(&element);) {
    if (absl::Status status = TakeHeader(element, taken); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status TakeEventTime(const JsonMember& member, Taken& taken) {
  const auto text = Text(member);
  google::protobuf::Timestamp time;
  if (!text.ok() || !TimeUtil::FromString(*text, &time)) {
    return Wrong("eventTime", "must be a time as in \"2026-11-29T09:50:00Z\"");
  }
  taken.event_time = {time.seconds(), time.nanos()};
  return absl::OkStatus();
}

absl::Status TakeMember(const JsonMember& member, Taken& taken) {
  const std::string& name = member.name;
  if (name == "json") return Set(member, std::string(member.value), taken.value);
  if (IsNull(member.value)) return absl::OkStatus();
  if (name == "key") return Set(member, Text(member), taken.key);
  if (name == "keyBinary" || name == "key_binary") return Set(member, Binary(member), taken.key);
  if (name == "text") return Set(member, Text(member), taken.value);
  if (name == "binary") return Set(member, Binary(member), taken.value);
  if (name == "headers") return TakeHeaders(member, taken);
  if (name == "eventTime" || name == "event_time") return TakeEventTime(member, taken);
  return Wrong(name, "is no member of a record");
}

absl::Status AppendEntry(std::string_view json, std::string* entries) {
  JsonMembers members(json);
  if (!members.is_object()) return absl::InvalidArgumentError("it must be an object");
  Taken taken;
  for (JsonMember member; members.Next(&member);) {
    if (absl::Status status = TakeMember(member, taken); !status.ok()) return status;
  }
  storage::RecordView record;
  record.event_time = taken.event_time;
  if (taken.key) record.key = *taken.key;
  if (taken.value) record.value = *taken.value;
  for (const auto& [name, value] : taken.headers) {
    storage::HeaderView& header = record.headers.emplace_back();
    header.name = name;
    if (value) header.value = *value;
  }
  storage::AppendRecordEntry(record, entries);
  return absl::OkStatus();
}

absl::StatusOr<std::string> EntriesFromJson(std::string_view json, const hub::Limits& limits) {
  JsonElements elements(json);
  if (!elements.is_array()) {
    return Error(Reason::kMalformedRequest, "records must be an array", {{"field", "records"}});
  }
  std::string entries;
  int32_t index = 0;
  for (std::string_view element; elements.Next(&element); ++index) {
    if (index >= limits.max_request_records) {
      return BatchTooLarge("records", limits.max_request_records, index + 1);
    }
    const absl::Status status = AppendEntry(element, &entries);
    if (status.ok()) continue;
    return Error(Reason::kMalformedRecord,
                 absl::StrCat("record ", index, " of the request: ", std::string(status.message())),
                 {{"record_index", absl::StrCat(index)}});
  }
  return entries;
}

}  // namespace

void AppendRecordJson(std::string_view bytes, int64_t offset, std::string* out) {
  absl::StrAppend(out, "{\"offset\":\"", offset, "\"");
  if (const auto record = storage::ParseRecord(bytes)) {  // It is one: what is stored was walked.
    if (record->key) AppendReadable("key", "keyBinary", *record->key, out);
    AppendHeaders(*record, out);
    if (record->event_time) AppendEventTime(*record->event_time, out);
    if (record->value) AppendValue(*record->value, out);
  }
  *out += '}';
}

// The request becomes the wire form that gRPC's clients send, and is judged as theirs are.
absl::StatusOr<hub::ProduceCommand> ProduceFromJson(std::string_view json, std::string_view topic,
                                                    const hub::Limits& limits) {
  JsonMembers members(json);
  if (!members.is_object()) {
    return Error(Reason::kMalformedRequest, "a ProduceRequest must be an object");
  }
  std::string rest = "{";
  std::optional<std::string_view> records;
  for (JsonMember member; members.Next(&member);) {
    if (member.name == "records") {
      if (records) return Error(Reason::kMalformedRequest, "records is there twice");
      records = member.value;
      continue;
    }
    if (rest.size() > 1) rest += ',';
    AppendJsonString(member.name, &rest);
    absl::StrAppend(&rest, ":", std::string(member.value));
  }
  rest += '}';
  v1::ProduceRequest request;
  if (absl::Status status = ParseJson(rest, &request); !status.ok()) return status;
  if (request.topic().empty()) request.set_topic(std::string(topic));
  if (!topic.empty() && request.topic() != topic) {
    return Error(Reason::kInvalidConfig, "the body names another topic than the path",
                 {{"field", "topic"}});
  }
  auto entries = EntriesFromJson(records.value_or("[]"), limits);
  if (!entries.ok()) return entries.status();
  const std::string facts = request.SerializeAsString();
  storage::SliceBuffer wire(facts.size() + entries->size());
  std::copy(entries->begin(), entries->end(), std::copy(facts.begin(), facts.end(), wire.data()));
  return DecodeProduceRequest(wire, limits);
}

}  // namespace millrace::server
