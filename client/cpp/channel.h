// What a Connection holds. Included by this library's own .cc files only: it brings in gRPC.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>

#include "millrace/connection.h"

namespace millrace::client {

struct Connection::Internals {
  ConnectionOptions options;
  std::shared_ptr<grpc::Channel> channel;
};

// Gives a single call its time limit: request_timeout from now.
void SetDeadline(grpc::ClientContext& context, const ConnectionOptions& options);

}  // namespace millrace::client
