// POST /v1/topics/TOPIC/records: records in one of three content types.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/hub/hub.h"
#include "server/web/http_message.h"

namespace millrace::server {

// Whether the content type is one that records may come in.
bool TakesRecordsAs(std::string_view content_type);

// What the request asks for. Its content type is one of those. The reasons are those of Produce.
absl::StatusOr<hub::ProduceCommand> ToProduceCommand(const HttpRequest& request,
                                                     const std::string& topic,
                                                     const hub::Limits& limits);

// The answer, in the form that goes with the request's.
HttpResponse ProduceAnswer(const hub::ProduceOutcome& outcome, bool as_protobuf);

// Whether the request, and so its answer, is in protobuf's wire form.
bool IsProtobuf(std::string_view content_type);

}  // namespace millrace::server
