#include "server/app/settings.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace millrace::server {
namespace {

// A variable of the environment, for as long as the object lives.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) {
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Variable() { unsetenv(name_.c_str()); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const std::string name_;
};

// A configuration file, for as long as the object lives.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& content) {
    const int fd = mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    close(fd);
    std::ofstream(path_) << content;
  }
  ~ConfigFile() { unlink(path_.c_str()); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_ = ::testing::TempDir() + "millrace-config-XXXXXX";
};

struct Outcome {
  std::variant<Settings, ExitNow> result;
  std::string out;
  std::string err;
};

Outcome Read(const std::vector<std::string>& flags) {
  std::vector<const char*> argv = {"millrace-server"};
  for (const std::string& flag : flags) argv.push_back(flag.c_str());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Outcome outcome{ReadSettings(static_cast<int>(argv.size()), argv.data(), "1.2.3"), "", ""};
  outcome.out = ::testing::internal::GetCapturedStdout();
  outcome.err = ::testing::internal::GetCapturedStderr();
  return outcome;
}

Settings Accepted(std::vector<std::string> flags) {
  flags.insert(flags.begin(), {"--data-dir", "d"});
  const Outcome outcome = Read(flags);
  EXPECT_TRUE(std::holds_alternative<Settings>(outcome.result)) << outcome.err;
  const auto* settings = std::get_if<Settings>(&outcome.result);
  return settings ? *settings : Settings();
}

// The one line that says why.
std::string Refused(const std::vector<std::string>& flags) {
  const Outcome outcome = Read(flags);
  const auto* exit = std::get_if<ExitNow>(&outcome.result);
  EXPECT_TRUE(exit != nullptr && exit->status == 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err.find("millrace-server: "), 0u) << outcome.err;
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  return outcome.err;
}

TEST(Settings, HaveDefaults) {
  const Settings settings = Accepted({});
  EXPECT_EQ(settings.engine, EngineKind::kRocksDb);
  EXPECT_EQ(settings.data_dir, "d");
  EXPECT_EQ(settings.listen, "localhost:9640");
  EXPECT_TRUE(settings.serves_web());
  EXPECT_EQ(settings.web.listen, "localhost:9641");
  EXPECT_EQ(settings.web.limits.max_connections, 10'000);
  EXPECT_EQ(settings.max_connections_per_address, 1'000);
  EXPECT_EQ(settings.web.limits.max_connections_per_address, 0);
  EXPECT_TRUE(settings.web.limits.allowed_origins.empty());
  EXPECT_EQ(settings.drain_timeout, absl::Seconds(10));
  EXPECT_EQ(settings.hub.default_durability, storage::Durability::kSynced);
  EXPECT_EQ(settings.hub.topics.auto_create_partitions, 0);
  EXPECT_FALSE(settings.hub.topics.default_retention.max_age.has_value());
  EXPECT_FALSE(settings.hub.topics.default_retention.max_partition_bytes.has_value());
  EXPECT_EQ(settings.hub.limits.max_record_bytes, 1 << 20);
}

TEST(Settings, AreReadFromFlags) {
  const Settings settings = Accepted({"--listen",
                                      "[::1]:0",
                                      "--default-durability=buffered",
                                      "--auto-create-topics",
                                      "6",
                                      "--default-retention-age",
                                      "7d",
                                      "--default-retention-bytes",
                                      "10GiB",
                                      "--max-record-bytes",
                                      "64KiB",
                                      "--max-topics",
                                      "5",
                                      "--producer-window",
                                      "64",
                                      "--producer-idle-expiry",
                                      "1h30m",
                                      "--log-format",
                                      "json",
                                      "--log-level",
                                      "warn",
                                      "--drain-timeout",
                                      "1500ms"});
  EXPECT_EQ(settings.listen, "[::1]:0");
  EXPECT_EQ(settings.hub.default_durability, storage::Durability::kBuffered);
  EXPECT_EQ(settings.hub.topics.auto_create_partitions, 6);
  EXPECT_EQ(settings.hub.topics.default_retention.max_age, absl::Hours(7 * 24));
  EXPECT_EQ(settings.hub.topics.default_retention.max_partition_bytes, int64_t{10} << 30);
  EXPECT_EQ(settings.hub.limits.max_record_bytes, 64 << 10);
  EXPECT_EQ(settings.hub.limits.max_topics, 5);
  EXPECT_EQ(settings.producer_window, 64);
  EXPECT_EQ(settings.hub.limits.producer_idle_expiry, absl::Minutes(90));
  EXPECT_EQ(settings.log_format, LogFormat::kJson);
  EXPECT_EQ(settings.log_level, LogLevel::kWarn);
  EXPECT_EQ(settings.drain_timeout, absl::Milliseconds(1500));
}

TEST(Settings, OfTheFileYieldToTheEnvironmentAndBothToFlags) {
  const ConfigFile file("max-topics = 1\nmax-groups = 1\nmax-group-members = 1\n");
  const Variable groups("MILLRACE_MAX_GROUPS", "2");
  const Variable members("MILLRACE_MAX_GROUP_MEMBERS", "2");
  const Settings settings = Accepted({"--config", file.path(), "--max-group-members", "3"});
  EXPECT_EQ(settings.hub.limits.max_topics, 1);
  EXPECT_EQ(settings.hub.limits.max_groups, 2);
  EXPECT_EQ(settings.hub.limits.max_group_members, 3);
}

TEST(Settings, OfAFileThatTheEnvironmentNamesAreRead) {
  const ConfigFile file(
      "max-topics = 7\nlisten = \"localhost:1\"\nallow-large-records = true\n"
      "default-retention-age = \"3d\"\n");
  const Variable config("MILLRACE_CONFIG", file.path());
  const Settings settings = Accepted({});
  EXPECT_EQ(settings.hub.limits.max_topics, 7);
  EXPECT_EQ(settings.listen, "localhost:1");
  EXPECT_TRUE(settings.allow_large_records);
  EXPECT_EQ(settings.hub.topics.default_retention.max_age, absl::Hours(72));
}

TEST(Settings, SwitchesAreReadFromTheEnvironment) {
  const Variable on("MILLRACE_ALLOW_LARGE_RECORDS", "true");
  EXPECT_TRUE(Accepted({}).allow_large_records);
}

TEST(Settings, EmptyVariablesSayNothing) {
  const Variable empty("MILLRACE_MAX_TOPICS", "");
  EXPECT_EQ(Accepted({}).hub.limits.max_topics, 10'000);
}

TEST(Settings, OfTheMemoryEngineNeedNoDirectory) {
  const Outcome outcome = Read({"--engine", "memory"});
  EXPECT_TRUE(std::holds_alternative<Settings>(outcome.result)) << outcome.err;
}

TEST(Settings, OfTheWebAreReadFromFlags) {
  const Settings settings = Accepted({"--web-listen",
                                      "0.0.0.0:80",
                                      "--web-port-file",
                                      "w",
                                      "--web-allow-origin",
                                      "https://a.example,http://b.example:8080",
                                      "--web-max-connections",
                                      "7",
                                      "--web-max-connections-per-address",
                                      "5",
                                      "--web-max-message-bytes",
                                      "64KiB",
                                      "--web-header-timeout",
                                      "1s",
                                      "--web-message-timeout",
                                      "2s",
                                      "--web-write-timeout",
                                      "3s",
                                      "--web-idle-timeout",
                                      "4s"});
  EXPECT_EQ(settings.web.listen, "0.0.0.0:80");
  EXPECT_EQ(settings.web_port_file, "w");
  const WebLimits& limits = settings.web.limits;
  EXPECT_EQ(limits.allowed_origins,
            (std::vector<std::string>{"https://a.example", "http://b.example:8080"}));
  EXPECT_EQ(limits.max_connections, 7);
  EXPECT_EQ(limits.max_connections_per_address, 5);
  EXPECT_EQ(limits.max_message_bytes, 64 << 10);
  EXPECT_EQ(limits.header_timeout, absl::Seconds(1));
  EXPECT_EQ(limits.message_timeout, absl::Seconds(2));
  EXPECT_EQ(limits.write_timeout, absl::Seconds(3));
  EXPECT_EQ(limits.idle_timeout, absl::Seconds(4));
}

TEST(Settings, CanDoWithoutAWebPort) {
  EXPECT_FALSE(Accepted({"--web-listen", "none"}).serves_web());
}

TEST(Settings, ThatMakeNoSenseAreRefusedInOneLineThatNamesThem) {
  struct Case {
    std::string named;
    std::vector<std::string> flags;
  };
  const std::vector<Case> cases = {
      {"--data-dir", {}},
      {"--data-dir", {"--engine", "memory", "--data-dir", "d"}},
      {"--data-dir", {"--data-dir"}},
      {"--bogus", {"--data-dir", "d", "--bogus"}},
      {"surplus", {"--data-dir", "d", "surplus"}},
      {"rocksdb|memory", {"--engine", "kafka"}},
      {"--listen", {"--data-dir", "d", "--listen", "9640"}},
      {"--listen", {"--data-dir", "d", "--listen", ":9640"}},
      {"--listen", {"--data-dir", "d", "--listen", "localhost:"}},
      {"--listen", {"--data-dir", "d", "--listen", "localhost:65536"}},
      {"--listen", {"--data-dir", "d", "--listen", "localhost:grpc"}},
      {"--web-listen", {"--data-dir", "d", "--web-listen", "9641"}},
      {"--web-listen", {"--data-dir", "d", "--web-listen", ""}},
      {"--web-port-file", {"--data-dir", "d", "--web-listen", "none", "--web-port-file", "port"}},
      {"--web-allow-origin", {"--data-dir", "d", "--web-allow-origin", "*"}},
      {"--web-allow-origin", {"--data-dir", "d", "--web-allow-origin", "example.org"}},
      {"--web-allow-origin", {"--data-dir", "d", "--web-allow-origin", "https://a.example/path"}},
      {"--web-allow-origin", {"--data-dir", "d", "--web-allow-origin", "https://"}},
      {"--web-max-connections", {"--data-dir", "d", "--web-max-connections", "0"}},
      {"--web-max-message-bytes", {"--data-dir", "d", "--web-max-message-bytes", "1GiB"}},
      {"--web-idle-timeout", {"--data-dir", "d", "--web-idle-timeout", "0"}},
      {"--max-connections-per-address", {"--data-dir", "d", "--max-connections-per-address", "-1"}},
      {"--max-streams-per-address", {"--data-dir", "d", "--max-streams-per-address", "-1"}},
      {"--web-max-connections-per-address",
       {"--data-dir", "d", "--web-max-connections-per-address", "-1"}},
      {"--max-topics", {"--data-dir", "d", "--max-topics", "0"}},
      {"--max-topics", {"--data-dir", "d", "--max-topics", "-5"}},
      {"--max-topics", {"--data-dir", "d", "--max-topics", "many"}},
      {"--max-topics", {"--data-dir", "d", "--max-topics", "2.5"}},
      {"--max-topics", {"--data-dir", "d", "--max-topics", "3000000000"}},
      {"--max-key-bytes", {"--data-dir", "d", "--max-key-bytes", "0"}},
      {"--max-record-bytes", {"--data-dir", "d", "--max-record-bytes", "-1"}},
      {"--allow-large-records", {"--data-dir", "d", "--max-record-bytes", "4MiB"}},
      {"--max-request-bytes",
       {"--data-dir", "d", "--max-record-bytes", "8MiB", "--allow-large-records"}},
      {"--max-request-bytes", {"--data-dir", "d", "--max-request-bytes", "512KiB"}},
      {"--max-request-bytes", {"--data-dir", "d", "--max-request-bytes", "2GiB"}},
      {"--write-queue-bytes", {"--data-dir", "d", "--write-queue-bytes", "1MiB"}},
      {"--producer-window", {"--data-dir", "d", "--producer-window", "0"}},
      {"--auto-create-topics", {"--data-dir", "d", "--auto-create-topics", "-1"}},
      {"--max-topic-partitions", {"--data-dir", "d", "--auto-create-topics", "10001"}},
      {"--default-retention-age", {"--data-dir", "d", "--default-retention-age", "-1d"}},
      {"--default-retention-bytes", {"--data-dir", "d", "--default-retention-bytes", "lots"}},
      {"--drain-timeout", {"--data-dir", "d", "--drain-timeout", "0"}},
      {"--drain-timeout", {"--data-dir", "d", "--drain-timeout", "10"}},
      {"--log-level", {"--data-dir", "d", "--log-level", "loud"}},
      {"--log-format", {"--data-dir", "d", "--log-format", "xml"}},
      {"--default-durability", {"--data-dir", "d", "--default-durability", "maybe"}},
      {"/no/such/file", {"--data-dir", "d", "--config", "/no/such/file"}},
  };
  for (const Case& each : cases) {
    const std::string why = Refused(each.flags);
    EXPECT_NE(why.find(each.named), std::string::npos) << why;
  }
}

TEST(Settings, OfAFileThatMakeNoSenseAreRefused) {
  const ConfigFile unknown("max-topics = 7\nmax-topcis = 8\n");
  EXPECT_NE(Refused({"--data-dir", "d", "--config", unknown.path()}).find("max-topcis"),
            std::string::npos);
  const ConfigFile senseless("max-topics = \"some\"\n");
  EXPECT_NE(Refused({"--data-dir", "d", "--config", senseless.path()}).find("--max-topics"),
            std::string::npos);
}

TEST(Settings, OfTheEnvironmentThatMakeNoSenseAreRefused) {
  const Variable senseless("MILLRACE_DRAIN_TIMEOUT", "soon");
  EXPECT_NE(Refused({"--data-dir", "d"}).find("--drain-timeout"), std::string::npos);
}

TEST(Settings, HelpShowsEveryDefaultAndVariable) {
  const Outcome outcome = Read({"--help"});
  const auto* exit = std::get_if<ExitNow>(&outcome.result);
  ASSERT_NE(exit, nullptr);
  EXPECT_EQ(exit->status, 0);
  EXPECT_EQ(outcome.err, "");
  for (const char* shown :
       {"--listen HOST:PORT=localhost:9640 (Env:MILLRACE_LISTEN)", "--max-record-bytes SIZE=1MiB",
        "--web-listen HOST:PORT=localhost:9641 (Env:MILLRACE_WEB_LISTEN)",
        "--producer-idle-expiry TIME=7d", "--max-topics N=10000", "=synced", "MILLRACE_CONFIG"}) {
    EXPECT_NE(outcome.out.find(shown), std::string::npos) << shown;
  }
}

TEST(Settings, VersionIsPrinted) {
  const Outcome outcome = Read({"--version"});
  EXPECT_EQ(std::get<ExitNow>(outcome.result).status, 0);
  EXPECT_EQ(outcome.out, "millrace-server 1.2.3\n");
}

}  // namespace
}  // namespace millrace::server
