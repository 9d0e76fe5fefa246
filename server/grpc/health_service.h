// The standard grpc.health.v1.Health, over the generated service so that reflection shows it.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"

namespace millrace::server {

// Threads: any. Outlives the gRPC server.
class HealthService final : public ::grpc::health::v1::Health::CallbackService {
 public:
  // `services` are known besides "", which stands for the whole hub; all share one state.
  explicit HealthService(std::vector<std::string> services);

  // SERVING before; NOT_SERVING from now on. Watchers are told.
  void StopServing();

  // Ends all watches; for the shutdown, which waits for them.
  void EndWatches();

  ::grpc::ServerUnaryReactor* Check(::grpc::CallbackServerContext* context,
                                    const ::grpc::health::v1::HealthCheckRequest* request,
                                    ::grpc::health::v1::HealthCheckResponse* response) override;
  ::grpc::ServerWriteReactor<::grpc::health::v1::HealthCheckResponse>* Watch(
      ::grpc::CallbackServerContext* context,
      const ::grpc::health::v1::HealthCheckRequest* request) override;

 private:
  class Watcher;

  ::grpc::health::v1::HealthCheckResponse::ServingStatus StateOf(const std::string& service) const;

  const std::set<std::string> services_;
  mutable std::mutex mutex_;
  bool serving_ = true;
  bool ended_ = false;
  std::set<Watcher*> watchers_;
};

}  // namespace millrace::server
