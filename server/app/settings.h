// Everything that can be set about a hub, and how: flags, MILLRACE_… variables and a configuration
// file, in this order of precedence. `millrace-server --help` lists them with their defaults, which
// are those of this struct.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/app/log.h"
#include "server/hub/hub.h"
#include "server/tls/tls_files.h"
#include "server/web/web_server.h"

namespace millrace::server {

enum class EngineKind { kRocksDb, kMemory };

struct Settings {
  EngineKind engine = EngineKind::kRocksDb;
  std::string data_dir;
  bool accept_data_loss = false;
  std::string listen = "localhost:9640";        // HOST:PORT; port 0: any that is free.
  std::string port_file;                        // Empty: none is written.
  int32_t max_connections_per_address = 1'000;  // Over gRPC. 0: no limit.
  int32_t max_streams_per_address = 10'000;     // As well.
  TlsFiles tls;                                 // Of both listeners.
  std::string access_file;                      // Empty: everybody may do everything.
  std::optional<absl::Duration> max_stream_age;
  WebServerOptions web;              // Without what the program adds.
  std::string web_port_file;         // Empty: none is written.
  int32_t metrics_max_labels = 100;  // Topics, and groups, with series of their own.
  absl::Duration drain_timeout = absl::Seconds(10);

  hub::HubOptions hub;
  int32_t producer_window = 128;  // Outcomes kept per producer.
  int64_t tail_cache_bytes = int64_t{64} << 20;
  int64_t write_queue_bytes = int64_t{64} << 20;
  bool allow_large_records = false;

  bool has_tls() const { return !tls.certificates.empty(); }

  // Whether there is a web port: --web-listen is not "none".
  bool serves_web() const { return web.listen != "none"; }

  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
};

// The process ends now, with this status: --help and --version (0) or a bad setting (2). What there
// was to say has been printed.
struct ExitNow {
  int status = 0;
};

// Reads the settings. `version` is what --version prints.
std::variant<Settings, ExitNow> ReadSettings(int argc, const char* const* argv,
                                             const std::string& version);

// Whether the settings make sense together. InvalidArgument: a sentence that names the flag.
absl::Status CheckSettings(const Settings& settings);

}  // namespace millrace::server
