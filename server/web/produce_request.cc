#include "server/web/produce_request.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "millrace/v1/event_hub.pb.h"
#include "server/contract/conversions.h"
#include "server/contract/produce_decoder.h"
#include "server/contract/write_answers.h"
#include "server/web/json_messages.h"
#include "server/web/json_records.h"
#include "server/web/json_text.h"
#include "storage/batch/record_view.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

using storage::Error;
using storage::Reason;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kBytes = "application/octet-stream";
constexpr std::string_view kProtobuf = "application/x-protobuf";

// A ProduceRequest as wire bytes, judged as gRPC's are.
absl::StatusOr<hub::ProduceCommand> Decode(std::string_view facts, std::string_view entries,
                                           const hub::Limits& limits) {
  storage::SliceBuffer wire(facts.size() + entries.size());
  std::copy(entries.begin(), entries.end(), std::copy(facts.begin(), facts.end(), wire.data()));
  return DecodeProduceRequest(wire, limits);
}

absl::Status Apply(const std::string& name, const std::string& value, v1::ProduceRequest& request) {
  if (name == "partition") {
    int32_t partition = 0;
    if (!absl::SimpleAtoi(value, &partition)) {
      return InvalidField("partition", "partition must be a number");
    }
    request.set_partition(partition);
    return absl::OkStatus();
  }
  if (name == "durability" && (value == "synced" || value == "buffered")) {
    request.set_durability(value == "synced" ? v1::DURABILITY_SYNCED : v1::DURABILITY_BUFFERED);
    return absl::OkStatus();
  }
  return InvalidField(name, absl::StrCat(name, "=", value, " is not understood here"));
}

absl::StatusOr<hub::ProduceCommand> FromBytes(const HttpRequest& request, const std::string& topic,
                                              const hub::Limits& limits) {
  v1::ProduceRequest facts;
  facts.set_topic(topic);
  const auto query = QueryOf(request.target);
  if (!query) return Error(Reason::kMalformedRequest, "the query is malformed");
  for (const auto& [name, value] : *query) {
    if (absl::Status status = Apply(name, value, facts); !status.ok()) return status;
  }
  storage::RecordView record;
  if (request.record_key) record.key = *request.record_key;
  record.value = request.body;
  std::string entry;
  storage::AppendRecordEntry(record, &entry);
  return Decode(facts.SerializeAsString(), entry, limits);
}

absl::StatusOr<hub::ProduceCommand> FromProtobuf(const HttpRequest& request,
                                                 const std::string& topic,
                                                 const hub::Limits& limits) {
  auto command = Decode(request.body, "", limits);
  if (!command.ok()) return command;
  if (command->topic.empty()) command->topic = topic;
  if (command->topic == topic) return command;
  return InvalidField("topic", "the body names another topic than the path");
}

absl::StatusOr<hub::ProduceCommand> Read(const HttpRequest& request, const std::string& topic,
                                         const hub::Limits& limits) {
  if (HasMediaType(request.content_type, kBytes)) return FromBytes(request, topic, limits);
  if (IsProtobuf(request.content_type)) return FromProtobuf(request, topic, limits);
  if (!IsJson(request.body)) return Error(Reason::kMalformedRequest, "the body is not JSON");
  return ProduceFromJson(request.body, topic, limits);
}

}  // namespace

bool IsProtobuf(std::string_view content_type) { return HasMediaType(content_type, kProtobuf); }

bool TakesRecordsAs(std::string_view content_type) {
  return HasMediaType(content_type, kJson) || HasMediaType(content_type, kBytes) ||
         IsProtobuf(content_type);
}

absl::StatusOr<hub::ProduceCommand> ToProduceCommand(const HttpRequest& request,
                                                     const std::string& topic,
                                                     const hub::Limits& limits) {
  auto command = Read(request, topic, limits);
  if (command.ok() && request.trace) {
    command->records = WithTrace(command->records, *request.trace, limits);
  }
  return command;
}

HttpResponse ProduceAnswer(const hub::ProduceOutcome& outcome, bool as_protobuf) {
  v1::ProduceResponse response;
  Fill(outcome, response);
  if (as_protobuf) {
    return {.content_type = std::string(kProtobuf), .body = Pieces(response.SerializeAsString())};
  }
  std::string json;
  AppendJson(response, &json);
  return JsonResponse(std::move(json));
}

}  // namespace millrace::server
