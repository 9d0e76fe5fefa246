#include "tests/server/web/web_hub.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <future>
#include <thread>

#include "storage/batch/record_view.h"
#include "storage/clock.h"

namespace millrace::testing {
namespace {

constexpr std::array<server::StaticFile, 3> kConsole = {{
    {"index.html", "<!doctype html><title>console</title>"},
    {"js/app.js", "export {};\n"},
    {"secret.bin", std::string_view("\0\xff", 2)},
}};

template <typename Counter>
void AwaitCount(Counter counter, int64_t count) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (counter() != count && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(counter(), count);
}

}  // namespace

WebHub::WebHub(server::WebLimits limits, hub::HubOptions options)
    : engine_(storage::MemoryOptions{}),
      hub_(std::make_unique<hub::Hub>(engine_, storage::Clock::System(), std::move(options))) {
  auto server = server::WebServer::Start(
      *hub_, {.listen = "127.0.0.1:0",
              .limits = std::move(limits),
              .api = {.version = "1.2.3",
                      .metrics = [] { return std::string("millrace_up 1\n"); },
                      .console = kConsole}});
  EXPECT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
}

WebHub::~WebHub() {
  hub_->Drain();
  server_->Stop(absl::ZeroDuration());
}

void WebHub::CreateTopic(const std::string& name, int partitions) {
  ASSERT_TRUE(hub_->topics().Create(name, partitions, std::nullopt).ok());
}

void WebHub::Produce(const std::string& topic, int partition,
                     const std::vector<std::string>& values) {
  const auto entries = std::make_shared<std::string>();
  for (const std::string& value : values) {
    storage::RecordView record;
    record.value = value;
    storage::AppendRecordEntry(record, entries.get());
  }
  std::promise<absl::Status> done;
  hub_->producing().Produce(
      {.topic = topic,
       .partition = partition,
       .records = {.entries = {entries, *entries}, .count = static_cast<int32_t>(values.size())}},
      [&](const absl::StatusOr<hub::ProduceOutcome>& outcome) {
        done.set_value(outcome.status());
      });
  const absl::Status status = done.get_future().get();
  ASSERT_TRUE(status.ok()) << status;
}

void WebHub::AwaitConnections(int count) {
  AwaitCount([this] { return server_->connection_count(); }, count);
}

void WebHub::AwaitSubscriptions(int count) {
  AwaitCount([this] { return hub_->subscriptions().count(); }, count);
}

}  // namespace millrace::testing
