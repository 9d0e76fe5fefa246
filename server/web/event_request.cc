#include "server/web/event_request.h"

#include <algorithm>
#include <variant>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/contract/conversions.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

using storage::Error;
using storage::Reason;

// "0:1:42": partition, log epoch, offset.
bool ParsePosition(absl::string_view text, int32_t& partition, ResumePoint::Position& position) {
  const std::vector<std::string> numbers = absl::StrSplit(text, ':');
  return numbers.size() == 3 && absl::SimpleAtoi(numbers[0], &partition) && partition >= 0 &&
         absl::SimpleAtoi(numbers[1], &position.log_epoch) && position.log_epoch >= 0 &&
         absl::SimpleAtoi(numbers[2], &position.offset) && position.offset >= 0;
}

absl::StatusOr<hub::StartPosition> ParseFrom(const std::string& text) {
  if (text == "earliest") return hub::Earliest{};
  if (text == "latest") return hub::Latest{};
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return time;
  return InvalidField("from", "from must be earliest, latest or a time as in 2026-11-29T09:50:00Z");
}

absl::Status ParseHeartbeat(const std::string& text, EventRequest& request) {
  absl::Duration heartbeat;
  if (!absl::ParseDuration(text, &heartbeat) || heartbeat < absl::Milliseconds(100) ||
      heartbeat > absl::Hours(1)) {
    return InvalidField("heartbeat", "heartbeat must be between 100ms and 1h");
  }
  request.heartbeat = heartbeat;
  return absl::OkStatus();
}

absl::Status ParseResume(const std::string& token, EventRequest& request) {
  request.resume = ResumePoint::Parse(token);
  if (request.resume) return absl::OkStatus();
  return InvalidField("resume", "this is no event id of this hub");
}

absl::Status Apply(const std::string& name, const std::string& value, EventRequest& request) {
  if (name == "topic") {
    request.topics.push_back(value);
    return absl::OkStatus();
  }
  if (name == "partition") {
    if (!absl::SimpleAtoi(value, &request.partitions.emplace_back())) {
      return InvalidField("partition", "partition must be a number");
    }
    return absl::OkStatus();
  }
  if (name == "from") {
    const auto from = ParseFrom(value);
    if (from.ok()) request.from = *from;
    return from.status();
  }
  if (name == "heartbeat") return ParseHeartbeat(value, request);
  if (name == "resume") return ParseResume(value, request);
  return InvalidField(name, absl::StrCat("there is no parameter \"", name, "\""));
}

absl::Status TooManyPartitions() {
  return Error(Reason::kLimitExceeded,
               absl::StrCat("an event stream reads at most ", kMaxEventPartitions,
                            " partitions: name fewer, or use a WebSocket"),
               {{"limit", absl::StrCat(kMaxEventPartitions)}});
}

hub::RequestedPosition ToRequested(const std::pair<std::string, int32_t>& name,
                                   const ResumePoint::Position& position) {
  return {.topic = name.first,
          .partition = name.second,
          .offset = storage::Offset(position.offset),
          .log_epoch = storage::LogEpoch(position.log_epoch)};
}

// Only some partitions of one topic: each from where it was, or from where the request says.
absl::Status AddPartitions(hub::Hub& hub, const EventRequest& request,
                           const hub::StartPosition& start, hub::SubscribeCommand& command) {
  const std::string& name = request.topics.front();
  const auto topic = hub.topics().Find(name);
  if (!topic.ok()) return topic.status();
  for (const int32_t partition : request.partitions) {
    if (request.resume) {
      const auto& known = request.resume->positions();
      if (const auto it = known.find({name, partition}); it != known.end()) {
        command.positions.push_back(ToRequested(it->first, it->second));
        continue;
      }
    }
    const auto id = hub::Topics::PartitionOf(**topic, partition);
    if (!id.ok()) return id.status();
    const auto offset = hub.subscriptions().Resolve(*id, start);
    if (!offset.ok()) return offset.status();
    command.positions.push_back({.topic = name, .partition = partition, .offset = *offset});
  }
  return absl::OkStatus();
}

// All partitions of the topics.
absl::Status AddTopics(hub::Hub& hub, const EventRequest& request, hub::SubscribeCommand& command) {
  size_t partitions = 0;
  for (const std::string& name : request.topics) {
    const auto topic = hub.topics().Find(name);
    if (!topic.ok()) return topic.status();
    partitions += (*topic)->partitions.size();
  }
  if (partitions > kMaxEventPartitions) return TooManyPartitions();
  command.topics = request.topics;
  if (!request.resume) return absl::OkStatus();
  for (const auto& [name, position] : request.resume->positions()) {
    const auto& topics = request.topics;
    if (std::find(topics.begin(), topics.end(), name.first) == topics.end()) continue;
    command.positions.push_back(ToRequested(name, position));
  }
  return absl::OkStatus();
}

}  // namespace

// ---- The token

std::optional<ResumePoint> ResumePoint::Parse(std::string_view token) {
  ResumePoint point;
  const std::string text(token);
  for (const absl::string_view of_topic : absl::StrSplit(text, ';')) {
    const std::pair<std::string, absl::string_view> parts =
        absl::StrSplit(of_topic, absl::MaxSplits('=', 1));
    if (parts.first.empty() || parts.second.empty()) return std::nullopt;
    for (const absl::string_view each : absl::StrSplit(parts.second, ',')) {
      int32_t partition = 0;
      Position position;
      if (!ParsePosition(each, partition, position)) return std::nullopt;
      if (point.positions_.size() >= kMaxEventPartitions) return std::nullopt;
      if (!point.positions_.emplace(std::pair(parts.first, partition), position).second) {
        return std::nullopt;
      }
    }
  }
  return point;
}

std::string ResumePoint::Token() const {
  std::string token;
  std::string_view topic;
  for (const auto& [name, position] : positions_) {
    if (name.first != topic) {
      absl::StrAppend(&token, token.empty() ? "" : ";", name.first, "=");
      topic = name.first;
    } else {
      token += ',';
    }
    absl::StrAppend(&token, name.second, ":", position.log_epoch, ":", position.offset);
  }
  return token;
}

void ResumePoint::Apply(const hub::Frame& frame) {
  const auto at = [this](const hub::PartitionName& name) -> Position& {
    return positions_[{*name.topic, name.partition}];
  };
  if (const auto* started = std::get_if<hub::SessionStartedFrame>(&frame)) {
    log_epoch_ = started->log_epoch.value();
  } else if (const auto* assigned = std::get_if<hub::AssignedFrame>(&frame)) {
    for (const hub::Assignment& each : assigned->assignments) {
      at(each.name) = {log_epoch_, each.start_offset.value()};
    }
  } else if (const auto* batches = std::get_if<hub::BatchesFrame>(&frame)) {
    for (const hub::DeliveredBatch& each : batches->batches) {
      at(each.name) = {each.batch.log_epoch.value(),
                       each.batch.base_offset.value() + each.batch.record_count};
    }
  } else if (const auto* moved = std::get_if<hub::RepositionedFrame>(&frame)) {
    at(moved->name) = {log_epoch_, moved->to.value()};
  } else if (const auto* lost = std::get_if<hub::LostFrame>(&frame)) {
    for (const hub::PartitionName& name : lost->partitions) {
      positions_.erase({*name.topic, name.partition});
    }
  }
}

// ---- The request

absl::StatusOr<EventRequest> ToEventRequest(const HttpRequest& http) {
  EventRequest request;
  const auto query = QueryOf(http.target);
  if (!query) return Error(Reason::kMalformedRequest, "the query is malformed");
  for (const auto& [name, value] : *query) {
    if (absl::Status status = Apply(name, value, request); !status.ok()) return status;
  }
  if (http.last_event_id && !http.last_event_id->empty()) {
    if (absl::Status status = ParseResume(*http.last_event_id, request); !status.ok()) {
      return status;
    }
  }
  if (request.topics.empty()) {
    return Error(Reason::kEmptyRequest, "name a topic: ?topic=NAME", {{"field", "topic"}});
  }
  if (!request.partitions.empty() && request.topics.size() != 1) {
    return InvalidField("partition", "partitions are of one topic: name exactly one");
  }
  if (request.partitions.size() > kMaxEventPartitions) return TooManyPartitions();
  return request;
}

absl::StatusOr<hub::SubscribeCommand> ToSubscribeCommand(hub::Hub& hub,
                                                         const EventRequest& request) {
  // A partition that a resuming reader does not know was added since: all of it is new.
  const hub::StartPosition start =
      request.resume ? hub::StartPosition(hub::Earliest{}) : request.from;
  hub::SubscribeCommand command{.start = start};
  if (request.heartbeat) command.heartbeat_interval = *request.heartbeat;
  const absl::Status status = request.partitions.empty()
                                  ? AddTopics(hub, request, command)
                                  : AddPartitions(hub, request, start, command);
  if (!status.ok()) return status;
  return command;
}

}  // namespace millrace::server
