// Sends one event to the hub named on the command line and receives it.
#include <iostream>

#include "millrace/admin.h"
#include "millrace/consumer.h"
#include "millrace/producer.h"

namespace {

int Fail(const absl::Status& status) {
  std::cerr << status << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto connection = millrace::client::Connection::Open({.target = argv[1]});
  millrace::client::Admin admin(connection);
  if (auto topic = admin.CreateTopic("outside"); !topic.ok()) return Fail(topic.status());

  auto producer = millrace::client::Producer::Open(connection);
  if (!producer.ok()) return Fail(producer.status());
  if (auto sent = (*producer)->Send("outside", {.key = "greeting", .value = "hello"}); !sent.ok()) {
    return Fail(sent);
  }
  if (auto done = (*producer)->Flush(absl::Seconds(30)); !done.ok()) return Fail(done);

  auto consumer = millrace::client::Consumer::Open(
      connection, {.topics = {"outside"}, .start = millrace::client::Earliest{}});
  if (!consumer.ok()) return Fail(consumer.status());
  auto record = (*consumer)->Next(absl::Seconds(30));
  if (!record.ok()) return Fail(record.status());
  if (!*record) return Fail(absl::NotFoundError("no event came"));
  std::cout << *(*record)->key << " " << *(*record)->value << "\n";
  return 0;
}
