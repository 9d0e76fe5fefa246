// A request and its answer as the parts of the hub see them that know no sockets.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "server/contract/caller.h"
#include "server/contract/trace_context.h"
#include "server/web/pieces.h"

namespace millrace::server {

struct HttpRequest {
  std::string method;
  std::string target;  // As sent: path and query.
  std::string content_type;
  std::optional<std::string> record_key;     // Of the header Millrace-Key.
  std::optional<std::string> last_event_id;  // Of the header Last-Event-ID.
  std::string if_none_match;
  std::optional<TraceContext> trace;  // Of the headers traceparent and tracestate.
  Caller caller;
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;  // Besides those of every answer.
  Pieces body;
};

using HttpAnswer = absl::AnyInvocable<void(HttpResponse) &&>;

// The error as the answer to a request, with the status that fits its code.
HttpResponse ErrorResponse(const absl::Status& error);
// The same with a status of HTTP's own.
HttpResponse ErrorResponse(int http_status, const absl::Status& error);
// What is wrong with the HTTP itself: MALFORMED_REQUEST.
HttpResponse BadRequest(int http_status, std::string_view message);

HttpResponse JsonResponse(std::string json);

// "Not Found" of 404.
std::string_view HttpReason(int status);

// The path of a target, decoded; absent where it is malformed.
std::optional<std::string> PathOf(std::string_view target);
// The query's names and values, decoded, in order; absent where it is malformed.
using HttpQuery = std::vector<std::pair<std::string, std::string>>;
std::optional<HttpQuery> QueryOf(std::string_view target);

// Whether the content type is this one, whatever its parameters.
bool HasMediaType(std::string_view content_type, std::string_view media_type);

}  // namespace millrace::server
