// InspectionService's requests in the hub's types.
//
// Threads: any.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "millrace/v1/inspection.pb.h"
#include "server/hub/hub.h"

namespace millrace::server {

// A Tail as the subscription that it is. The reasons are those of InspectionService.Tail. May
// block.
absl::StatusOr<hub::SubscribeCommand> ToSubscribeCommand(hub::Hub& hub,
                                                         const v1::TailRequest& request);

// A Send as the Produce that it is. INVALID_CONFIG, RECORD_TOO_LARGE, MALFORMED_RECORD.
absl::StatusOr<hub::ProduceCommand> ToProduceCommand(const v1::SendRequest& request,
                                                     const hub::Limits& limits);

// The answer to a Send to `topic`.
v1::SendResponse ToSendResponse(const std::string& topic, const hub::ProduceOutcome& outcome);

}  // namespace millrace::server
