#include "server/contract/readable_record.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "server/contract/conversions.h"
#include "server/hub/value_rendering.h"
#include "storage/batch/record_view.h"
#include "storage/batch/record_walk.h"

namespace millrace::server {
namespace {

using Json = nlohmann::ordered_json;
using ProtoValue = google::protobuf::Value;

// Generated stubs refuse messages that nest more than 100 deep. Here that is the response, a Value
// for each level of the document, and what is between two of them.
constexpr int kMaxMessageLevels = 100 - 2;

// How many messages below the outermost Value the document takes.
int MessageLevels(const Json& json) {
  int deepest = 0;
  for (const Json& each : json) {
    if (each.is_structured()) deepest = std::max(deepest, MessageLevels(each));
  }
  if (json.is_object()) return deepest + 3;  // Struct, FieldsEntry, Value.
  return json.is_array() ? deepest + 2 : 0;  // ListValue, Value.
}

void ToProto(const Json& json, ProtoValue& value) {
  switch (json.type()) {
    case Json::value_t::null:
      value.set_null_value(google::protobuf::NULL_VALUE);
      break;
    case Json::value_t::boolean:
      value.set_bool_value(json.get<bool>());
      break;
    case Json::value_t::string:
      value.set_string_value(json.get<std::string>());
      break;
    case Json::value_t::array:
      value.mutable_list_value();
      for (const Json& each : json) ToProto(each, *value.mutable_list_value()->add_values());
      break;
    case Json::value_t::object:
      value.mutable_struct_value();
      for (const auto& [name, member] : json.items()) {
        ToProto(member, (*value.mutable_struct_value()->mutable_fields())[name]);
      }
      break;
    default:
      value.set_number_value(json.get<double>());
  }
}

Json FromNumber(double number) {
  // Whole numbers are written without a point, as everybody writes them.
  constexpr double kMaxExactInteger = 9007199254740992.0;
  if (std::trunc(number) == number && std::abs(number) <= kMaxExactInteger) {
    return static_cast<int64_t>(number);
  }
  return number;
}

// Whether JSON can say the value: it has no infinity, no NaN, and no value that is none.
bool IsJson(const ProtoValue& value) {
  switch (value.kind_case()) {
    case ProtoValue::KIND_NOT_SET:
      return false;
    case ProtoValue::kNumberValue:
      return std::isfinite(value.number_value());
    case ProtoValue::kListValue: {
      const auto& values = value.list_value().values();
      return std::all_of(values.begin(), values.end(), IsJson);
    }
    case ProtoValue::kStructValue: {
      const auto& fields = value.struct_value().fields();
      return std::all_of(fields.begin(), fields.end(),
                         [](const auto& field) { return IsJson(field.second); });
    }
    default:
      return true;
  }
}

Json FromProto(const ProtoValue& value) {
  switch (value.kind_case()) {
    case ProtoValue::kBoolValue:
      return value.bool_value();
    case ProtoValue::kNumberValue:
      return FromNumber(value.number_value());
    case ProtoValue::kStringValue:
      return value.string_value();
    case ProtoValue::kListValue: {
      Json array = Json::array();
      for (const ProtoValue& each : value.list_value().values()) array.push_back(FromProto(each));
      return array;
    }
    case ProtoValue::kStructValue: {
      // A map has no order: sorted names make the same document the same bytes.
      const auto& fields = value.struct_value().fields();
      std::map<std::string, const ProtoValue*> sorted;
      for (const auto& [name, member] : fields) sorted[name] = &member;
      Json object = Json::object();
      for (const auto& [name, member] : sorted) object[name] = FromProto(*member);
      return object;
    }
    default:
      return nullptr;
  }
}

void ShowValue(std::string_view bytes, v1::TailResponse& response) {
  const auto json = hub::AsExactJson(bytes);
  if (json && MessageLevels(*json) <= kMaxMessageLevels) {
    ToProto(*json, *response.mutable_json());
  } else if (storage::IsUtf8(bytes)) {
    response.set_text(std::string(bytes));
  } else {
    response.set_binary(std::string(bytes));
  }
}

void ShowHeader(const storage::HeaderView& header, v1::ReadableHeader& shown) {
  shown.set_name(std::string(header.name));
  if (!header.value) return;
  if (storage::IsUtf8(*header.value)) {
    shown.set_text(std::string(*header.value));
  } else {
    shown.set_binary(std::string(*header.value));
  }
}

// The value's bytes; absent for a tombstone.
std::optional<std::string> ValueOf(const v1::SendRequest& request) {
  switch (request.record_value_case()) {
    case v1::SendRequest::kJson:
      return FromProto(request.json()).dump();
    case v1::SendRequest::kText:
      return request.text();
    case v1::SendRequest::kBinary:
      return request.binary();
    default:
      return std::nullopt;
  }
}

}  // namespace

void ShowRecord(std::string_view bytes, v1::TailResponse& response) {
  const auto record = storage::ParseRecord(bytes);
  if (!record) return;  // Cannot be: what is stored was walked.
  if (record->event_time) {
    // Nobody judged it when it came, and most programs cannot print one that is none.
    google::protobuf::Timestamp time;
    time.set_seconds(record->event_time->seconds);
    time.set_nanos(record->event_time->nanos);
    if (FromTimestamp(time, "event_time").ok()) *response.mutable_event_time() = time;
  }
  if (record->key) {
    if (storage::IsUtf8(*record->key)) {
      response.set_key(std::string(*record->key));
    } else {
      response.set_key_binary(std::string(*record->key));
    }
  }
  for (const storage::HeaderView& header : record->headers) {
    ShowHeader(header, *response.add_headers());
  }
  if (record->value) ShowValue(*record->value, response);
}

absl::StatusOr<std::string> TakeRecord(const v1::SendRequest& request) {
  if (request.has_json() && !IsJson(request.json())) {
    return InvalidField("json", "json must be a value that JSON can say");
  }
  storage::RecordView record;
  if (request.has_event_time()) {
    const auto time = FromTimestamp(request.event_time(), "event_time");
    if (!time.ok()) return time.status();
    record.event_time = {request.event_time().seconds(), request.event_time().nanos()};
  }
  if (request.has_key()) record.key = request.key();
  if (request.has_key_binary()) record.key = request.key_binary();
  for (const v1::ReadableHeader& each : request.headers()) {
    storage::HeaderView header{.name = each.name(), .value = std::nullopt};
    if (each.has_text()) header.value = each.text();
    if (each.has_binary()) header.value = each.binary();
    record.headers.push_back(header);
  }
  const std::optional<std::string> value = ValueOf(request);
  if (value) record.value = *value;
  std::string entry;
  storage::AppendRecordEntry(record, &entry);
  return entry;
}

}  // namespace millrace::server
