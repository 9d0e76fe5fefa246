// The stubs that Admin calls.
#pragma once

#include <grpcpp/client_context.h>

#include <memory>
#include <utility>

#include "client/cpp/channel.h"
#include "client/cpp/status.h"
#include "millrace/admin.h"
#include "millrace/v1/event_hub.grpc.pb.h"
#include "millrace/v1/group.grpc.pb.h"
#include "millrace/v1/hub.grpc.pb.h"
#include "millrace/v1/topic.grpc.pb.h"

namespace millrace::client {

struct Admin::Stubs {
  explicit Stubs(std::shared_ptr<Connection> c)
      : connection(std::move(c)),
        topics(connection->internals().channel),
        events(connection->internals().channel),
        groups(connection->internals().channel),
        hub(connection->internals().channel) {}

  // Makes one call, `method` of `stub`.
  template <typename Stub, typename Request, typename Response>
  absl::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    Stub& stub, const Request& request, Response& response) {
    grpc::ClientContext context;
    SetDeadline(context, connection->options());
    return FromGrpc((stub.*method)(&context, request, &response));
  }

  std::shared_ptr<Connection> connection;
  v1::TopicService::Stub topics;
  v1::EventHubService::Stub events;
  v1::GroupService::Stub groups;
  v1::HubService::Stub hub;
};

}  // namespace millrace::client
