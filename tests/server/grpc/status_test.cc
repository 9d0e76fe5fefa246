#include "server/grpc/status.h"

#include <gtest/gtest.h>

#include "server/contract/request_error.h"
#include "storage/error.h"
#include "tests/support/error_facts.h"

namespace millrace::server {
namespace {

using storage::Error;
using storage::Reason;
using testing::ErrorFacts;
using testing::FactsOf;

TEST(Status, OkStaysOk) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_EQ(ToRequestError(absl::OkStatus()).ByteSizeLong(), 0u);
}

TEST(Status, EveryReasonReachesTheWireInBothForms) {
  for (const storage::ReasonTraits& traits : storage::AllReasons()) {
    SCOPED_TRACE(traits.word);
    const absl::Status error = Error(traits.reason, "what happened", {{"topic", "orders"}});
    const ErrorFacts facts = FactsOf(ToGrpcStatus(error));
    EXPECT_EQ(static_cast<int>(facts.code), static_cast<int>(traits.code));
    EXPECT_EQ(facts.message, "what happened");
    EXPECT_EQ(facts.reason, traits.word);
    EXPECT_EQ(facts.domain, "millrace");
    EXPECT_EQ(facts.metadata, (std::map<std::string, std::string>{{"topic", "orders"}}));
    EXPECT_EQ(facts.retry_after_ms.has_value(), traits.retry_after.has_value());
    EXPECT_TRUE(facts.fields.empty());

    const v1::RequestError inside = ToRequestError(error);
    EXPECT_EQ(inside.code(), static_cast<int>(traits.code));
    EXPECT_EQ(inside.reason(), traits.word);
    EXPECT_EQ(inside.message(), "what happened");
    EXPECT_EQ(inside.metadata().at("topic"), "orders");
    EXPECT_EQ(inside.has_retry_after(), traits.retry_after.has_value());
    if (!traits.retry_after) continue;
    EXPECT_EQ(absl::Milliseconds(*facts.retry_after_ms), *traits.retry_after);
    EXPECT_EQ(absl::Seconds(inside.retry_after().seconds()) +
                  absl::Nanoseconds(inside.retry_after().nanos()),
              *traits.retry_after);
  }
}

TEST(Status, AFieldAtFaultIsABadRequestToo) {
  const ErrorFacts facts =
      FactsOf(ToGrpcStatus(Error(Reason::kInvalidConfig, "no", {{"field", "limit"}})));
  EXPECT_EQ(facts.fields, std::vector<std::string>{"limit"});
  EXPECT_EQ(facts.metadata.at("field"), "limit");
}

TEST(Status, AnErrorWithoutAReasonKeepsItsMessageInside) {
  const ErrorFacts facts = FactsOf(ToGrpcStatus(absl::DataLossError("/secret/path: bad block")));
  EXPECT_EQ(facts.code, grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(facts.reason, "INTERNAL");
  EXPECT_EQ(facts.message.find("secret"), std::string::npos);
  EXPECT_EQ(ToRequestError(absl::DataLossError("/secret/path")).message().find("secret"),
            std::string::npos);
}

TEST(Status, ManyFactsAndLongTextsSurvive) {
  storage::ErrorMetadata metadata;
  for (int i = 0; i < 200; ++i) metadata["name-" + std::to_string(i)] = std::string(300, 'x');
  const std::string message(5000, 'm');
  const ErrorFacts facts = FactsOf(ToGrpcStatus(Error(Reason::kDataLoss, message, metadata)));
  EXPECT_EQ(facts.message, message);
  EXPECT_EQ(facts.metadata, metadata);
}

}  // namespace
}  // namespace millrace::server
