#include "client/cli/errors.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "absl/strings/cord.h"
#include "millrace/error.h"

namespace millrace::cli {
namespace {

constexpr char kUsagePayload[] = "millrace.cli/usage";

bool IsUsageError(const absl::Status& status) {
  return status.GetPayload(kUsagePayload).has_value();
}

struct Advice {
  std::string_view reason;
  std::string_view text;
};
constexpr std::array<Advice, 12> kAdvice = {{
    {"TOPIC_NOT_FOUND",
     "\"millrace topic list\" shows what there is, \"millrace topic create\" "
     "makes a topic"},
    {"TOPIC_EXISTS", "with --if-not-exists that is no error"},
    {"OFFSET_OUT_OF_RANGE", "\"millrace offsets TOPIC\" shows which offsets there are"},
    {"PARTITION_OUT_OF_RANGE", "\"millrace topic describe TOPIC\" shows the partitions"},
    {"GROUP_NOT_FOUND", "\"millrace group list\" shows what there is"},
    {"GROUP_HAS_MEMBERS", "stop its consumers first; \"millrace group describe GROUP\" shows them"},
    {"INSTANCE_REPLACED", "another consumer runs with this --instance-id; each needs its own"},
    {"MEMBER_FENCED", "another member of the group has the partition now and prints it again"},
    {"RECORD_TOO_LARGE", "\"millrace hub info\" shows the limits"},
    {"LIMIT_EXCEEDED", "\"millrace hub info\" shows the limits"},
    {"DISK_FULL", "free some space where the hub keeps its data; it then goes on by itself"},
    {"DRAINING", "the hub is stopping; try again when it is back"},
}};

std::string_view AdviceFor(std::string_view reason) {
  for (const Advice& advice : kAdvice) {
    if (advice.reason == reason) return advice.text;
  }
  return "";
}

std::string OneLine(absl::string_view text) {
  std::string line(text.data(), text.size());
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  return line;
}

// gRPC words it "failed to connect to all addresses; last error: ...: Connection refused".
std::string ConnectionProblem(const std::string& message) {
  const size_t colon = message.rfind(": ");
  return colon == std::string::npos ? message : message.substr(colon + 2);
}

std::string NoHubLine(const absl::Status& status, std::string_view target) {
  const std::string to(target);
  if (absl::IsDeadlineExceeded(status)) {
    return "millrace: DEADLINE_EXCEEDED: the hub at " + to +
           " did not answer in time; --timeout sets how long to wait";
  }
  return "millrace: UNAVAILABLE: no hub answers at " + to + " (" +
         ConnectionProblem(OneLine(status.message())) +
         "); start one with \"millrace-server --data-dir DIR --listen " + to +
         "\" or name another with --target HOST:PORT";
}

}  // namespace

absl::Status UsageError(std::string_view message) {
  absl::Status status = absl::InvalidArgumentError({message.data(), message.size()});
  status.SetPayload(kUsagePayload, absl::Cord());
  return status;
}

absl::Status WithContext(std::string_view context, const absl::Status& status) {
  const std::string message = std::string(context) + std::string(status.message());
  absl::Status out(status.code(), message);
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    out.SetPayload(type_url, payload);
  });
  return out;
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (IsUsageError(status)) return ExitCode::kUsage;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return ExitCode::kUnavailable;
    default:
      return ExitCode::kFailed;
  }
}

std::string ErrorLine(const absl::Status& status, std::string_view target) {
  const std::string message = OneLine(status.message());
  if (IsUsageError(status)) return "millrace: " + message;
  const std::string reason = client::ReasonOf(status);
  if (reason.empty()) {
    if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) {
      return NoHubLine(status, target);
    }
    return "millrace: " + message;
  }
  std::string line = "millrace: " + reason + ": " + message;
  if (const std::string_view advice = AdviceFor(reason); !advice.empty()) {
    line += "; ";
    line += advice;
  }
  return line;
}

}  // namespace millrace::cli
