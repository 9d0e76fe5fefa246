#include "client/cli/commands/bench.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/bench/bench_topic.h"
#include "client/cli/bench/consume.h"
#include "client/cli/bench/latency.h"
#include "client/cli/bench/load.h"
#include "client/cli/interrupts.h"
#include "client/cli/output/json_line.h"
#include "client/cli/output/table.h"
#include "client/cli/parse/quantity.h"

namespace millrace::cli {
namespace {

struct ProduceBenchOptions {
  std::string topic;
  int32_t partitions = 4;
  Load load;
  absl::Duration duration = absl::Seconds(10);
};

struct ConsumeBenchOptions {
  std::string topic;
  int32_t partitions = 4;
  int32_t readers = 1;
  int64_t records = 1'000'000;
  Load load;
  absl::Duration duration = absl::Minutes(1);
};

struct LatencyBenchOptions {
  std::string topic;
  int32_t partitions = 4;
  LatencyLoad load;
};

std::string Fixed(double number, int decimals) {
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%.*f", decimals, number);
  return out.data();
}

std::string Rate(double per_second) { return CountText(static_cast<int64_t>(per_second)); }

absl::Status ProduceBench(Session& session, const ProduceBenchOptions& options) {
  const Interrupts interrupts;
  absl::StatusOr<BenchTopic> topic = BenchTopic::Open(session, options.topic, options.partitions);
  if (!topic.ok()) return topic.status();
  const Load& load = options.load;
  SendLimit limit;
  limit.duration = options.duration;
  absl::StatusOr<Throughput> sent =
      SendLoad(session, interrupts, topic->name(), topic->partitions(), load, limit);
  if (!sent.ok()) return sent.status();

  if (session.json()) {
    JsonLine json;
    json.Text("bench", "produce")
        .Number("streams", load.streams)
        .Number("record_size", load.record_size)
        .Number("batch", load.batch)
        .Number("in_flight", load.in_flight)
        .Text("durability", DurabilityText(load.durability))
        .Number("records", sent->records)
        .Number("bytes", sent->bytes)
        .Decimal("seconds", absl::ToDoubleSeconds(sent->elapsed))
        .Decimal("records_per_second", sent->RecordsPerSecond())
        .Decimal("megabytes_per_second", sent->MegabytesPerSecond());
    return session.out().Write(json.Take() + "\n");
  }
  Table table({{"STREAMS", Align::kRight},
               {"RECORD", Align::kRight},
               {"BATCH", Align::kRight},
               {"DURABILITY"},
               {"SECONDS", Align::kRight},
               {"RECORDS", Align::kRight},
               {"RECORDS/S", Align::kRight},
               {"MB/S", Align::kRight}});
  table.Add({std::to_string(load.streams), SizeText(load.record_size), CountText(load.batch),
             DurabilityText(load.durability), Fixed(absl::ToDoubleSeconds(sent->elapsed), 1),
             CountText(sent->records), Rate(sent->RecordsPerSecond()),
             Fixed(sent->MegabytesPerSecond(), 1)});
  return session.out().Write(table.Render(session.colour()));
}

absl::Status ConsumeBench(Session& session, const ConsumeBenchOptions& options) {
  const Interrupts interrupts;
  absl::StatusOr<BenchTopic> topic = BenchTopic::Open(session, options.topic, options.partitions);
  if (!topic.ok()) return topic.status();
  if (options.topic.empty()) {
    SendLimit limit;
    limit.records = std::max<int64_t>(options.records / options.load.streams, 1);
    absl::StatusOr<Throughput> sent =
        SendLoad(session, interrupts, topic->name(), topic->partitions(), options.load, limit);
    if (!sent.ok()) return sent.status();
  }
  absl::StatusOr<Throughput> read =
      ReadLoad(session, interrupts, topic->name(), options.readers, options.duration);
  if (!read.ok()) return read.status();

  if (session.json()) {
    JsonLine json;
    json.Text("bench", "consume")
        .Number("streams", options.readers)
        .Number("records", read->records)
        .Number("bytes", read->bytes)
        .Decimal("seconds", absl::ToDoubleSeconds(read->elapsed))
        .Decimal("records_per_second", read->RecordsPerSecond())
        .Decimal("megabytes_per_second", read->MegabytesPerSecond());
    return session.out().Write(json.Take() + "\n");
  }
  Table table({{"STREAMS", Align::kRight},
               {"SECONDS", Align::kRight},
               {"RECORDS", Align::kRight},
               {"RECORDS/S", Align::kRight},
               {"MB/S", Align::kRight}});
  table.Add({std::to_string(options.readers), Fixed(absl::ToDoubleSeconds(read->elapsed), 1),
             CountText(read->records), Rate(read->RecordsPerSecond()),
             Fixed(read->MegabytesPerSecond(), 1)});
  return session.out().Write(table.Render(session.colour()));
}

constexpr std::pair<const char*, double> kShares[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1.0}};

std::string LatencyJson(Percentiles& latencies) {
  JsonLine json;
  for (const auto& [name, share] : kShares) {
    json.Decimal(std::string(name) + "_ms", absl::ToDoubleMilliseconds(latencies.At(share)));
  }
  return json.Take();
}

std::vector<std::string> LatencyRow(std::string name, Percentiles& latencies) {
  std::vector<std::string> row = {std::move(name),
                                  CountText(static_cast<int64_t>(latencies.count()))};
  for (const auto& [unused, share] : kShares) {
    row.push_back(Fixed(absl::ToDoubleMilliseconds(latencies.At(share)), 2));
  }
  return row;
}

absl::Status LatencyBench(Session& session, const LatencyBenchOptions& options) {
  const Interrupts interrupts;
  absl::StatusOr<BenchTopic> topic = BenchTopic::Open(session, options.topic, options.partitions);
  if (!topic.ok()) return topic.status();
  absl::StatusOr<LatencyResult> result =
      MeasureLatency(session, interrupts, topic->name(), topic->partitions(), options.load);
  if (!result.ok()) return result.status();

  if (session.json()) {
    JsonLine json;
    json.Text("bench", "latency")
        .Decimal("rate", options.load.rate)
        .Number("record_size", options.load.record_size)
        .Text("durability", DurabilityText(options.load.durability))
        .Number("records", result->records)
        .Json("acknowledged", LatencyJson(result->acknowledged))
        .Json("received", LatencyJson(result->received));
    return session.out().Write(json.Take() + "\n");
  }
  Table table({{"MILLISECONDS UNTIL"},
               {"RECORDS", Align::kRight},
               {"P50", Align::kRight},
               {"P90", Align::kRight},
               {"P99", Align::kRight},
               {"P99.9", Align::kRight},
               {"MAX", Align::kRight}});
  table.Add(LatencyRow("acknowledged", result->acknowledged));
  table.Add(LatencyRow("received", result->received));
  return session.out().Write(table.Render(session.colour()));
}

absl::StatusOr<double> ParseRate(std::string_view text) {
  double rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (error != std::errc() || end != text.data() + text.size() || !(rate > 0) || rate > 1e6) {
    return absl::InvalidArgumentError("\"" + std::string(text) +
                                      "\" is no rate; write records a second, up to 1000000");
  }
  return rate;
}

// Options that all three have.
void AddTopicOptions(CLI::App& command, std::string& topic, int32_t& partitions) {
  command
      .add_option("TOPIC", topic,
                  "The topic [default: one that is made for this and deleted afterwards]")
      ->type_name("");
  AddParsed(command, "--partitions", partitions, ParsePositiveCount, "N",
            "Partitions of the topic that is made [default: 4]");
}

void AddRecordOptions(CLI::App& command, int64_t& record_size, client::Durability& durability) {
  AddParsed(command, "--record-size", record_size, ParseSize, "SIZE",
            "Bytes of a record's value [default: 100]");
  AddParsed(command, "--durability", durability, ParseDurability, "buffered|synced",
            "What an answer promises [default: the hub's, synced]");
}

void AddLoadOptions(CLI::App& command, Load& load) {
  AddRecordOptions(command, load.record_size, load.durability);
  AddParsed(command, "--batch", load.batch, ParsePositiveCount, "N",
            "Records a request [default: 1000]");
  AddParsed(command, "--in-flight", load.in_flight, ParsePositiveCount, "N",
            "Requests of a stream that wait for their answer [default: 16]");
}

}  // namespace

void AddBenchCommands(CLI::App& root, Chosen& chosen, Session& session) {
  CLI::App* bench = AddCommandGroup(root, "bench", "Measure how fast the hub is.", session);

  CLI::App* produce = AddCommand(
      *bench, "produce", "Send as fast as the hub takes it; only what it has stored counts.",
      "  millrace bench produce\n"
      "  millrace bench produce --streams 4 --record-size 1KiB --batch 100 --durability buffered\n",
      session);
  auto produce_options = std::make_shared<ProduceBenchOptions>();
  AddTopicOptions(*produce, produce_options->topic, produce_options->partitions);
  AddLoadOptions(*produce, produce_options->load);
  AddParsed(*produce, "--streams", produce_options->load.streams, ParsePositiveCount, "N",
            "Producers, each with a stream of its own [default: 4]");
  AddParsed(*produce, "--duration", produce_options->duration, ParseDuration, "DURATION",
            "How long to send [default: 10s]");
  SetBody(*produce, chosen, produce_options, ProduceBench);

  CLI::App* consume = AddCommand(*bench, "consume", "Read a topic from its beginning to its end.",
                                 "  millrace bench consume\n"
                                 "  millrace bench consume orders --streams 4\n",
                                 session);
  auto consume_options = std::make_shared<ConsumeBenchOptions>();
  AddTopicOptions(*consume, consume_options->topic, consume_options->partitions);
  AddLoadOptions(*consume, consume_options->load);
  AddParsed(*consume, "--records", consume_options->records, ParseCount, "N",
            "Records of the topic that is made [default: 1000000]");
  AddParsed(*consume, "--streams", consume_options->readers, ParsePositiveCount, "N",
            "Readers, each of the whole topic [default: 1]");
  AddParsed(*consume, "--duration", consume_options->duration, ParseDuration, "DURATION",
            "Stop after so long [default: 1m]");
  SetBody(*consume, chosen, consume_options, ConsumeBench);

  CLI::App* latency = AddCommand(
      *bench, "latency", "Send at a fixed rate; measure until answer and until reader.",
      "  millrace bench latency --rate 1000\n"
      "  millrace bench latency --rate 200 --duration 1m --durability buffered -o json\n",
      session);
  auto latency_options = std::make_shared<LatencyBenchOptions>();
  AddTopicOptions(*latency, latency_options->topic, latency_options->partitions);
  AddRecordOptions(*latency, latency_options->load.record_size, latency_options->load.durability);
  AddParsed(*latency, "--rate", latency_options->load.rate, ParseRate, "N",
            "Records a second [default: 1000]");
  AddParsed(*latency, "--duration", latency_options->load.duration, ParseDuration, "DURATION",
            "How long to send [default: 10s]");
  SetBody(*latency, chosen, latency_options, LatencyBench);
}

}  // namespace millrace::cli
