#include "server/web/http_judge.h"

#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace millrace::server {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr size_t kMaxTargetBytes = 8 << 10;

std::string Text(beast::string_view view) { return std::string(view); }

std::optional<std::string> Find(const HttpHeader& header, beast::string_view name) {
  const auto it = header.find(name);
  if (it == header.end()) return std::nullopt;
  return Text(it->value());
}

std::vector<std::string_view> FindAll(const HttpHeader& header, std::string_view name) {
  std::vector<std::string_view> values;
  const auto [begin, end] = header.equal_range(beast::string_view(name.data(), name.size()));
  for (auto it = begin; it != end; ++it) {
    values.emplace_back(it->value().data(), it->value().size());
  }
  return values;
}

std::optional<HttpResponse> JudgeFraming(const HttpHeader& header) {
  const std::string length = Text(header[http::field::content_length]);
  if (header.count(http::field::content_length) > 1 ||
      length.find_first_not_of("0123456789") != std::string::npos) {
    return BadRequest(400, "a request has at most one Content-Length, of digits");
  }
  const size_t encodings = header.count(http::field::transfer_encoding);
  if (encodings == 0) return std::nullopt;
  if (header.count(http::field::content_length) > 0) {
    return BadRequest(400, "a request has a Content-Length or a Transfer-Encoding, not both");
  }
  const std::string encoding = Text(header[http::field::transfer_encoding]);
  if (encodings > 1 || header.version() != 11 || !absl::EqualsIgnoreCase(encoding, "chunked")) {
    return BadRequest(400, "the only Transfer-Encoding taken here is chunked");
  }
  return std::nullopt;
}

}  // namespace

std::optional<HttpResponse> JudgeHeader(const HttpHeader& header) {
  if (header.version() != 11 && header.version() != 10) {
    return BadRequest(400, "this port speaks HTTP/1.1");
  }
  if (auto refusal = JudgeFraming(header)) return refusal;
  const size_t hosts = header.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && header.version() == 11)) {
    return BadRequest(400, "a request names exactly one Host");
  }
  if (header.count(http::field::origin) > 1) {
    return BadRequest(400, "a request has at most one Origin");
  }
  if (header.target().size() > kMaxTargetBytes) return BadRequest(414, "the target is too long");
  if (header.target().empty() || header.target().front() != '/') {
    return BadRequest(400, "a target begins with a slash");
  }
  return std::nullopt;
}

HttpRequest ToRequest(const HttpHeader& header, Caller caller) {
  return {.method = Text(header.method_string()),
          .target = Text(header.target()),
          .content_type = Text(header[http::field::content_type]),
          .record_key = Find(header, "Millrace-Key"),
          .last_event_id = Find(header, "Last-Event-ID"),
          .if_none_match = Text(header[http::field::if_none_match]),
          .trace = TraceContextOf(FindAll(header, kTraceparent), FindAll(header, kTracestate)),
          .caller = std::move(caller)};
}

bool IsWebSocketUpgrade(const HttpHeader& header) {
  return header.version() == 11 && header.method() == http::verb::get &&
         http::token_list(header[http::field::connection]).exists("upgrade") &&
         http::token_list(header[http::field::upgrade]).exists("websocket") &&
         header[http::field::sec_websocket_version] == "13" &&
         header.count(http::field::sec_websocket_key) == 1;
}

std::vector<std::string> SubprotocolsOf(const HttpHeader& header) {
  std::vector<std::string> names;
  const auto range = header.equal_range(http::field::sec_websocket_protocol);
  for (auto it = range.first; it != range.second; ++it) {
    for (const auto& name : http::token_list(it->value())) names.push_back(Text(name));
  }
  return names;
}

std::vector<std::string> AuthorizationOf(const HttpHeader& header) {
  static constexpr std::string_view kBearerProtocol = "millrace.bearer.";
  std::vector<std::string> values;
  for (const std::string_view value : FindAll(header, "Authorization")) values.emplace_back(value);
  if (!IsWebSocketUpgrade(header)) return values;
  for (const std::string& name : SubprotocolsOf(header)) {
    if (name.compare(0, kBearerProtocol.size(), kBearerProtocol) != 0) continue;
    values.push_back("Bearer " + name.substr(kBearerProtocol.size()));
  }
  return values;
}

std::string HeadOf(const HttpResponse& response, size_t body_bytes, bool keep_alive,
                   std::string_view cors_origin) {
  std::string head = absl::StrCat(
      "HTTP/1.1 ", response.status, " ", std::string(HttpReason(response.status)),
      "\r\nDate: ", absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now(), absl::UTCTimeZone()),
      "\r\nX-Content-Type-Options: nosniff\r\n");
  const bool has_body = response.status != 204 && response.status != 304;
  if (has_body) absl::StrAppend(&head, "Content-Length: ", body_bytes, "\r\n");
  if (!response.content_type.empty()) {
    absl::StrAppend(&head, "Content-Type: ", response.content_type, "\r\n");
  }
  for (const auto& [name, value] : response.headers) {
    absl::StrAppend(&head, name, ": ", value, "\r\n");
  }
  if (!cors_origin.empty()) {
    absl::StrAppend(&head, "Access-Control-Allow-Origin: ", std::string(cors_origin),
                    "\r\nVary: Origin\r\n");
  }
  if (!keep_alive) head += "Connection: close\r\n";
  return head += "\r\n";
}

}  // namespace millrace::server
