#include "server/grpc/health_service.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <optional>

namespace millrace::server {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

// Writes the state, and again whenever it has changed. Owns itself; every member is guarded by the
// service's mutex.
class HealthService::Watcher final : public ::grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  Watcher(HealthService& service, std::string name) : service_(service), name_(std::move(name)) {}

  void Update() {
    if (finished_ || writing_) return;
    const auto state = service_.StateOf(name_);
    if (service_.ended_ && told_ == state) return End(::grpc::Status::OK);
    if (told_ == state) return;
    told_ = state;
    response_.set_status(state);
    writing_ = true;
    StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    std::lock_guard lock(service_.mutex_);
    writing_ = false;
    if (!ok || cancelled_) return End(::grpc::Status::CANCELLED);
    Update();
  }

  void OnCancel() override {
    std::lock_guard lock(service_.mutex_);
    cancelled_ = true;
    if (!writing_) End(::grpc::Status::CANCELLED);
  }

  void OnDone() override {
    {
      std::lock_guard lock(service_.mutex_);
      service_.watchers_.erase(this);
    }
    delete this;
  }

 private:
  void End(const ::grpc::Status& status) {
    if (finished_) return;
    finished_ = true;
    Finish(status);
  }

  HealthService& service_;
  const std::string name_;
  HealthCheckResponse response_;
  std::optional<HealthCheckResponse::ServingStatus> told_;
  bool writing_ = false;
  bool cancelled_ = false;
  bool finished_ = false;
};

HealthService::HealthService(std::vector<std::string> services)
    : services_(services.begin(), services.end()) {}

HealthCheckResponse::ServingStatus HealthService::StateOf(const std::string& service) const {
  if (!service.empty() && !services_.contains(service)) return HealthCheckResponse::SERVICE_UNKNOWN;
  return serving_ ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

void HealthService::StopServing() {
  std::lock_guard lock(mutex_);
  serving_ = false;
  for (Watcher* watcher : watchers_) watcher->Update();
}

void HealthService::EndWatches() {
  std::lock_guard lock(mutex_);
  ended_ = true;
  for (Watcher* watcher : watchers_) watcher->Update();
}

::grpc::ServerUnaryReactor* HealthService::Check(::grpc::CallbackServerContext* context,
                                                 const HealthCheckRequest* request,
                                                 HealthCheckResponse* response) {
  ::grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  std::lock_guard lock(mutex_);
  const auto state = StateOf(request->service());
  if (state == HealthCheckResponse::SERVICE_UNKNOWN) {
    reactor->Finish({::grpc::StatusCode::NOT_FOUND, "there is no such service"});
  } else {
    response->set_status(state);
    reactor->Finish(::grpc::Status::OK);
  }
  return reactor;
}

::grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(
    ::grpc::CallbackServerContext* /*context*/, const HealthCheckRequest* request) {
  auto* watcher = new Watcher(*this, request->service());
  std::lock_guard lock(mutex_);
  watchers_.insert(watcher);
  watcher->Update();
  return watcher;
}

}  // namespace millrace::server
