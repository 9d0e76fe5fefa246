// Everything of the web port that is one request and one answer: routing, records, calls, files,
// health. Sockets, WebSockets and event streams are elsewhere.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "server/contract/call_watch.h"
#include "server/hub/hub.h"
#include "server/web/call_table.h"
#include "server/web/http_message.h"
#include "server/web/static_files.h"

namespace millrace::server {

struct HttpApiOptions {
  std::string version;  // Of the hub program.
  // Where calls are noted.
  std::shared_ptr<CallWatch> watch = std::make_shared<CallWatch>();
  // The text of /metrics; may be empty: there is none. Runs on a thread of its own and may block.
  std::function<std::string()> metrics;
  absl::Span<const StaticFile> console;
};

// Threads: any.
class HttpApi {
 public:
  // `hub` outlives this object, and this object the requests.
  HttpApi(hub::Hub& hub, HttpApiOptions options);

  // Calls `answer` once, inside of the call or later from another thread. Never blocks.
  void Handle(HttpRequest request, HttpAnswer answer);

  CallWatch& watch() { return *watch_; }

  // The answer that can be given before the body is read, if that is so: no such path, method or
  // content type. With it nobody has to send a body in vain.
  std::optional<HttpResponse> Refusal(const HttpRequest& request) const;

 private:
  struct Route;

  void Get(std::string_view path, const HttpRequest& request, HttpAnswer answer);
  void Produce(const std::string& topic, const HttpRequest& request, HttpAnswer answer);
  void Call(const std::string& method, HttpRequest request, HttpAnswer answer);

  hub::Hub& hub_;
  const std::shared_ptr<CallWatch> watch_;
  ServedMethod& produce_;
  CallTable calls_;
  const std::function<std::string()> metrics_;
  const StaticFiles console_;
  hub::Executor scrapes_;  // Not the hub's workers: where those are stuck, this should be seen.
};

}  // namespace millrace::server
