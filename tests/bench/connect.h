// A connection to a hub, as the programs that measure make one.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace millrace::bench {

// A connection of its own: gRPC would share one between channels to the same target.
inline std::shared_ptr<grpc::Channel> Connect(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace millrace::bench
