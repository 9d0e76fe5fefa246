// InspectionService: reading and writing by hand, for a person with grpcurl.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include "millrace/v1/inspection.grpc.pb.h"
#include "server/contract/call_watch.h"
#include "server/hub/hub.h"

namespace millrace::server {

using InspectionBase = v1::InspectionService::WithRawCallbackMethod_Tail<
    v1::InspectionService::WithRawCallbackMethod_Send<v1::InspectionService::Service>>;

// Tail is an ordinary subscription, its records shown one a message.
//
// Threads: gRPC's. `hub` and `watch` outlive the service.
class InspectionService final : public InspectionBase {
 public:
  InspectionService(hub::Hub& hub, CallWatch& watch)
      : hub_(hub),
        tail_(watch.Method(Transport::kGrpc, "InspectionService/Tail")),
        send_(watch.Method(Transport::kGrpc, "InspectionService/Send")) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Tail(grpc::CallbackServerContext* context,
                                                   const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* Send(grpc::CallbackServerContext* context,
                                 const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) override;

 private:
  hub::Hub& hub_;
  ServedMethod& tail_;
  ServedMethod& send_;
};

}  // namespace millrace::server
