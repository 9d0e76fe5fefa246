// One member of a consumer group: order_member HOST:PORT TOPIC GROUP [INSTANCE_ID]
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "millrace/v1/event_hub.grpc.pb.h"
#include "order.pb.h"

namespace v1 = millrace::v1;

volatile std::sig_atomic_t stopping = 0;

std::string Text(const v1::Record& record) {
  if (!record.has_value()) return "cancelled";  // A tombstone.
  shop::Order order;
  if (!order.ParseFromString(record.value())) return "no order";
  return absl::StrCat(order.quantity(), " x ", order.item(), " for ", order.price_cents(),
                      " cents");
}

// Your work goes here. Answers how far it has come.
v1::OffsetCommit Process(const v1::RecordBatch& batch) {
  int64_t offset = batch.base_offset();
  for (const v1::Record& record : batch.records()) {
    std::cout << batch.partition() << ' ' << offset++ << ' '
              << absl::BytesToHexString(record.SerializeAsString()) << ' ' << record.key() << ": "
              << Text(record) << std::endl;
  }
  v1::OffsetCommit done;
  done.set_topic(batch.topic());
  done.set_partition(batch.partition());
  done.set_next_offset(offset);
  done.set_position_epoch(batch.position_epoch());
  return done;
}

// Reads one stream. Answers the program's exit code, or nothing to subscribe again.
std::optional<int> Read(v1::EventHubService::Stub& hub, v1::SubscribeRequest& request) {
  grpc::ClientContext context;  // Its end is the stream's, whatever happens.
  const auto frames = hub.Subscribe(&context, request);  // The open stream is the membership.
  v1::CommitOffsetRequest commit;
  commit.set_group(request.group());
  v1::SubscribeResponse frame;
  while (frames->Read(&frame)) {
    if (frame.has_session_started()) {
      const v1::SessionStarted& me = frame.session_started();
      request.set_resume_member_id(me.member_id());  // For when the stream breaks.
      commit.set_member_id(me.member_id());
      commit.set_member_epoch(me.member_epoch());
    }
    commit.clear_offsets();
    for (const v1::RecordBatch& batch : frame.batches().batches()) {
      *commit.add_offsets() = Process(batch);
    }
    const bool last = stopping;
    commit.set_leave(last && request.instance_id().empty());  // An instance comes back.
    if (commit.offsets_size() > 0 || commit.leave()) {  // When `revoking` comes all is committed.
      grpc::ClientContext call;
      call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
      v1::CommitOffsetResponse answer;
      const grpc::Status status = hub.CommitOffset(&call, commit, &answer);
      if (!status.ok()) {
        std::cerr << status.error_message() << std::endl;
        return std::nullopt;
      }
    }
    if (last) return 0;
    if (frame.has_ending() && !frame.ending().retry()) {
      std::cerr << frame.ending().message() << std::endl;
      return 1;
    }
  }
  std::cerr << frames->Finish().error_message() << std::endl;
  return std::nullopt;  // The hub restarts, say: come back and take the old place.
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  std::signal(SIGTERM, [](int) { stopping = 1; });
  std::signal(SIGINT, [](int) { stopping = 1; });
  grpc::ChannelArguments options;
  options.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);  // Finds a dead connection.
  v1::EventHubService::Stub hub(
      grpc::CreateCustomChannel(argv[1], grpc::InsecureChannelCredentials(), options));
  v1::SubscribeRequest request;
  request.add_topics(argv[2]);
  request.set_group(argv[3]);
  request.set_instance_id(argc > 4 ? argv[4] : "");
  request.mutable_heartbeat_interval()->set_seconds(1);  // So that `stopping` is seen in time.
  while (!stopping) {
    if (const std::optional<int> code = Read(hub, request)) return *code;
    if (!stopping) std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}
