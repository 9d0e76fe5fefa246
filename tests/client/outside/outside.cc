// Creates a topic, sends a hundred records and receives them: outside HOST:PORT.
#include <cstdio>
#include <string>

#include "millrace/admin.h"
#include "millrace/consumer.h"
#include "millrace/producer.h"

namespace {

using namespace millrace::client;

absl::Status SendAndReceive(const std::string& target) {
  const auto connection = *Connection::Open({.target = target});
  Admin admin(connection);
  const auto topic = admin.CreateTopic("outside", 1);
  if (!topic.ok()) return topic.status();

  auto producer = Producer::Open(connection);
  if (!producer.ok()) return producer.status();
  for (int i = 0; i < 100; ++i) {
    const absl::Status sent = (*producer)->Send("outside", {.value = std::to_string(i)});
    if (!sent.ok()) return sent;
  }
  const absl::Status flushed = (*producer)->Flush(absl::Seconds(30));
  if (!flushed.ok()) return flushed;

  auto consumer = Consumer::Open(connection, {.topics = {"outside"}, .start = Earliest()});
  if (!consumer.ok()) return consumer.status();
  for (int i = 0; i < 100;) {
    const auto records = (*consumer)->Poll(absl::Seconds(30));
    if (!records.ok()) return records.status();
    if (records->empty()) return absl::DeadlineExceededError("no more records came");
    for (const ReceivedRecord& record : *records) {
      if (record.offset != i || record.value != std::to_string(i)) {
        return absl::DataLossError("a record is not what was sent");
      }
      ++i;
    }
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const absl::Status status = SendAndReceive(argv[1]);
  std::printf("%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
