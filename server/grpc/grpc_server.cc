#include "server/grpc/grpc_server.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "server/grpc/connection_acceptor.h"
#include "server/grpc/event_hub_service.h"
#include "server/grpc/group_service.h"
#include "server/grpc/health_service.h"
#include "server/grpc/hub_service.h"
#include "server/grpc/inspection_service.h"
#include "server/grpc/tls_credentials.h"
#include "server/grpc/topic_service.h"

namespace millrace::server {

struct GrpcServer::Services {
  Services(hub::Hub& hub, const GrpcServerOptions& options)
      : watch(options.watch),
        produce_streams(hub, *watch),
        inspection(hub, *watch),
        health({"millrace.v1.EventHubService", "millrace.v1.TopicService",
                "millrace.v1.GroupService", "millrace.v1.InspectionService",
                "millrace.v1.HubService"}) {
    others.push_back(MakeEventHubService(hub, *watch, produce_streams));
    others.push_back(MakeTopicService(hub, *watch));
    others.push_back(MakeGroupService(hub, *watch));
    others.push_back(MakeHubService(hub, *watch, options.version));
  }

  const std::shared_ptr<CallWatch> watch;
  ProduceStreams produce_streams;
  InspectionService inspection;
  HealthService health;
  std::vector<std::unique_ptr<grpc::Service>> others;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<ConnectionAcceptor> acceptor;
};

namespace {

constexpr int kMilliseconds = 1000;
// What all connections together may use for what they have received and not handed on.
constexpr size_t kTransportBytes = size_t{1} << 30;

// What keeps one client from harming the others; README.md says from which attacks.
void ApplyLimits(const hub::Limits& limits, grpc::ServerBuilder& builder) {
  // A request over the limit should get BATCH_TOO_LARGE rather than be cut off by the transport.
  const int64_t slack = limits.max_request_bytes / 4 + (64 << 10);
  builder.SetMaxReceiveMessageSize(static_cast<int>(limits.max_request_bytes + slack));
  builder.SetMaxSendMessageSize(-1);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10 * kMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 1000);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE,
                             static_cast<int>(limits.max_metadata_bytes));
  grpc::ResourceQuota quota("millrace");
  quota.Resize(kTransportBytes);
  builder.SetResourceQuota(quota);
}

// Finds peers that are gone within 20 s, and allows clients to do the same.
void ApplyKeepalive(grpc::ServerBuilder& builder) {
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 10 * kMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10 * kMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             5 * kMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
}

// Listens, and has connections guarded.
absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> Bind(const hub::Limits& limits,
                                                         const GrpcServerOptions& options) {
  const auto& refused = options.watch->refused_by_grpc;
  // A call with somewhat too large headers should get an answer rather than be cut off.
  const Http2Limits http2 = {.header_block_bytes = 4 * limits.max_metadata_bytes};
  return ConnectionAcceptor::Bind(options.listen,
                                  {.connections = limits.max_connections,
                                   .connections_per_address = options.max_connections_per_address,
                                   .streams_per_address = options.max_streams_per_address,
                                   .http2 = http2,
                                   .tls = options.tls.has_value()},
                                  refused);
}

// gRPC and protobuf write lines of their own for what clients do wrong and the hub answers;
// GRPC_VERBOSITY brings them back.
void KeepLibrariesQuiet() {
  if (std::getenv("GRPC_VERBOSITY") != nullptr) return;
  google::protobuf::SetLogHandler(nullptr);
  gpr_set_log_verbosity(static_cast<gpr_log_severity>(GPR_LOG_SEVERITY_ERROR + 1));
}

}  // namespace

GrpcServer::GrpcServer(hub::Hub& hub, const GrpcServerOptions& options)
    : hub_(hub), services_(std::make_unique<Services>(hub, options)) {}

GrpcServer::~GrpcServer() { Stop(absl::ZeroDuration()); }

int GrpcServer::port() const { return services_->acceptor->port(); }

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(hub::Hub& hub,
                                                              const GrpcServerOptions& options) {
  static const bool reflection [[maybe_unused]] = [] {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    KeepLibrariesQuiet();
    return true;
  }();
  auto acceptor = Bind(hub.limits(), options);
  if (!acceptor.ok()) return acceptor.status();
  std::unique_ptr<GrpcServer> server(new GrpcServer(hub, options));
  Services& services = *server->services_;
  grpc::ServerBuilder builder;
  using ServerBuilder = grpc::ServerBuilder::experimental_type;
  auto connections = builder.experimental().AddExternalConnectionAcceptor(
      ServerBuilder::ExternalConnectionType::FROM_FD,
      options.tls ? MakeTlsCredentials(*options.tls) : grpc::InsecureServerCredentials());
  for (const auto& service : services.others) builder.RegisterService(service.get());
  builder.RegisterService(&services.inspection);
  builder.RegisterService(&services.health);
  ApplyLimits(hub.limits(), builder);
  ApplyKeepalive(builder);
  services.server = builder.BuildAndStart();
  if (services.server == nullptr) return absl::InternalError("gRPC did not start");
  services.acceptor = *std::move(acceptor);
  services.acceptor->Start(std::move(connections));
  return server;
}

void GrpcServer::Stop(absl::Duration grace) {
  if (services_->server == nullptr) return;
  services_->health.StopServing();
  hub_.Drain();
  services_->produce_streams.Drain();
  services_->health.EndWatches();
  services_->acceptor->Stop();
  services_->server->Shutdown(absl::ToChronoTime(absl::Now() + grace));
  services_->server->Wait();
  services_->server = nullptr;
}

}  // namespace millrace::server
