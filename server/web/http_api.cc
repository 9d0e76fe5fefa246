#include "server/web/http_api.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/web/produce_request.h"
#include "storage/error.h"

namespace millrace::server {

// What a path stands for.
struct HttpApi::Route {
  enum class Kind { kGet, kProduce, kCall, kNone };
  Kind kind = Kind::kNone;
  std::string rest;  // The path, the topic or the method.

  static Route Of(std::string_view path);
};

namespace {

constexpr std::string_view kTopics = "/v1/topics/";
constexpr std::string_view kRecords = "/records";
constexpr std::string_view kCall = "/v1/call/";
constexpr std::string_view kVersion = "/v1/";

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool EndsWith(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

HttpResponse PlainText(int status, std::string text) {
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .headers = {{"Cache-Control", "no-store"}},
          .body = Pieces(std::move(text))};
}

bool IsRead(std::string_view method) { return method == "GET" || method == "HEAD"; }

HttpResponse WrongMethod(std::string_view allowed) {
  HttpResponse response = BadRequest(405, absl::StrCat("this path takes ", std::string(allowed)));
  response.headers.emplace_back("Allow", std::string(allowed));
  return response;
}

}  // namespace

HttpApi::Route HttpApi::Route::Of(std::string_view path) {
  if (StartsWith(path, kCall)) return {Kind::kCall, std::string(path.substr(kCall.size()))};
  if (StartsWith(path, kTopics) && EndsWith(path, kRecords)) {
    path.remove_prefix(kTopics.size());
    if (path.size() < kRecords.size()) return {};
    path.remove_suffix(kRecords.size());
    return {Kind::kProduce, std::string(path)};
  }
  if (StartsWith(path, kVersion)) return {};
  return {Kind::kGet, std::string(path)};
}

HttpApi::HttpApi(hub::Hub& hub, HttpApiOptions options)
    : hub_(hub),
      watch_(std::move(options.watch)),
      produce_(watch_->Method(Transport::kHttp, "EventHubService/Produce")),
      calls_(hub, *watch_, std::move(options.version)),
      metrics_(std::move(options.metrics)),
      console_(options.console),
      scrapes_("scrapes", 1) {}

std::optional<HttpResponse> HttpApi::Refusal(const HttpRequest& request) const {
  const auto path = PathOf(request.target);
  if (!path) return BadRequest(400, "the path is malformed");
  switch (Route::Of(*path).kind) {
    case Route::Kind::kNone:
      return BadRequest(404, "there is nothing at this path");
    case Route::Kind::kGet:
      if (!IsRead(request.method)) return WrongMethod("GET, HEAD");
      break;
    case Route::Kind::kProduce:
      if (request.method != "POST") return WrongMethod("POST");
      if (!TakesRecordsAs(request.content_type)) {
        return BadRequest(415,
                          "records come as application/json, application/octet-stream or "
                          "application/x-protobuf");
      }
      break;
    case Route::Kind::kCall:
      if (request.method != "POST") return WrongMethod("POST");
      if (!HasMediaType(request.content_type, "application/json")) {
        return BadRequest(415, "a call comes as application/json");
      }
      break;
  }
  return std::nullopt;
}

void HttpApi::Handle(HttpRequest request, HttpAnswer answer) {
  if (auto refusal = Refusal(request)) return std::move(answer)(*std::move(refusal));
  Route route = Route::Of(*PathOf(request.target));
  switch (route.kind) {
    case Route::Kind::kProduce:
      return Produce(route.rest, request, std::move(answer));
    case Route::Kind::kCall:
      return Call(route.rest, std::move(request), std::move(answer));
    default:
      return Get(route.rest, request, std::move(answer));
  }
}

void HttpApi::Get(std::string_view path, const HttpRequest& request, HttpAnswer answer) {
  if (path == "/healthz") return std::move(answer)(PlainText(200, "ok\n"));
  if (path == "/readyz") {
    const bool ready = hub_.Admit().ok();
    return std::move(answer)(PlainText(ready ? 200 : 503, ready ? "ready\n" : "draining\n"));
  }
  if (path == "/metrics" && metrics_) {
    if (watch_->access() != nullptr) {
      ServedMethod& scrape = watch_->Method(Transport::kHttp, "metrics");
      const absl::Status status = scrape.Admit(request.caller, MetricsRequest{});
      scrape.NoteEnd(status);
      if (!status.ok()) return std::move(answer)(ErrorResponse(status));
    }
    return scrapes_.Post([this, answer = std::move(answer)]() mutable {
      HttpResponse response = PlainText(200, metrics_());
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      std::move(answer)(std::move(response));
    });
  }
  std::move(answer)(console_.Get(path, request.if_none_match));
}

void HttpApi::Produce(const std::string& topic, const HttpRequest& request, HttpAnswer answer) {
  const auto refuse = [&](const absl::Status& status) {
    produce_.NoteEnd(status);
    std::move(answer)(ErrorResponse(status));
  };
  if (absl::Status status = hub_.Admit(); !status.ok()) return refuse(status);
  auto command = ToProduceCommand(request, topic, hub_.limits());
  if (!command.ok()) return refuse(command.status());
  absl::Status admitted =
      produce_.Admit(request.caller, *command, static_cast<int64_t>(request.body.size()));
  if (!admitted.ok()) return refuse(admitted);
  command->on_calling_thread = false;  // It serves other connections.
  hub_.producing().Produce(
      *std::move(command),
      [this, as_protobuf = IsProtobuf(request.content_type),
       answer = std::move(answer)](absl::StatusOr<hub::ProduceOutcome> outcome) mutable {
        produce_.NoteEnd(outcome.status());
        std::move(answer)(outcome.ok() ? ProduceAnswer(*outcome, as_protobuf)
                                       : ErrorResponse(outcome.status()));
      });
}

void HttpApi::Call(const std::string& method, HttpRequest request, HttpAnswer answer) {
  calls_.Call(method, std::move(request.body), std::move(request.caller),
              [answer = std::move(answer)](absl::StatusOr<std::string> json) mutable {
                if (json.ok()) return std::move(answer)(JsonResponse(*std::move(json)));
                const bool no_such_call =
                    storage::ReasonOf(json.status()) == storage::Reason::kUnsupported;
                std::move(answer)(no_such_call ? ErrorResponse(404, json.status())
                                               : ErrorResponse(json.status()));
              });
}

}  // namespace millrace::server
