// Sends orders, each stored once however often it is sent: order_producer HOST:PORT TOPIC < LINES
// A line is "number,item,quantity,price_cents"; a number alone cancels the order.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "millrace/v1/event_hub.grpc.pb.h"
#include "order.pb.h"

using millrace::v1::EventHubService;

void Fail(const std::string& why) {
  std::cerr << why << std::endl;
  std::exit(1);
}

// Makes the record of a line; false if it is no order.
bool MakeRecord(const std::string& line, millrace::v1::Record& record) {
  const std::vector<std::string> fields = absl::StrSplit(line, ',');
  record.set_key(fields[0]);  // Orders of one number stay in order.
  const auto add_header = [&](const char* name) {
    millrace::v1::Header* const header = record.add_headers();
    header->set_name(name);
    return header;
  };
  add_header("source")->set_value("cpp");
  add_header("schema")->set_value(std::string("\x00\x01\xfe\xff", 4));  // Any bytes,
  add_header("note")->set_value("");                                    // or none,
  add_header("gift");                                                   // or no value at all.
  if (fields.size() == 1) return true;  // Without a value: a tombstone.
  int32_t quantity;
  int64_t price_cents;
  if (fields.size() != 4 || !absl::SimpleAtoi(fields[2], &quantity) ||
      !absl::SimpleAtoi(fields[3], &price_cents)) {
    return false;
  }
  shop::Order order;
  order.set_item(fields[1]);
  order.set_quantity(quantity);
  order.set_price_cents(price_cents);
  record.set_value(order.SerializeAsString());
  return true;
}

// Calls until the hub answers. A repeated request is stored once, since the hub knows its sequence.
template <class Request, class Response>
Response Answer(EventHubService::Stub& hub,
                grpc::Status (EventHubService::Stub::*call)(grpc::ClientContext*, const Request&,
                                                            Response*),
                const Request& request) {
  while (true) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    Response response;
    const grpc::Status status = (hub.*call)(&context, request, &response);
    switch (status.error_code()) {
      case grpc::OK:
        return response;
      case grpc::UNAVAILABLE:
      case grpc::RESOURCE_EXHAUSTED:
      case grpc::DEADLINE_EXCEEDED:
        std::cerr << status.error_message() << std::endl;
        break;
      default:  // The hub refuses it.
        Fail(status.error_message());
    }
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

int main(int argc, char** argv) {
  if (argc != 3) Fail("order_producer HOST:PORT TOPIC < LINES");
  EventHubService::Stub hub(grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
  const auto me =
      Answer(hub, &EventHubService::Stub::OpenProducer, millrace::v1::OpenProducerRequest());
  millrace::v1::ProduceRequest request;
  request.set_topic(argv[2]);
  request.mutable_sequence()->set_producer_id(me.producer_id());
  request.mutable_sequence()->set_epoch(me.epoch());
  int64_t sequence = me.last_sequence();
  for (std::string line; std::getline(std::cin, line);) {
    request.clear_records();
    if (!MakeRecord(line, *request.add_records())) Fail("not an order: " + line);
    request.mutable_sequence()->set_sequence(++sequence);
    const auto answer = Answer(hub, &EventHubService::Stub::Produce, request);
    for (const auto& stored : answer.appended()) {
      std::cout << "partition " << stored.partition() << ", offset " << stored.base_offset()
                << std::endl;
    }
  }
}
