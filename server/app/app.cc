#include "server/app/app.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/access/access.h"
#include "server/app/engines.h"
#include "server/app/hub_log.h"
#include "server/app/log.h"
#include "server/app/port_file.h"
#include "server/app/settings.h"
#include "server/app/stop_signals.h"
#include "server/app/watchdog.h"
#include "server/grpc/grpc_server.h"
#include "server/grpc/guarded_connections.h"
#include "server/hub/hub.h"
#include "server/metrics/metrics.h"
#include "server/tls/tls_files.h"
#include "server/tls/tls_watch.h"
#include "server/web/static_files.h"
#include "server/web/web_server.h"
#include "storage/clock.h"

namespace millrace::server {
namespace {

constexpr int kFailed = 1;
constexpr int kSetWrong = 2;
constexpr absl::Duration kHousekeepingInterval = absl::Hours(1);
constexpr absl::Duration kTlsInterval = absl::Seconds(1);
constexpr absl::Duration kAccessInterval = absl::Seconds(1);
// Of the drain's time: what calls may take. The rest is for closing the log.
constexpr double kShareForCalls = 0.7;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

int CannotStart(const absl::Status& status) {
  std::cerr << "millrace-server: " << status.message() << "\n";
  return kFailed;
}

// Connections need descriptors, and the usual soft limit of 1,024 is soon reached. Where the hard
// limit is low too, fewer connections are taken, so that the log always has some left; the web has
// to leave half of them to gRPC.
void FitConnections(hub::Limits& limits, WebLimits& web) {
  rlimit descriptors;
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return;
  descriptors.rlim_cur = descriptors.rlim_max;
  setrlimit(RLIMIT_NOFILE, &descriptors);
  constexpr rlim_t kShareForFiles = 4;
  const rlim_t room = descriptors.rlim_cur - descriptors.rlim_cur / kShareForFiles;
  const auto wanted = static_cast<rlim_t>(limits.max_connections);
  const auto wanted_by_web = static_cast<rlim_t>(web.max_connections);
  if (room >= wanted + wanted_by_web) return;
  const rlim_t left = room > wanted_by_web ? room - wanted_by_web : 0;
  const rlim_t given = std::min(wanted, std::max(left, room / 2));
  limits.max_connections = static_cast<int32_t>(given);
  web.max_connections = static_cast<int32_t>(std::min(wanted_by_web, room - given));
  Log(LogLevel::kWarn, "fewer connections than set",
      {{"max_connections", absl::StrCat(limits.max_connections)},
       {"web_max_connections", absl::StrCat(web.max_connections)},
       {"open_files_limit", absl::StrCat(descriptors.rlim_cur)}});
}

// After a failed fsync nothing may be believed that is not read back by a new process: exits at
// once, without a destructor.
[[noreturn]] void ExitOnFailure(const absl::Status& status) {
  Log(LogLevel::kError, "log failed", {{"reason", Text(status)}});
  _exit(kFailed);
}

// Forgets producers and groups that nobody has used for long.
void KeepHouse(hub::Hub& hub) {
  hub.workers().Post([&hub] {
    absl::Status status = hub.engine().ExpireProducers(hub.limits().producer_idle_expiry);
    status.Update(hub.groups().ExpireIdle(absl::Now() - hub.limits().group_idle_expiry));
    if (!status.ok()) Log(LogLevel::kWarn, "housekeeping failed", {{"reason", Text(status)}});
  });
}

std::string WithPort(const std::string& listen, int port) {
  return absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
}

std::string TlsName(const Settings& settings) {
  if (!settings.has_tls()) return "none";
  return settings.tls.client_ca.empty() ? "server" : "mutual";
}

void WarnOfUnguardedConnections() {
  if (ConnectionsAreGuarded()) return;
  Log(LogLevel::kWarn, "attacks on gRPC are not held",
      {{"reason", "this program does not see what gRPC reads"}});
}

void LogStart(const Settings& settings, storage::Engine& engine, int port, const WebServer* web) {
  Log(LogLevel::kInfo, "hub started",
      {{"version", MILLRACE_VERSION},
       {"engine", std::string(engine.name())},
       {"listen", WithPort(settings.listen, port)},
       {"web_listen", web == nullptr ? "none" : WithPort(settings.web.listen, web->port())},
       {"tls", TlsName(settings)},
       {"access", settings.access_file.empty() ? "open" : "by rules"},
       {"data_dir", settings.data_dir.empty() ? "none" : settings.data_dir},
       {"hub_id", engine.hub_id()},
       {"log_epoch", absl::StrCat(engine.log_epoch().value())}});
}

// From the signal on, the process has so long to end.
void BoundTheEnd(absl::Duration drain_timeout, std::optional<Watchdog>& watchdog) {
  watchdog.emplace(drain_timeout, [] {
    Log(LogLevel::kError, "not drained in time", {});
    _exit(kFailed);
  });
}

// Null where there is to be none.
absl::StatusOr<std::unique_ptr<WebServer>> StartWeb(const Settings& settings, hub::Hub& hub,
                                                    std::optional<TlsMaterial> tls,
                                                    std::shared_ptr<CallWatch> watch,
                                                    const Metrics& metrics) {
  if (!settings.serves_web()) return nullptr;
  WebServerOptions options = settings.web;
  options.tls = std::move(tls);
  options.api.version = MILLRACE_VERSION;
  options.api.watch = std::move(watch);
  options.api.metrics = [&metrics] { return metrics.Text(); };
  options.api.console = ConsoleFiles();
  return WebServer::Start(hub, std::move(options));
}

absl::Status WritePortFiles(const Settings& settings, int port, const WebServer* web) {
  absl::Status status;
  if (!settings.port_file.empty()) status = WritePortFile(settings.port_file, port);
  if (!settings.web_port_file.empty() && web != nullptr) {
    status.Update(WritePortFile(settings.web_port_file, web->port()));
  }
  return status;
}

// Both drain at the same time: what the hub ends is told on either side.
void StopServing(GrpcServer& server, WebServer* web, absl::Duration grace) {
  const absl::Time deadline = absl::Now() + grace;
  if (web != nullptr) web->Drain();
  server.Stop(grace);
  if (web != nullptr) web->Stop(std::max(deadline - absl::Now(), absl::ZeroDuration()));
}

// What the listeners show, where they are to speak TLS.
absl::StatusOr<std::optional<TlsMaterial>> LoadTlsOf(const Settings& settings) {
  if (!settings.has_tls()) return std::nullopt;
  auto material = LoadTls(settings.tls, absl::Now());
  if (!material.ok()) return material.status();
  return *std::move(material);
}

// Gives the web port what is new in the files; gRPC looks at them itself.
void WatchTls(const Settings& settings, const TlsMaterial& material, WebServer* web,
              std::optional<TlsWatch>& watch) {
  const auto refused = [](const absl::Status& status) {
    Log(LogLevel::kError, "certificate not taken", {{"reason", Text(status)}});
  };
  const auto changed = [web, refused](const TlsMaterial& found) {
    if (web != nullptr) {
      if (absl::Status status = web->UseTls(found); !status.ok()) return refused(status);
    }
    Log(LogLevel::kInfo, "certificate taken",
        {{"expires", absl::FormatTime(absl::RFC3339_sec, found.expires_at, absl::UTCTimeZone())}});
  };
  watch.emplace(settings.tls, material, kTlsInterval, TlsWatch::Handlers{changed, refused});
}

bool IsLoopback(const std::string& listen) {
  const std::string host = listen.substr(0, listen.rfind(':'));
  return host == "localhost" || host == "[::1]" || host.compare(0, 4, "127.") == 0;
}

// Null where everybody may do everything.
absl::StatusOr<std::unique_ptr<Access>> OpenAccess(const Settings& settings) {
  if (settings.access_file.empty()) return nullptr;
  const bool reachable =
      !IsLoopback(settings.listen) || (settings.serves_web() && !IsLoopback(settings.web.listen));
  if (!settings.has_tls() && reachable) {
    Log(LogLevel::kWarn, "tokens travel in clear",
        {{"reason", "--access-file without --tls-cert, on an address that others reach"}});
  }
  return Access::Open({.file = settings.access_file,
                       .interval = kAccessInterval,
                       .refused = [](const absl::Status& status) {
                         Log(LogLevel::kError, "access file not taken", {{"reason", Text(status)}});
                       }});
}

// Serves until a signal comes; then drains. `access` is null where there are no rules.
absl::Status Serve(const Settings& settings, const std::optional<TlsMaterial>& tls, Access* access,
                   hub::Hub& hub, StopSignals& signals, std::optional<Watchdog>& watchdog) {
  const auto watch =
      std::make_shared<CallWatch>(CallWatchOptions{.admin_log = LogAdminAction,
                                                   .refusal_log = LogRefusal,
                                                   .refused_connection_log = LogRefusedConnection,
                                                   .access = access,
                                                   .max_stream_age = settings.max_stream_age});
  std::shared_ptr<const void> access_told;
  if (access != nullptr) {
    access_told = access->OnChange([] { Log(LogLevel::kInfo, "access file taken"); });
  }
  const Metrics metrics(hub, *watch,
                        {.version = MILLRACE_VERSION,
                         .max_labels = static_cast<size_t>(settings.metrics_max_labels)});
  auto server = GrpcServer::Start(
      hub, {.listen = settings.listen,
            .tls = settings.has_tls() ? std::optional(settings.tls) : std::nullopt,
            .max_connections_per_address = settings.max_connections_per_address,
            .max_streams_per_address = settings.max_streams_per_address,
            .version = MILLRACE_VERSION,
            .watch = watch});
  if (!server.ok()) return server.status();
  const auto web = StartWeb(settings, hub, tls, watch, metrics);
  if (!web.ok()) return web.status();
  std::optional<TlsWatch> tls_watch;
  if (tls) WatchTls(settings, *tls, web->get(), tls_watch);
  const int port = (*server)->port();
  LogStart(settings, hub.engine(), port, web->get());
  WarnOfUnguardedConnections();
  if (absl::Status status = WritePortFiles(settings, port, web->get()); !status.ok()) return status;
  const char* signal = nullptr;
  while ((signal = signals.Wait(kHousekeepingInterval)) == nullptr) KeepHouse(hub);
  Log(LogLevel::kInfo, "draining", {{"signal", signal}});
  signals.LetThemKill();
  BoundTheEnd(settings.drain_timeout, watchdog);
  StopServing(**server, web->get(), settings.drain_timeout * kShareForCalls);
  return absl::OkStatus();
}

}  // namespace

int RunServer(int argc, const char* const* argv) {
  StopSignals signals;
  auto read = ReadSettings(argc, argv, MILLRACE_VERSION);
  if (const auto* exit = std::get_if<ExitNow>(&read)) return exit->status;
  Settings settings = std::get<Settings>(std::move(read));
  StartLog(settings.log_level, settings.log_format);
  const auto tls = LoadTlsOf(settings);
  if (!tls.ok()) return CannotStart(tls.status());
  const auto access = OpenAccess(settings);
  if (!access.ok()) {
    CannotStart(access.status());
    return kSetWrong;
  }
  FitConnections(settings.hub.limits, settings.web.limits);

  auto engine = OpenEngine(settings, ExitOnFailure);
  if (!engine.ok()) return CannotStart(engine.status());
  std::optional<Watchdog> watchdog;
  {
    HubLog hub_log;
    settings.hub.observer = &hub_log;
    hub::Hub hub(**engine, storage::Clock::System(), settings.hub);
    if (absl::Status status = Serve(settings, *tls, access->get(), hub, signals, watchdog);
        !status.ok()) {
      return CannotStart(status);
    }
  }
  if (absl::Status status = (*engine)->Close(); !status.ok()) {
    Log(LogLevel::kError, "log not closed", {{"reason", Text(status)}});
    return kFailed;
  }
  Log(LogLevel::kInfo, "hub stopped");
  return 0;
}

}  // namespace millrace::server
