#include "server/web/gateway_command.h"

#include "absl/strings/str_cat.h"
#include "server/contract/conversions.h"
#include "server/contract/group_calls.h"
#include "storage/error.h"

namespace millrace::server {

using storage::Error;
using storage::Reason;

absl::StatusOr<GatewayAction> ToAction(const v1::GatewaySubscribe& subscribe) {
  auto command = ToSubscribeCommand(subscribe.request());
  if (!command.ok()) return command.status();
  if (subscribe.has_credit()) {
    if (subscribe.credit() < 0) return InvalidField("credit", "credit must not be negative");
    command->credit_records = subscribe.credit();
  }
  return *std::move(command);
}

absl::StatusOr<GatewayAction> ToAction(const v1::WatchGroupRequest& watch) {
  const auto interval = WatchInterval(watch);
  if (!interval.ok()) return interval.status();
  return GroupWatchCommand{watch.group(), *interval};
}

absl::StatusOr<GatewayAction> ToAction(const v1::GatewayCredit& credit) {
  if (credit.records() < 1) return InvalidField("records", "records must be at least 1");
  return credit;
}

absl::StatusOr<GatewayAction> ToAction(const v1::GatewayUnsubscribe& unsubscribe) {
  return unsubscribe;
}

absl::StatusOr<GatewayAction> ToAction(const v1::CommitOffsetRequest& commit) { return commit; }

absl::StatusOr<GatewayAction> ToAction(const v1::GatewayPing& ping) { return ping; }

absl::Status UnknownCommand(std::string_view name) {
  return Error(Reason::kMalformedRequest,
               absl::StrCat("there is no command \"", std::string(name), "\""),
               {{"command", std::string(name)}});
}

absl::Status NotOneCommand() {
  return Error(Reason::kMalformedRequest, "a request must have exactly one command");
}

}  // namespace millrace::server
