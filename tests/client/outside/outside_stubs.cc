// Calls the hub by its bare generated stub: outside_stubs HOST:PORT.
#include <grpcpp/grpcpp.h>

#include <cstdio>

#include "millrace/v1/hub.grpc.pb.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  millrace::v1::HubService::Stub stub(channel);
  grpc::ClientContext context;
  millrace::v1::GetHubResponse response;
  const grpc::Status status = stub.GetHub(&context, {}, &response);
  std::printf("%s %s\n", status.error_message().c_str(), response.hub().version().c_str());
  return status.ok() && !response.hub().version().empty() ? 0 : 1;
}
