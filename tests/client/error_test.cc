#include "millrace/error.h"

#include <grpcpp/support/status.h>
#include <gtest/gtest.h>

#include "client/cpp/backoff.h"
#include "client/cpp/status.h"
#include "client/cpp/wire.h"
#include "millrace/v1/error.pb.h"

namespace millrace::client {
namespace {

TEST(Errors, CarryReasonFactsAndRetry) {
  const absl::Status error =
      MakeError(absl::StatusCode::kResourceExhausted, reason::kDiskFull, "full",
                {{"path", "data"}, {"free_bytes", "0"}}, absl::Milliseconds(1500));
  EXPECT_EQ(error.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(error), "DISK_FULL");
  EXPECT_EQ(MetadataOf(error), (ErrorMetadata{{"free_bytes", "0"}, {"path", "data"}}));
  EXPECT_EQ(RetryAfterOf(error), absl::Milliseconds(1500));
}

TEST(Errors, WithoutAReasonSayNothing) {
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
  EXPECT_EQ(ReasonOf(absl::UnavailableError("no connection")), "");
  EXPECT_EQ(RetryAfterOf(absl::UnavailableError("no connection")), std::nullopt);
  EXPECT_FALSE(HasReason(absl::OkStatus(), ""));
}

// google.rpc.Status as the standard libraries write it.
TEST(Errors, AreReadFromTheStandardDetails) {
  std::string entry, info, info_any, retry, retry_any, details;
  AppendBytesField(entry, 1, "topic");
  AppendBytesField(entry, 2, "orders");
  AppendBytesField(info, 1, "TOPIC_NOT_FOUND");
  AppendBytesField(info, 2, "millrace");
  AppendBytesField(info, 3, entry);
  AppendBytesField(info_any, 1, "type.googleapis.com/google.rpc.ErrorInfo");
  AppendBytesField(info_any, 2, info);
  AppendBytesField(retry, 1, EncodeDuration(absl::Seconds(2)));
  AppendBytesField(retry_any, 1, "type.googleapis.com/google.rpc.RetryInfo");
  AppendBytesField(retry_any, 2, retry);
  AppendVarintField(details, 1, 5);
  AppendBytesField(details, 2, "no such topic");
  AppendBytesField(details, 3, info_any);
  AppendBytesField(details, 3, retry_any);

  const absl::Status error =
      FromGrpc(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such topic", details));
  EXPECT_EQ(error.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(error.message(), "no such topic");
  EXPECT_EQ(ReasonOf(error), "TOPIC_NOT_FOUND");
  EXPECT_EQ(MetadataOf(error).at("topic"), "orders");
  EXPECT_EQ(RetryAfterOf(error), absl::Seconds(2));
}

TEST(Errors, InsideAnAnswerSayTheSame) {
  v1::RequestError in_answer;
  in_answer.set_code(9);
  in_answer.set_reason("SEQUENCE_GAP");
  (*in_answer.mutable_metadata())["expected_sequence"] = "7";
  const absl::Status error = FromRequestError(in_answer);
  EXPECT_EQ(error.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(HasReason(error, reason::kSequenceGap));
  EXPECT_EQ(MetadataOf(error).at("expected_sequence"), "7");
  EXPECT_FALSE(IsTransient(error));
}

TEST(Errors, ArePassingWhereTheHubIsAwayOrSaysSo) {
  EXPECT_TRUE(IsTransient(absl::UnavailableError("")));
  EXPECT_TRUE(IsTransient(MakeError(absl::StatusCode::kResourceExhausted, reason::kDiskFull, "", {},
                                    absl::Seconds(5))));
  EXPECT_FALSE(IsTransient(absl::OkStatus()));
  EXPECT_FALSE(IsTransient(absl::NotFoundError("")));
  EXPECT_FALSE(IsTransient(absl::ResourceExhaustedError("")));
}

TEST(Backoff, GrowsToItsMaximumAndBeginsAnewAfterASuccess) {
  double random = 0;
  Backoff backoff({.initial = absl::Milliseconds(100),
                   .max = absl::Milliseconds(350),
                   .multiplier = 2,
                   .jitter = 0.5},
                  [&] { return random; });
  EXPECT_EQ(backoff.Next(), absl::Milliseconds(100));
  EXPECT_EQ(backoff.Next(), absl::Milliseconds(200));
  EXPECT_EQ(backoff.Next(), absl::Milliseconds(350));
  EXPECT_EQ(backoff.Next(), absl::Milliseconds(350));
  random = 0.5;
  EXPECT_EQ(backoff.Next(), absl::Milliseconds(350) * 0.75);
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), absl::Milliseconds(75));
}

}  // namespace
}  // namespace millrace::client
