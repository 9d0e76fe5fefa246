#include "client/cli/commands/consume.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/clock.h"
#include "client/cli/commands/consume_start.h"
#include "client/cli/errors.h"
#include "client/cli/interrupts.h"
#include "client/cli/output/record_view.h"
#include "client/cli/parse/escape.h"
#include "client/cli/parse/quantity.h"
#include "client/cli/parse/time.h"
#include "millrace/consumer.h"
#include "millrace/error.h"

namespace millrace::cli {
namespace {

constexpr int64_t kPollRecords = 10'000;
constexpr absl::Duration kIdlePoll = absl::Hours(1);  // Whatever happens wakes the poll.

struct ConsumeOptions {
  StartChoice start;
  std::optional<int64_t> count;
  bool exit_at_end = false;
  RecordView format;
  std::string delimiter = "\n";
  std::string key_delimiter;
  absl::Duration commit_interval = absl::Seconds(1);
  std::optional<absl::Duration> retry_for;
  std::string instance_id;
  bool quiet = false;
};

// One run of the command.
class ConsumeRun {
 public:
  ConsumeRun(Session& session, const ConsumeOptions& options)
      : session_(session), options_(options) {}

  absl::Status Run() {
    if (session_.json() && options_.format) {
      return UsageError("--format is for text: leave out -o json");
    }
    if (absl::Status status = Open(); !status.ok()) return status;
    interrupts_.Notify([this] { consumer_->Wake(); });
    absl::Status status = ReadAndPrint();
    interrupts_.Notify(nullptr);
    // Records that could not be printed are left to the group's next reader.
    if (status.ok()) status = CommitPrinted();
    consumer_->Close();
    return PassedOn(status);
  }

 private:
  absl::Status Open() {
    client::ConsumerOptions how;
    how.end_at_current = options_.exit_at_end;
    how.instance_id = options_.instance_id;
    how.reconnect_timeout = RetryFor();
    how.on_event = [this](const client::ConsumerEvent& event) { OnEvent(event); };
    // Tells of a hub that is not there at once; the subscription would wait for it.
    if (absl::Status status = session_.admin().GetHub().status(); !status.ok()) return status;
    if (absl::Status status = ChooseStart(session_.admin(), options_.start, how); !status.ok()) {
      return status;
    }
    absl::StatusOr<std::unique_ptr<client::Consumer>> consumer =
        client::Consumer::Open(session_.connection(), std::move(how));
    if (!consumer.ok()) return consumer.status();
    consumer_ = *std::move(consumer);
    return absl::OkStatus();
  }

  absl::Duration RetryFor() const {
    if (options_.retry_for) return *options_.retry_for;
    return options_.exit_at_end ? absl::Minutes(2) : absl::InfiniteDuration();
  }

  absl::Status ReadAndPrint() {
    const RecordView view = View();
    while (!interrupts_.requested() && !consumer_->ended() && left_ > 0) {
      absl::StatusOr<std::vector<client::ReceivedRecord>> records =
          consumer_->Poll(UntilNextCommit(), std::min(left_, kPollRecords));
      if (!records.ok()) return records.status();
      if (absl::Status status = Print(*records, view); !status.ok()) return status;
      if (!partition_failure_.ok()) return partition_failure_;
      if (absl::Status status = CommitIfDue(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  RecordView View() const {
    if (session_.json()) return JsonView();
    if (options_.format) return options_.format;
    return ValueView(options_.key_delimiter, options_.delimiter);
  }

  // Flushes, so that records are seen at once and a commit never runs ahead of them.
  absl::Status Print(const std::vector<client::ReceivedRecord>& records, const RecordView& view) {
    if (records.empty()) return absl::OkStatus();
    std::string text;
    for (const client::ReceivedRecord& record : records) view(record, text);
    left_ -= static_cast<int64_t>(records.size());
    if (!uncommitted_) next_commit_ = absl::Now() + options_.commit_interval;
    uncommitted_ = !options_.start.group.empty();
    absl::Status status = session_.out().Write(text);
    return status.ok() ? session_.out().Flush() : status;
  }

  absl::Duration UntilNextCommit() const {
    return uncommitted_ ? std::max(next_commit_ - absl::Now(), absl::ZeroDuration()) : kIdlePoll;
  }

  // A hub that is away for a while gets the commit later.
  absl::Status CommitIfDue() {
    if (!uncommitted_ || absl::Now() < next_commit_) return absl::OkStatus();
    next_commit_ = absl::Now() + options_.commit_interval;
    absl::Status status = PassedOn(CommitPrinted());
    return absl::IsUnavailable(status) ? absl::OkStatus() : status;
  }

  // A commit that came too late: whoever has the partition now prints the records again.
  absl::Status PassedOn(const absl::Status& status) {
    if (!client::HasReason(status, client::reason::kMemberFenced)) return status;
    TellUnlessQuiet("a partition went to another member before it was committed");
    return absl::OkStatus();
  }

  absl::Status CommitPrinted() {
    if (!uncommitted_) return absl::OkStatus();
    absl::Status status = consumer_->Commit();
    if (status.ok()) uncommitted_ = false;
    return status;
  }

  void OnEvent(const client::ConsumerEvent& event) {
    if (const auto* failed = std::get_if<client::PartitionFailed>(&event)) {
      partition_failure_ =
          WithContext("partition " + std::to_string(failed->partition.partition) + " of topic " +
                          failed->partition.topic + " cannot go on: ",
                      failed->status);
    } else if (std::holds_alternative<client::Disconnected>(event)) {
      disconnected_ = true;
      TellUnlessQuiet("the connection to " + session_.target() + " broke; trying again");
    } else if (std::holds_alternative<client::Connected>(event)) {
      if (std::exchange(disconnected_, false)) TellUnlessQuiet("connected again");
    } else if (const auto* assigned = std::get_if<client::PartitionsAssigned>(&event)) {
      if (InGroup()) TellUnlessQuiet("now reading " + PlacesOf(assigned->partitions));
    } else if (const auto* revoking = std::get_if<client::PartitionsRevoking>(&event)) {
      OnRevoking(*revoking);
    } else if (const auto* lost = std::get_if<client::PartitionsLost>(&event)) {
      OnLost(*lost);
    } else if (const auto* moved = std::get_if<client::PartitionRepositioned>(&event)) {
      TellUnlessQuiet("partition " + std::to_string(moved->partition.partition) + " of topic " +
                      moved->partition.topic + " goes on at offset " +
                      std::to_string(moved->to_offset) + " instead of " +
                      std::to_string(moved->from_offset));
    }
  }

  void OnLost(const client::PartitionsLost& lost) {
    if (lost.cause == client::LostCause::kTopicDeleted) {
      partition_failure_ = client::MakeError(absl::StatusCode::kNotFound,
                                             client::reason::kTopicNotFound, "it was deleted");
    } else {
      TellUnlessQuiet("another member now reads " + PlacesOf(lost.partitions));
    }
  }

  // Everything that was printed of them is flushed: they can go at once.
  void OnRevoking(const client::PartitionsRevoking& revoking) {
    TellUnlessQuiet("handing over " + PlacesOf(revoking.partitions));
    consumer_->CommitAsync();
  }

  bool InGroup() const { return !options_.start.group.empty(); }

  // "orders/0, orders/3", and how many more there are.
  static std::string PlacesOf(const std::vector<client::TopicPartition>& partitions) {
    constexpr size_t kNamed = 8;
    std::string out;
    for (size_t i = 0; i < std::min(partitions.size(), kNamed); ++i) {
      out += (i == 0 ? "" : ", ") + partitions[i].topic + "/" +
             std::to_string(partitions[i].partition);
    }
    if (partitions.size() <= kNamed) return out;
    return out + " and " + CountText(static_cast<int64_t>(partitions.size() - kNamed)) + " more";
  }
  static std::string PlacesOf(const std::vector<client::AssignedPartition>& assigned) {
    std::vector<client::TopicPartition> partitions;
    for (const client::AssignedPartition& entry : assigned) partitions.push_back(entry.partition);
    return PlacesOf(partitions);
  }

  void TellUnlessQuiet(const std::string& message) const {
    if (!options_.quiet) session_.Tell(message);
  }

  Session& session_;
  const ConsumeOptions& options_;
  Interrupts interrupts_;
  int64_t left_ = options_.count.value_or(std::numeric_limits<int64_t>::max());
  bool uncommitted_ = false;  // Records were printed that the group has not committed.
  absl::Time next_commit_;
  bool disconnected_ = false;
  absl::Status partition_failure_;
  std::unique_ptr<client::Consumer> consumer_;  // Its events use the members above.
};

absl::Status Consume(Session& session, const ConsumeOptions& options) {
  return ConsumeRun(session, options).Run();
}

void AddStartOptions(CLI::App& command, StartChoice& start) {
  CLI::Option* beginning = command.add_flag("--from-beginning", start.from_beginning,
                                            "Begin at the first record still kept");
  CLI::Option* offset =
      AddParsed(command, "--offset", start.offset, ParseOffset, "N|-N|earliest|latest",
                "Begin at an offset, or N records before the end of each partition");
  const auto parse_time = [](std::string_view text) {
    return ParseTime(text, absl::Now(), absl::LocalTimeZone());
  };
  CLI::Option* since =
      AddParsed(command, "--since", start.since, parse_time, "TIME",
                "Begin at the first record stored since: 10m (so long ago), 2026-11-23, "
                "2026-11-23T15:04:05Z, @1795446245");
  beginning->excludes(offset)->excludes(since);
  offset->excludes(since);
  command
      .add_option_function<std::vector<std::string>>(
          "-p,--partition",
          [&start](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              absl::StatusOr<int32_t> partition = ParsePartition(text);
              if (!partition.ok()) {
                throw CLI::ValidationError("--partition",
                                           std::string(partition.status().message()));
              }
              start.partitions.push_back(*partition);
            }
          },
          "Read only this partition; may be given several times")
      ->type_name("P")
      ->allow_extra_args(false);
  command
      .add_option("-g,--group", start.group,
                  "Read as this consumer group: begin where it stopped [the very first time: at "
                  "the first record], and commit what was printed")
      ->type_name("NAME");
}

void AddPrintOptions(CLI::App& command, ConsumeOptions& options) {
  CLI::Option* format =
      AddParsed(command, "-f,--format", options.format, FormatView, "FORMAT",
                "Print so: %t topic, %p partition, %o offset, %k key, %s value, %K %S their sizes, "
                "%h headers, %T append time in ms, %E event time, %R value size in 4 bytes, %%, "
                "\\n \\t \\0 \\xNN");
  CLI::Option* delimiter =
      AddParsed(command, "-D,--delimiter", options.delimiter, Unescape, "TEXT",
                "What to print after each record: \\n \\0 \\t \\xNN or any text [default: \\n]");
  CLI::Option* key = AddParsed(command, "-K,--key-delimiter", options.key_delimiter, Unescape,
                               "TEXT", "Print the key, and this between key and value");
  format->excludes(delimiter)->excludes(key);
}

}  // namespace

void AddConsumeCommand(CLI::App& root, Chosen& chosen, Session& session) {
  CLI::App* command = AddCommand(
      root, "consume", "Print records as they come, until Ctrl-C.",
      "  millrace consume test-topic                      what comes from now on\n"
      "  millrace consume test-topic --from-beginning -e  what there is, and exit\n"
      "  millrace consume orders --offset -10 -e          the last ten of each partition\n"
      "  millrace consume orders --since 1h -o json | jq .json\n"
      "  millrace consume orders --group billing          share it with the group's other members\n"
      "  millrace consume orders --group billing -n 100   the group's next hundred\n"
      "  millrace consume orders -f '%p/%o %k=%s\\n'\n"
      "  millrace consume packages --from-beginning -e -D '\\n\\n'\n",
      session);
  auto options = std::make_shared<ConsumeOptions>();
  command->add_option("TOPIC", options->start.topics, "The topics")->required()->type_name("");
  AddStartOptions(*command, options->start);
  AddParsed(*command, "-n,--count", options->count, ParsePositiveCount, "N",
            "Exit after so many records");
  command->add_flag("-e,--exit-at-end", options->exit_at_end,
                    "Exit after the records that are there now");
  AddPrintOptions(*command, *options);
  AddParsed(*command, "--commit-interval", options->commit_interval, ParseDuration, "DURATION",
            "How often a group commits [default: 1s]");
  command
      ->add_option("--instance-id", options->instance_id,
                   "A stable name of this member of the group, such as its pod's: its "
                   "partitions wait for it while it restarts")
      ->type_name("NAME");
  AddParsed(*command, "--retry-for", options->retry_for, ParseDuration, "DURATION",
            "How long the hub may be away [default: 2m with -e, else for ever]");
  command->add_flag("-q,--quiet", options->quiet,
                    "Do not tell of broken connections and of rebalances");
  SetBody(*command, chosen, options, Consume);
}

}  // namespace millrace::cli
