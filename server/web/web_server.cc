#include "server/web/web_server.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "server/web/listener.h"

namespace millrace::server {
namespace {

// Often enough for the shortest time that is watched.
absl::Duration TickFor(const WebLimits& limits) {
  const absl::Duration shortest = std::min(
      {limits.header_timeout, limits.message_timeout, limits.write_timeout, limits.idle_timeout});
  return std::clamp(shortest / 8, absl::Milliseconds(20), absl::Seconds(1));
}

}  // namespace

struct WebServer::Parts {
  Parts(hub::Hub& hub, WebServerOptions& options)
      : context(hub, std::move(options.api), options.limits),
        attendance(options.limits, context.watch()) {
    for (int i = 0; i < options.io_threads; ++i) {
      threads.push_back(std::make_unique<IoThread>(TickFor(options.limits)));
    }
  }

  WebContext context;
  WebTls tls;
  Attendance attendance;
  std::vector<std::unique_ptr<IoThread>> threads;
  std::unique_ptr<Listener> listener;
  int port = 0;
};

WebServer::WebServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

WebServer::~WebServer() { Stop(absl::ZeroDuration()); }

absl::StatusOr<std::unique_ptr<WebServer>> WebServer::Start(hub::Hub& hub,
                                                            WebServerOptions options) {
  auto listening = Listen(options.listen);
  if (!listening.ok()) return listening.status();
  auto parts = std::make_unique<Parts>(hub, options);
  if (options.tls) {
    if (absl::Status status = parts->tls.Use(*options.tls); !status.ok()) return status;
  }
  parts->port = listening->port;
  parts->listener = std::make_unique<Listener>(parts->context, parts->tls, parts->threads,
                                               parts->attendance, *std::move(listening));
  return std::unique_ptr<WebServer>(new WebServer(std::move(parts)));
}

absl::Status WebServer::UseTls(const TlsMaterial& material) { return parts_->tls.Use(material); }

int WebServer::port() const { return parts_->port; }

int WebServer::connection_count() const { return parts_->attendance.count(); }

void WebServer::Drain() {
  parts_->listener->Stop();
  for (const auto& thread : parts_->threads) thread->DrainAll();
}

void WebServer::Stop(absl::Duration grace) {
  if (parts_ == nullptr) return;
  Drain();
  if (!parts_->attendance.WaitUntilEmpty(grace)) {
    for (const auto& thread : parts_->threads) thread->AbortAll();
    // What the hub still works on for a connection posts to its thread when it is done.
    parts_->attendance.WaitUntilEmpty(absl::Hours(24));
  }
  parts_.reset();
}

}  // namespace millrace::server
