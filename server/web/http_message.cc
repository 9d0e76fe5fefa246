#include "server/web/http_message.h"

#include <cmath>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/contract/request_error.h"
#include "server/web/json_messages.h"
#include "storage/batch/record_walk.h"
#include "storage/error.h"

namespace millrace::server {
namespace {

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kFailedPrecondition:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Percent decoding, of UTF-8; in a query a plus is a blank.
std::optional<std::string> Decoded(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  if (!storage::IsUtf8(out)) return std::nullopt;
  return out;
}

}  // namespace

HttpResponse ErrorResponse(int http_status, const absl::Status& error) {
  const v1::RequestError facts = ToRequestError(error);
  std::string json;
  AppendJson(facts, &json);
  HttpResponse response = JsonResponse(std::move(json));
  response.status = http_status;
  if (facts.has_retry_after()) {
    const double seconds = static_cast<double>(facts.retry_after().seconds()) +
                           static_cast<double>(facts.retry_after().nanos()) / 1e9;
    response.headers.emplace_back("Retry-After", absl::StrCat(std::ceil(seconds)));
  }
  if (http_status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

HttpResponse ErrorResponse(const absl::Status& error) {
  return ErrorResponse(HttpStatusOf(error.code()), error);
}

HttpResponse BadRequest(int http_status, std::string_view message) {
  return ErrorResponse(http_status, storage::Error(storage::Reason::kMalformedRequest, message));
}

HttpResponse JsonResponse(std::string json) {
  return {.status = 200, .content_type = "application/json", .body = Pieces(std::move(json))};
}

std::string_view HttpReason(int status) {
  static const auto& reasons =
      *new std::map<int, std::string_view>{{200, "OK"},
                                           {204, "No Content"},
                                           {304, "Not Modified"},
                                           {400, "Bad Request"},
                                           {401, "Unauthorized"},
                                           {403, "Forbidden"},
                                           {404, "Not Found"},
                                           {405, "Method Not Allowed"},
                                           {408, "Request Timeout"},
                                           {409, "Conflict"},
                                           {411, "Length Required"},
                                           {413, "Content Too Large"},
                                           {414, "URI Too Long"},
                                           {415, "Unsupported Media Type"},
                                           {429, "Too Many Requests"},
                                           {431, "Request Header Fields Too Large"},
                                           {500, "Internal Server Error"},
                                           {501, "Not Implemented"},
                                           {503, "Service Unavailable"}};
  const auto it = reasons.find(status);
  return it == reasons.end() ? "Unknown" : it->second;
}

std::optional<std::string> PathOf(std::string_view target) {
  if (target.empty() || target.front() != '/') return std::nullopt;
  return Decoded(target.substr(0, target.find('?')), false);
}

std::optional<HttpQuery> QueryOf(std::string_view target) {
  HttpQuery query;
  const size_t mark = target.find('?');
  if (mark == std::string_view::npos || mark + 1 == target.size()) return query;
  const std::string text(target.substr(mark + 1));
  for (const auto part : absl::StrSplit(text, '&', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(part, absl::MaxSplits('=', 1));
    auto name = Decoded(pair.first, true);
    auto value = Decoded(pair.second, true);
    if (!name || !value) return std::nullopt;
    query.emplace_back(*std::move(name), *std::move(value));
  }
  return query;
}

bool HasMediaType(std::string_view content_type, std::string_view media_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  const auto trimmed = absl::StripAsciiWhitespace({type.data(), type.size()});
  return absl::EqualsIgnoreCase(trimmed, {media_type.data(), media_type.size()});
}

}  // namespace millrace::server
