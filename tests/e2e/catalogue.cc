// Publishes and follows Debian's package catalogue with the C++ client, for test_catalogue.py.
//
//     apt-cache dumpavail | millrace-catalogue publish --target HOST:PORT --topic TOPIC
//     millrace-catalogue follow --target HOST:PORT --topic TOPIC --group GROUP [--exit-at-end]
//
// `follow` prints records as `millrace consume --format '%p %o %K %S %h\n%k%s\n'` does, and commits
// what it printed.
#include <CLI/CLI.hpp>
#include <atomic>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "millrace/consumer.h"
#include "millrace/producer.h"

namespace {

using namespace millrace::client;  // NOLINT(google-build-using-namespace): an example's brevity.

constexpr std::string_view kBlankLine = "\n\n";

struct Options {
  std::string target;
  std::string topic;
  std::string group;
  bool exit_at_end = false;
};

int Fail(const absl::Status& status) {
  std::cerr << "millrace-catalogue: " << status << "\n";
  return 1;
}

// The value of the line "name: value" of a stanza; empty where there is none.
std::string FieldOf(std::string_view stanza, std::string_view name) {
  const std::string start = std::string(name) + ": ";
  size_t at = 0;
  while (stanza.substr(at, start.size()) != start) {
    at = stanza.find('\n', at);
    if (at++ == std::string_view::npos) return "";
  }
  at += start.size();
  return std::string(stanza.substr(at, stanza.find('\n', at) - at));
}

Record RecordOf(std::string_view stanza) {
  return {.key = FieldOf(stanza, "Package"),
          .value = std::string(stanza),
          .headers = {{"section", FieldOf(stanza, "Section")},
                      {"priority", FieldOf(stanza, "Priority")}}};
}

// Takes what has arrived on standard input, and gives stanza after stanza.
class Stanzas {
 public:
  bool Next(std::string& stanza) {
    size_t end;
    while ((end = rest_.find(kBlankLine, begin_)) == std::string::npos) {
      rest_.erase(0, begin_);
      begin_ = 0;
      const size_t had = rest_.size();
      rest_.resize(had + kPiece);
      std::cin.read(rest_.data() + had, kPiece);
      rest_.resize(had + static_cast<size_t>(std::cin.gcount()));
      if (rest_.size() == had) {
        stanza = std::exchange(rest_, "");
        return !stanza.empty();
      }
    }
    stanza = rest_.substr(begin_, end - begin_);
    begin_ = end + kBlankLine.size();
    return true;
  }

 private:
  static constexpr size_t kPiece = 64 << 10;

  std::string rest_;  // From begin_ on: read and not given yet.
  size_t begin_ = 0;
};

int Publish(const Options& options) {
  auto producer = Producer::Open(*Connection::Open({.target = options.target}));
  if (!producer.ok()) return Fail(producer.status());
  std::atomic<int64_t> stored = 0;
  Stanzas stanzas;
  for (std::string stanza; stanzas.Next(stanza);) {
    const absl::Status sent =
        (*producer)->Send(options.topic, RecordOf(stanza), [&](const absl::StatusOr<Delivery>& d) {
          if (d.ok()) ++stored;
        });
    if (!sent.ok()) return Fail(sent);
  }
  if (absl::Status status = (*producer)->Close(absl::Minutes(2)); !status.ok()) return Fail(status);
  std::cerr << "stored " << stored << "\n";
  return 0;
}

void Print(const ReceivedRecord& record) {
  std::cout << record.partition << " " << record.offset << " " << record.key->size() << " "
            << record.value->size() << " ";
  const char* separator = "";
  for (const Header& header : record.headers) {
    std::cout << separator << header.name << "=" << *header.value;
    separator = ",";
  }
  std::cout << "\n" << *record.key << *record.value << "\n";
}

int Follow(const Options& options) {
  auto consumer = Consumer::Open(
      *Connection::Open({.target = options.target}),
      {.topics = {options.topic}, .group = options.group, .end_at_current = options.exit_at_end});
  if (!consumer.ok()) return Fail(consumer.status());
  while (!(*consumer)->ended()) {
    const auto records = (*consumer)->Poll(absl::Seconds(1), 500);
    if (!records.ok()) return Fail(records.status());
    if (records->empty()) continue;
    for (const ReceivedRecord& record : *records) Print(record);
    std::cout.flush();
    if (absl::Status status = (*consumer)->Commit(); !status.ok()) return Fail(status);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Publishes and follows Debian's package catalogue.");
  app.require_subcommand(1);
  Options options;
  CLI::App* publish = app.add_subcommand("publish", "Stanzas from standard input");
  CLI::App* follow = app.add_subcommand("follow", "Prints and commits records");
  for (CLI::App* command : {publish, follow}) {
    command->add_option("--target", options.target)->required();
    command->add_option("--topic", options.topic)->required();
  }
  follow->add_option("--group", options.group)->required();
  follow->add_flag("--exit-at-end", options.exit_at_end);
  CLI11_PARSE(app, argc, argv);
  std::ios::sync_with_stdio(false);
  return publish->parsed() ? Publish(options) : Follow(options);
}
