#include "server/app/settings.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <vector>

#include "absl/strings/str_split.h"
#include "server/app/quantity.h"

namespace millrace::server {
namespace {

// "--data-dir" -> "MILLRACE_DATA_DIR".
std::string EnvironmentName(std::string flag) {
  flag.erase(0, 2);
  std::transform(flag.begin(), flag.end(), flag.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return "MILLRACE_" + flag;
}

// Declares the settings, each as a flag, a variable and an entry of the configuration file.
class Declaration {
 public:
  explicit Declaration(CLI::App& app) : app_(app) {}

  void Group(std::string name) { group_ = std::move(name); }

  void Text(const std::string& flag, std::string& target, const std::string& kind,
            const std::string& description) {
    Add(flag, kind, target, description, [&target](const std::string& text) {
      target = text;
      return absl::OkStatus();
    });
  }

  void Switch(const std::string& flag, bool& target, const std::string& description) {
    app_.add_flag(flag, target, description)->envname(EnvironmentName(flag))->group(group_);
  }

  template <typename Number>
  void Count(const std::string& flag, Number& target, const std::string& description) {
    Add(flag, "N", std::to_string(target), description, [&target](const std::string& text) {
      int64_t number = 0;
      if (!CLI::detail::lexical_cast(text, number) || number != static_cast<Number>(number)) {
        return absl::InvalidArgumentError("\"" + text + "\" is no whole number");
      }
      target = static_cast<Number>(number);
      return absl::OkStatus();
    });
  }

  void Bytes(const std::string& flag, int64_t& target, const std::string& description) {
    Parsed(flag, "SIZE", BytesText(target), target, ParseBytes, description);
  }

  void Span(const std::string& flag, absl::Duration& target, const std::string& description) {
    Parsed(flag, "TIME", TimeSpanText(target), target, ParseTimeSpan, description);
  }

  // Zero, the default, is absence.
  void OptionalBytes(const std::string& flag, std::optional<int64_t>& target,
                     const std::string& description) {
    Add(flag, "SIZE", "0", description, [&target](const std::string& text) {
      const auto bytes = ParseBytes(text);
      if (bytes.ok() && *bytes > 0) target = *bytes;
      return bytes.status();
    });
  }
  void OptionalSpan(const std::string& flag, std::optional<absl::Duration>& target,
                    const std::string& description) {
    Add(flag, "TIME", "0", description, [&target](const std::string& text) {
      const auto span = ParseTimeSpan(text);
      if (span.ok() && *span > absl::ZeroDuration()) target = *span;
      return span.status();
    });
  }

  // Words separated by commas; none by default.
  void List(const std::string& flag, std::vector<std::string>& target, const std::string& kind,
            const std::string& description) {
    Add(flag, kind, "", description, [&target](const std::string& text) {
      target = absl::StrSplit(text, ',', absl::SkipEmpty());
      return absl::OkStatus();
    });
  }

  // One of a few words; the first is the default.
  template <typename Enum>
  void Word(const std::string& flag, Enum& target,
            const std::vector<std::pair<std::string, Enum>>& words,
            const std::string& description) {
    std::string kind;
    std::string shown;
    for (const auto& [word, value] : words) {
      kind += (kind.empty() ? "" : "|") + word;
      if (value == target) shown = word;
    }
    Add(flag, kind, shown, description, [&target, words, kind](const std::string& text) {
      for (const auto& [word, value] : words) {
        if (word != text) continue;
        target = value;
        return absl::OkStatus();
      }
      return absl::InvalidArgumentError("\"" + text + "\" is none of " + kind);
    });
  }

 private:
  template <typename T, typename Parse>
  void Parsed(const std::string& flag, const std::string& kind, const std::string& shown, T& target,
              Parse parse, const std::string& description) {
    Add(flag, kind, shown, description, [&target, parse](const std::string& text) {
      const auto value = parse(text);
      if (value.ok()) target = *value;
      return value.status();
    });
  }

  void Add(const std::string& flag, const std::string& kind, const std::string& shown,
           const std::string& description, std::function<absl::Status(const std::string&)> take) {
    app_.add_option_function<std::string>(
            flag,
            [flag, take = std::move(take)](const std::string& text) {
              const absl::Status status = take(text);
              if (!status.ok()) throw CLI::ValidationError(flag, std::string(status.message()));
            },
            description)
        ->type_name(kind)
        ->default_str(shown)
        ->envname(EnvironmentName(flag))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
        ->group(group_);
  }

  CLI::App& app_;
  std::string group_;
};

void DeclareHub(Declaration& declare, Settings& settings) {
  declare.Group("Hub");
  declare.Text("--data-dir", settings.data_dir, "DIR",
               "where the log is kept; made if it is not there");
  declare.Switch(
      "--accept-data-loss", settings.accept_data_loss,
      "open a log that is damaged, without what is missing of it; reads all of it first");
  declare.Text("--listen", settings.listen, "HOST:PORT",
               "where gRPC is served; port 0 takes any that is free");
  declare.Text("--port-file", settings.port_file, "FILE",
               "write the port to this file once the hub serves");
  declare.Word<EngineKind>("--engine", settings.engine,
                           {{"rocksdb", EngineKind::kRocksDb}, {"memory", EngineKind::kMemory}},
                           "what keeps the log; memory forgets everything when the hub stops");
  declare.Span("--drain-timeout", settings.drain_timeout,
               "how long SIGTERM lets calls finish before the hub exits");
  declare.Word<LogLevel>("--log-level", settings.log_level,
                         {{"debug", LogLevel::kDebug},
                          {"info", LogLevel::kInfo},
                          {"warn", LogLevel::kWarn},
                          {"error", LogLevel::kError}},
                         "the least important events that are logged");
  declare.Word<LogFormat>("--log-format", settings.log_format,
                          {{"text", LogFormat::kText}, {"json", LogFormat::kJson}},
                          "how events are logged");
}

void DeclareTls(Declaration& declare, Settings& settings) {
  declare.Group("TLS, of gRPC and the web; files that are replaced are taken while the hub runs");
  declare.Text("--tls-cert", settings.tls.certificates, "FILE",
               "the hub's certificate, then those that vouch for it, as PEM");
  declare.Text("--tls-key", settings.tls.key, "FILE", "its private key, as PEM");
  declare.Text("--tls-client-ca", settings.tls.client_ca, "FILE",
               "clients must show a certificate that one of these vouches for, as PEM");
}

void DeclareAccess(Declaration& declare, Settings& settings) {
  declare.Group("Access");
  declare.Text(
      "--access-file", settings.access_file, "FILE",
      "who may do what, as JSON; what no rule of it allows is refused; taken anew while the "
      "hub runs when it is replaced. Without it everybody may do everything");
}

void DeclareWeb(Declaration& declare, Settings& settings) {
  WebLimits& limits = settings.web.limits;
  declare.Group("Web");
  declare.Text("--web-listen", settings.web.listen, "HOST:PORT",
               "where browsers and plain HTTP are served; port 0 takes any that is free; none: "
               "nowhere");
  declare.Text("--web-port-file", settings.web_port_file, "FILE",
               "write the web port to this file once it serves");
  declare.List("--web-allow-origin", limits.allowed_origins, "ORIGIN,...",
               "origins besides its own whose pages may use the hub");
  declare.Count("--web-max-connections", limits.max_connections, "web connections");
  declare.Count("--web-max-connections-per-address", limits.max_connections_per_address,
                "web connections from one IPv4 address or IPv6 /64; 0: no limit");
  declare.Bytes("--web-max-message-bytes", limits.max_message_bytes,
                "a WebSocket message, or an HTTP body, that a client sends");
  declare.Span("--web-header-timeout", limits.header_timeout,
               "for a request's header and the WebSocket handshake");
  declare.Span("--web-message-timeout", limits.message_timeout,
               "for a body or a WebSocket message, from its first byte");
  declare.Span("--web-write-timeout", limits.write_timeout,
               "how long a client may take no byte of what it is sent");
  declare.Span("--web-idle-timeout", limits.idle_timeout,
               "between two requests; and until a silent WebSocket is given up");
}

void DeclareMetrics(Declaration& declare, Settings& settings) {
  declare.Group("Metrics");
  declare.Count("--metrics-max-labels", settings.metrics_max_labels,
                "topics, and groups, that have series of their own at /metrics; the others share "
                "one");
}

void DeclareTopics(Declaration& declare, Settings& settings) {
  hub::Topics::Options& topics = settings.hub.topics;
  declare.Group("Topics");
  declare.Word<storage::Durability>(
      "--default-durability", settings.hub.default_durability,
      {{"synced", storage::Durability::kSynced}, {"buffered", storage::Durability::kBuffered}},
      "what a request gets that does not say");
  declare.Count("--auto-create-topics", topics.auto_create_partitions,
                "create a topic that is produced to and missing, with N partitions; 0: never");
  declare.OptionalSpan("--default-retention-age", topics.default_retention.max_age,
                       "how long a new topic keeps records that says nothing else; 0: forever");
  declare.OptionalBytes("--default-retention-bytes", topics.default_retention.max_partition_bytes,
                        "how much a partition of such a topic keeps; 0: everything");
}

void DeclareGroups(Declaration& declare, Settings& settings) {
  declare.Group("Consumer groups");
  declare.Span("--group-rejoin-grace", settings.hub.groups.rejoin_grace,
               "how long a member's partitions wait for it when its stream broke; for members with "
               "an instance_id");
  declare.Span("--group-settle-time", settings.hub.groups.settle_time,
               "the same for members without one, when the hub has restarted or has ended "
               "their stream at --max-stream-age");
}

void DeclareMemory(Declaration& declare, Settings& settings) {
  declare.Group("Memory");
  declare.Bytes("--tail-cache-bytes", settings.tail_cache_bytes,
                "newest records, shared by all readers");
  declare.Bytes("--write-queue-bytes", settings.write_queue_bytes,
                "records that wait to be written; beyond it producers are held back");
  declare.Bytes("--frame-budget-bytes", settings.hub.frame_budget_bytes,
                "records on their way to readers");
}

void DeclareLimits(Declaration& declare, Settings& settings) {
  hub::Limits& limits = settings.hub.limits;
  declare.Group("Limits");
  declare.Bytes("--max-record-bytes", limits.max_record_bytes, "an encoded record");
  declare.Switch(
      "--allow-large-records", settings.allow_large_records,
      "allow --max-record-bytes above 4MiB - 64KiB, which most clients refuse to receive");
  declare.Bytes("--max-request-bytes", limits.max_request_bytes, "an encoded request");
  declare.Count("--max-request-records", limits.max_request_records, "records of a request");
  declare.Bytes("--max-key-bytes", limits.max_key_bytes, "a record's key");
  declare.Count("--max-record-headers", limits.max_record_headers, "headers of a record");
  declare.Bytes("--max-frame-bytes", limits.max_frame_bytes,
                "the largest frame that a reader may ask for");
  declare.Bytes("--max-commit-metadata-bytes", limits.max_commit_metadata_bytes,
                "metadata of a committed offset");
  declare.Bytes("--max-metadata-bytes", limits.max_metadata_bytes, "HTTP/2 headers of a call");
  declare.Count("--max-topics", limits.max_topics, "topics");
  declare.Count("--max-topic-partitions", limits.max_topic_partitions, "partitions of a topic");
  declare.Count("--max-groups", limits.max_groups, "consumer groups");
  declare.Count("--max-group-members", limits.max_group_members, "members of a group");
  declare.Count("--max-subscriptions", limits.max_subscriptions, "open subscriptions");
  declare.Count("--max-connections", limits.max_connections, "connections");
  declare.Count("--max-connections-per-address", settings.max_connections_per_address,
                "connections from one IPv4 address or IPv6 /64; 0: no limit");
  declare.Count("--max-streams-per-address", settings.max_streams_per_address,
                "gRPC streams open from one IPv4 address or IPv6 /64; 0: no limit");
  declare.OptionalSpan(
      "--max-stream-age", settings.max_stream_age,
      "the age, give or take a tenth, at which a stream is ended so that its client "
      "connects again, to a hub that is new, say; 0: never");
  declare.Count("--producer-window", settings.producer_window,
                "answers kept per producer, for repeated requests");
  declare.Span("--producer-idle-expiry", limits.producer_idle_expiry,
               "a producer that is idle for so long is forgotten");
  declare.Span("--group-idle-expiry", limits.group_idle_expiry,
               "a group that is empty for so long is forgotten");
  declare.Span("--max-revoke-timeout", limits.max_revoke_timeout,
               "the longest that a member may hold a revoked partition");
}

void Declare(CLI::App& app, Settings& settings) {
  Declaration declare(app);
  DeclareHub(declare, settings);
  DeclareTls(declare, settings);
  DeclareAccess(declare, settings);
  DeclareWeb(declare, settings);
  DeclareMetrics(declare, settings);
  DeclareTopics(declare, settings);
  DeclareGroups(declare, settings);
  DeclareMemory(declare, settings);
  DeclareLimits(declare, settings);
}

// CLI11 would let the file win over the environment; so what the environment says goes in front of
// the flags, of which the last one counts.
std::vector<std::string> WithEnvironment(const CLI::App& app, int argc, const char* const* argv) {
  std::vector<std::string> arguments;
  for (const CLI::Option* option : app.get_options()) {
    const std::string variable = option->get_envname();
    const char* value = variable.empty() ? nullptr : std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0') continue;
    arguments.push_back(option->get_name() + "=" + value);
  }
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  std::reverse(arguments.begin(), arguments.end());  // As CLI11 takes them.
  return arguments;
}

// CLI11 says "INI was not able to parse NAME" of a setting that there is not.
std::string InConfigFile(const CLI::ConfigError& error) {
  const std::string what = error.what();
  const size_t name = what.find_last_of(' ') + 1;
  return "the configuration file has a setting that there is not: " + what.substr(name);
}

ExitNow Refuse(const std::string& why) {
  std::cerr << "millrace-server: " << why << "\n";
  return {2};
}

}  // namespace

std::variant<Settings, ExitNow> ReadSettings(int argc, const char* const* argv,
                                             const std::string& version) {
  Settings settings;
  CLI::App app(
      "The Millrace event hub. Each setting is a flag, a variable of the environment (--data-dir "
      "is MILLRACE_DATA_DIR) or an entry of the configuration file (data-dir); flags win over "
      "the environment, and both over the file.",
      "millrace-server");
  app.set_version_flag("--version", "millrace-server " + version);
  app.set_help_flag("-h,--help", "print this and exit");
  app.set_config("--config", "", "read settings from this file, as name=value lines (TOML)")
      ->envname("MILLRACE_CONFIG")
      ->type_name("FILE");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.get_formatter()->column_width(36);
  Declare(app, settings);
  try {
    app.parse(WithEnvironment(app, argc, argv));
  } catch (const CLI::Success& asked) {
    return ExitNow{app.exit(asked)};
  } catch (const CLI::ConfigError& error) {
    return Refuse(InConfigFile(error));
  } catch (const CLI::ParseError& error) {
    return Refuse(error.what());
  }
  if (absl::Status status = CheckSettings(settings); !status.ok()) {
    return Refuse(std::string(status.message()));
  }
  return settings;
}

}  // namespace millrace::server
