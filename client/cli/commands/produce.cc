#include "client/cli/commands/produce.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "client/cli/errors.h"
#include "client/cli/input/input_reader.h"
#include "client/cli/input/record_maker.h"
#include "client/cli/input/record_splitter.h"
#include "client/cli/interrupts.h"
#include "client/cli/output/json_line.h"
#include "client/cli/output/progress.h"
#include "client/cli/output/terminal.h"
#include "client/cli/parse/escape.h"
#include "client/cli/parse/quantity.h"
#include "millrace/producer.h"

namespace millrace::cli {
namespace {

// Far above any hub's limit; only keeps input without a delimiter from filling the memory.
constexpr size_t kMaxInputRecordBytes = 256 << 20;

struct ProduceOptions {
  std::string topic;
  std::vector<std::string> files;
  RecordShape shape;
  std::optional<int32_t> partition;
  std::string delimiter = "\n";
  client::Durability durability = client::Durability::kHubDefault;
  absl::Duration retry_for = absl::Minutes(2);
  bool quiet = false;
};

// What has become of the records so far. Threads: any.
class Deliveries {
 public:
  void Succeeded(int64_t bytes) {
    ++records_;
    bytes_ += bytes;
  }

  // `record` is the number of the record in the input, from 1.
  void Failed(int64_t record, const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    ++failed_;
    if (!first_error_.ok()) return;
    first_error_ = status;
    first_failed_record_ = record;
  }

  int64_t records() const { return records_; }
  int64_t bytes() const { return bytes_; }
  int64_t failed() const { return failed_; }

  // The first failure, and then OK until the next.
  std::pair<int64_t, absl::Status> TakeError() {
    const std::lock_guard lock(mutex_);
    return {first_failed_record_, std::exchange(first_error_, absl::OkStatus())};
  }

 private:
  std::atomic<int64_t> records_{0};
  std::atomic<int64_t> bytes_{0};
  std::atomic<int64_t> failed_{0};
  std::mutex mutex_;
  absl::Status first_error_;         // Guarded by mutex_.
  int64_t first_failed_record_ = 0;  // Likewise.
};

// One run of the command.
class ProduceRun {
 public:
  ProduceRun(Session& session, const ProduceOptions& options)
      : session_(session),
        options_(options),
        interactive_(options.files.empty() && IsTerminal(STDIN_FILENO)),
        progress_(!options.quiet && !interactive_) {}

  absl::Status Run() {
    if (absl::Status status = CheckTopic(); !status.ok()) return status;
    client::ProducerOptions how;
    how.durability = options_.durability;
    how.delivery_timeout = options_.retry_for;
    absl::StatusOr<std::unique_ptr<client::Producer>> producer =
        client::Producer::Open(session_.connection(), std::move(how));
    if (!producer.ok()) return producer.status();
    producer_ = *std::move(producer);

    if (interactive_ && !options_.quiet) {
      session_.Tell("every line you type is a record; Ctrl-D ends");
    }
    start_ = absl::Now();
    absl::Status status = ReadInput();
    // What was taken in is sent even where the input ended in an error.
    const absl::Status flushed = producer_->Flush(options_.retry_for + session_.options().timeout);
    progress_.Clear();
    if (status.ok()) status = FirstFailure();
    if (status.ok()) status = interactive_failure_;
    if (status.ok()) status = flushed;
    if (absl::Status summary = Summarize(); status.ok()) status = summary;
    return status;
  }

 private:
  // Tells of a missing topic or hub before anything is read.
  absl::Status CheckTopic() {
    absl::StatusOr<client::HubInfo> hub = session_.admin().GetHub();
    if (!hub.ok()) return hub.status();
    if (hub->auto_create_partitions > 0) return absl::OkStatus();
    return session_.admin().GetTopic(options_.topic).status();
  }

  absl::Status ReadInput() {
    RecordSplitter splitter(options_.delimiter, kMaxInputRecordBytes,
                            [this](std::string_view record) { return Take(record); });
    const auto feed = [&](std::string_view piece) { return splitter.Feed(piece); };
    std::vector<std::string> files = options_.files;
    if (files.empty()) files.emplace_back("-");
    for (const std::string& file : files) {
      if (interrupts_.requested()) break;
      absl::Status status = ReadFile(file, interrupts_.fd(), feed);
      if (status.ok()) status = splitter.Finish();
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // At a terminal a record that is refused is told of and the next one is taken.
  absl::Status Take(std::string_view bytes) {
    absl::Status status = Send(bytes, ++taken_);
    if (status.ok()) status = FirstFailure();
    if (!status.ok() && interactive_) {
      session_.Tell(ErrorLine(status, session_.target()).substr(std::string("millrace: ").size()));
      interactive_failure_ = absl::AbortedError("not every record was stored");
      status = absl::OkStatus();
    }
    progress_.Update([this] { return Counts(); });
    return status;
  }

  absl::Status Send(std::string_view bytes, int64_t number) {
    absl::StatusOr<client::Record> record = MakeRecord(options_.shape, bytes, number);
    if (!record.ok()) return record.status();
    const int64_t size = static_cast<int64_t>(bytes.size());
    absl::Status status =
        producer_->Send(options_.topic, options_.partition, *record,
                        [this, number, size](const absl::StatusOr<client::Delivery>& delivery) {
                          if (delivery.ok()) {
                            deliveries_.Succeeded(size);
                          } else {
                            deliveries_.Failed(number, delivery.status());
                          }
                        });
    if (!status.ok()) deliveries_.Failed(number, status);
    return absl::OkStatus();
  }

  absl::Status FirstFailure() {
    if (deliveries_.failed() == 0) return absl::OkStatus();
    auto [record, status] = deliveries_.TakeError();
    if (status.ok()) return status;
    return WithContext("record " + std::to_string(record) + " of the input: ", status);
  }

  std::string Counts() const {
    const double seconds = std::max(absl::ToDoubleSeconds(absl::Now() - start_), 1e-3);
    const double rate = static_cast<double>(deliveries_.records()) / seconds;
    std::string out = CountText(deliveries_.records()) + " records, " +
                      SizeText(deliveries_.bytes()) + ", " +
                      DurationText(absl::Milliseconds(static_cast<int64_t>(seconds * 1e3))) + " (" +
                      CountText(static_cast<int64_t>(rate)) + " records/s)";
    if (deliveries_.failed() > 0) out += ", " + CountText(deliveries_.failed()) + " failed";
    return out;
  }

  absl::Status Summarize() {
    if (!options_.quiet) session_.Tell("stored " + Counts());
    if (!session_.json()) return absl::OkStatus();
    JsonLine json;
    json.Text("topic", options_.topic)
        .Number("records", deliveries_.records())
        .Number("bytes", deliveries_.bytes())
        .Number("failed", deliveries_.failed())
        .Decimal("seconds", absl::ToDoubleSeconds(absl::Now() - start_));
    return session_.out().Write(json.Take() + "\n");
  }

  Session& session_;
  const ProduceOptions& options_;
  const bool interactive_;
  Interrupts interrupts_;
  Progress progress_;
  Deliveries deliveries_;
  std::unique_ptr<client::Producer> producer_;  // Its callbacks use deliveries_.
  absl::Time start_;
  int64_t taken_ = 0;
  absl::Status interactive_failure_;
};

absl::Status Produce(Session& session, const ProduceOptions& options) {
  return ProduceRun(session, options).Run();
}

void AddShapeOptions(CLI::App& command, ProduceOptions& options) {
  RecordShape& shape = options.shape;
  CLI::Option* delimiter =
      AddParsed(command, "-K,--key-delimiter", shape.key_delimiter, Unescape, "TEXT",
                "What stands between key and value; without it there is no key");
  CLI::Option* key =
      command.add_option("-k,--key", shape.key, "The key of every record")->type_name("TEXT");
  CLI::Option* field = command
                           .add_option("--key-field", shape.key_field,
                                       "Take the key from the value's line \"FIELD: ...\"")
                           ->type_name("FIELD");
  delimiter->excludes(key)->excludes(field);
  key->excludes(field);

  command
      .add_option_function<std::vector<std::string>>(
          "-H,--header",
          [&shape](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              absl::StatusOr<client::Header> header = ParseHeader(text);
              if (!header.ok()) {
                throw CLI::ValidationError("--header", std::string(header.status().message()));
              }
              shape.headers.push_back(*std::move(header));
            }
          },
          "A header of every record; may be given several times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command
      .add_option_function<std::vector<std::string>>(
          "--header-field",
          [&shape](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              absl::StatusOr<HeaderField> field = ParseHeaderField(text);
              if (!field.ok()) {
                throw CLI::ValidationError("--header-field", std::string(field.status().message()));
              }
              shape.header_fields.push_back(*std::move(field));
            }
          },
          "A header from the value's line \"FIELD: ...\", where it has one; may be given several "
          "times")
      ->type_name("[NAME=]FIELD")
      ->allow_extra_args(false);
  command.add_flag("-Z,--tombstone", shape.empty_is_tombstone,
                   "An empty value is none at all: the record deletes its key");
}

}  // namespace

void AddProduceCommand(CLI::App& root, Chosen& chosen, Session& session) {
  CLI::App* command =
      AddCommand(root, "produce", "Send records: the lines of standard input or of files.",
                 "  millrace produce test-topic                          type lines; Ctrl-D ends\n"
                 "  echo '42:{\"total\":7}' | millrace produce orders -K :  key 42\n"
                 "  echo '42:' | millrace produce orders -K : -Z         delete key 42\n"
                 "  millrace produce logs -H source=web access.log       a file, with a header\n"
                 "  millrace produce images -D '' *.png                  each file is one record\n"
                 "  apt-cache dumpavail | millrace produce packages -D '\\n\\n' \\\n"
                 "      --key-field Package --header-field section --header-field priority\n",
                 session);
  auto options = std::make_shared<ProduceOptions>();
  command->add_option("TOPIC", options->topic, "The topic")->required()->type_name("");
  command->add_option("FILE", options->files, "Files to read, - for standard input [default: -]")
      ->type_name("");
  AddParsed(*command, "-D,--delimiter", options->delimiter, Unescape, "TEXT",
            "What stands between records: \\n \\0 \\t \\xNN or any text; '' makes each file one "
            "record [default: \\n]");
  AddShapeOptions(*command, *options);
  AddParsed(*command, "-p,--partition", options->partition, ParsePartition, "P",
            "The partition [default: chosen by key]");
  AddParsed(*command, "--durability", options->durability, ParseDurability, "buffered|synced",
            "What must survive before a record counts as stored: a kill of the hub, or a power cut "
            "[default: the hub's, synced]");
  AddParsed(*command, "--retry-for", options->retry_for, ParseDuration, "DURATION",
            "How long the hub may be away before a record fails [default: 2m]");
  command->add_flag("-q,--quiet", options->quiet, "No progress, no summary");
  SetBody(*command, chosen, options, Produce);
}

}  // namespace millrace::cli
