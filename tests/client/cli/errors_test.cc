#include "client/cli/errors.h"

#include <gtest/gtest.h>

#include "millrace/error.h"

namespace millrace::cli {
namespace {

TEST(ExitCodeOf, TellsUsageMissingAndUnreachableApart) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kOk);
  EXPECT_EQ(ExitCodeOf(UsageError("no")), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("the hub says no")), ExitCode::kFailed);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("")), ExitCode::kNotFound);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("")), ExitCode::kUnavailable);
  EXPECT_EQ(ExitCodeOf(absl::DeadlineExceededError("")), ExitCode::kUnavailable);
}

TEST(ErrorLine, HasTheReasonAndWhatToDo) {
  EXPECT_EQ(
      ErrorLine(client::MakeError(absl::StatusCode::kNotFound, "TOPIC_NOT_FOUND",
                                  "there is no topic \"x\""),
                "h:1"),
      "millrace: TOPIC_NOT_FOUND: there is no topic \"x\"; \"millrace topic list\" shows what "
      "there is, \"millrace topic create\" makes a topic");
}

TEST(ErrorLine, NamesTheTargetAndHowToStartAHubWhereNoneAnswers) {
  const std::string line = ErrorLine(
      absl::UnavailableError("failed to connect to all addresses; last error: UNKNOWN: "
                             "ipv4:127.0.0.1:9: Failed to connect to remote host: Connection "
                             "refused"),
      "localhost:9");
  EXPECT_EQ(line,
            "millrace: UNAVAILABLE: no hub answers at localhost:9 (Connection refused); start one "
            "with \"millrace-server --data-dir DIR --listen localhost:9\" or name another with "
            "--target HOST:PORT");
}

TEST(ErrorLine, StaysOnOneLine) {
  EXPECT_EQ(ErrorLine(UsageError("a\nb"), "h:1"), "millrace: a b");
}

TEST(WithContext, KeepsCodeAndReason) {
  const absl::Status status = WithContext(
      "record 3: ", client::MakeError(absl::StatusCode::kNotFound, "TOPIC_NOT_FOUND", "gone"));
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(status.message(), "record 3: gone");
  EXPECT_EQ(client::ReasonOf(status), "TOPIC_NOT_FOUND");
  EXPECT_EQ(ExitCodeOf(WithContext("x: ", UsageError("no"))), ExitCode::kUsage);
}

}  // namespace
}  // namespace millrace::cli
