// ProduceStream: where many requests enter the hub over one stream. START HERE to follow a record:
// from a stream's OnReadDone to hub::Producing::Produce to storage::Engine::Write, and back through
// Answer.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>

#include "absl/container/flat_hash_set.h"
#include "server/contract/call_watch.h"
#include "server/hub/hub.h"

namespace millrace::server {

class ProduceStream;

// All open produce streams. Outlives them: destroy it after the gRPC server. Threads: any.
class ProduceStreams {
 public:
  // `hub` and `watch` outlive this object.
  ProduceStreams(hub::Hub& hub, CallWatch& watch)
      : hub_(hub),
        served_(watch.Method(Transport::kGrpc, "EventHubService/ProduceStream")),
        open_count_(watch.produce_streams) {}

  // The reactor owns itself and is gone when the call is done. Never blocks.
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Start(
      grpc::CallbackServerContext* context);

  // Every stream reads no further request, gives the answers it owes, and ends with DRAINING; so
  // does every later one.
  void Drain();

 private:
  friend class ProduceStream;
  void Remove(ProduceStream* stream);

  hub::Hub& hub_;
  ServedMethod& served_;
  OpenCount& open_count_;
  std::mutex mutex_;
  bool draining_ = false;
  absl::flat_hash_set<ProduceStream*> open_;
};

}  // namespace millrace::server
