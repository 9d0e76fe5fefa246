// What holds for every method of the contract: bytes that are no message, draining, the hub's
// description of itself, health and reflection.
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/test_hub.h"

namespace millrace::testing {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;
using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;

std::vector<std::string> ServiceNames() {
  return {"millrace.v1.EventHubService", "millrace.v1.GroupService", "millrace.v1.HubService",
          "millrace.v1.InspectionService", "millrace.v1.TopicService"};
}

std::vector<const MethodDescriptor*> AllMethods() {
  std::vector<const MethodDescriptor*> methods;
  for (const std::string& name : ServiceNames()) {
    const ServiceDescriptor* service = DescriptorPool::generated_pool()->FindServiceByName(name);
    EXPECT_NE(service, nullptr) << name;
    for (int i = 0; i < service->method_count(); ++i) methods.push_back(service->method(i));
  }
  return methods;
}

std::string PathOf(const MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name();
}

// Calls any method with these bytes and half-closes; gives how the call ends, and what it answered.
grpc::Status CallRaw(TestHub& hub, const std::string& path, const std::string& bytes,
                     std::vector<std::string>* answers = nullptr) {
  grpc::GenericStub stub(hub.channel());
  grpc::CompletionQueue queue;
  auto context = NewContext();
  const auto call = stub.PrepareCall(context.get(), path, &queue);
  const auto wait = [&] {
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return ok;
  };
  call->StartCall(nullptr);
  wait();
  const grpc::Slice slice(bytes);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
  wait();
  grpc::ByteBuffer answer;
  for (call->Read(&answer, nullptr); wait(); call->Read(&answer, nullptr)) {
    grpc::Slice whole;
    EXPECT_TRUE(answer.DumpToSingleSlice(&whole).ok());
    if (answers) answers->emplace_back(reinterpret_cast<const char*>(whole.begin()), whole.size());
  }
  grpc::Status status;
  call->Finish(&status, nullptr);
  wait();
  queue.Shutdown();
  return status;
}

TEST(Contract, EveryMethodRefusesBytesThatAreNoMessage) {
  TestHub hub;
  for (const MethodDescriptor* method : AllMethods()) {
    if (method->client_streaming()) continue;  // Answered inside the stream.
    SCOPED_TRACE(method->full_name());
    const ErrorFacts facts = FactsOf(CallRaw(hub, PathOf(*method), "\x0a\x7f no message"));
    EXPECT_EQ(facts.reason, "MALFORMED_REQUEST");
    EXPECT_EQ(facts.code, grpc::INVALID_ARGUMENT);
  }
}

TEST(Contract, EveryCallIsRefusedWhileTheHubDrains) {
  TestHub hub;
  hub.CreateTopic("orders");
  hub.hub().Drain();
  for (const MethodDescriptor* method : AllMethods()) {
    SCOPED_TRACE(method->full_name());
    const grpc::Status status = CallRaw(hub, PathOf(*method), "");
    if (method->name() == "GetHub") {
      EXPECT_TRUE(status.ok());
      continue;
    }
    if (method->client_streaming()) continue;
    const ErrorFacts facts = FactsOf(status);
    EXPECT_EQ(facts.code, grpc::UNAVAILABLE);
    EXPECT_EQ(facts.reason, "DRAINING");
    EXPECT_EQ(facts.retry_after_ms, 1000);
  }
}

TEST(Contract, GetHubTellsWhatIsInForce) {
  hub::HubOptions options;
  options.limits.max_record_bytes = 12345;
  options.limits.producer_idle_expiry = absl::Milliseconds(1500);
  options.default_durability = storage::Durability::kBuffered;
  options.topics.auto_create_partitions = 6;
  TestHub hub(options);
  v1::GetHubResponse response;
  ASSERT_TRUE(hub.hub_info().GetHub(NewContext().get(), v1::GetHubRequest(), &response).ok());
  const v1::HubInfo& info = response.hub();
  EXPECT_EQ(info.version(), "1.2.3-test");
  EXPECT_EQ(info.engine(), "memory");
  EXPECT_EQ(info.hub_id(), hub.engine().hub_id());
  EXPECT_EQ(info.log_epoch(), hub.engine().log_epoch().value());
  EXPECT_EQ(info.default_durability(), v1::DURABILITY_BUFFERED);
  EXPECT_EQ(info.auto_create_partitions(), 6);
  EXPECT_GT(info.start_time().seconds(), 1'600'000'000);
  EXPECT_TRUE(info.capabilities().atomic_produce());
  EXPECT_TRUE(info.capabilities().producer_sequences());
  EXPECT_EQ(info.capabilities().time_basis(), v1::TIME_BASIS_APPEND_TIME);
  EXPECT_EQ(info.limits().max_record_bytes(), 12345);
  EXPECT_EQ(info.limits().producer_idle_expiry().seconds(), 1);
  EXPECT_EQ(info.limits().producer_idle_expiry().nanos(), 500'000'000);
}

TEST(Contract, GetHubLeavesNoLimitOut) {
  TestHub hub;
  v1::GetHubResponse response;
  ASSERT_TRUE(hub.hub_info().GetHub(NewContext().get(), v1::GetHubRequest(), &response).ok());
  const v1::Limits& limits = response.hub().limits();
  std::vector<const google::protobuf::FieldDescriptor*> set;
  limits.GetReflection()->ListFields(limits, &set);
  EXPECT_EQ(static_cast<int>(set.size()), v1::Limits::descriptor()->field_count());
}

TEST(Contract, ReflectionListsEveryService) {
  TestHub hub;
  // ServerReflectionRequest { string list_services = 7; }: all of them.
  std::vector<std::string> answers;
  const grpc::Status status =
      CallRaw(hub, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              std::string("\x3a\x01*"), &answers);
  EXPECT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(answers.size(), 1u);
  for (const std::string& name : ServiceNames()) {
    EXPECT_NE(answers[0].find(name), std::string::npos) << name;
  }
  EXPECT_NE(answers[0].find("grpc.health.v1.Health"), std::string::npos);
}

// ---- Health

HealthCheckResponse::ServingStatus Check(TestHub& hub, const std::string& service) {
  HealthCheckRequest request;
  request.set_service(service);
  HealthCheckResponse response;
  const grpc::Status status = hub.health().Check(NewContext().get(), request, &response);
  if (status.error_code() == grpc::NOT_FOUND) return HealthCheckResponse::SERVICE_UNKNOWN;
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.status();
}

TEST(Health, ServesForTheHubAndEveryService) {
  TestHub hub;
  EXPECT_EQ(Check(hub, ""), HealthCheckResponse::SERVING);
  for (const std::string& name : ServiceNames()) {
    EXPECT_EQ(Check(hub, name), HealthCheckResponse::SERVING) << name;
  }
  EXPECT_EQ(Check(hub, "no.such.Service"), HealthCheckResponse::SERVICE_UNKNOWN);
}

TEST(Health, AWatcherIsToldOfTheDrain) {
  TestHub hub;
  auto context = NewContext();
  const auto watch = hub.health().Watch(context.get(), HealthCheckRequest());
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  hub.server().Stop(absl::Seconds(kPatienceSeconds));
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(watch->Read(&response));
}

TEST(Health, AWatcherOfAnUnknownServiceIsToldSo) {
  TestHub hub;
  auto context = NewContext();
  HealthCheckRequest request;
  request.set_service("no.such.Service");
  const auto watch = hub.health().Watch(context.get(), request);
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
}

TEST(Health, AWatcherMayLeave) {
  TestHub hub;
  for (int i = 0; i < 20; ++i) {
    auto context = NewContext();
    const auto watch = hub.health().Watch(context.get(), HealthCheckRequest());
    HealthCheckResponse response;
    if (i % 2 == 0) watch->Read(&response);
    context->TryCancel();
    EXPECT_EQ(watch->Finish().error_code(), grpc::CANCELLED);
  }
  EXPECT_EQ(Check(hub, ""), HealthCheckResponse::SERVING);
}

}  // namespace
}  // namespace millrace::testing
