// What became of writes, as the contract's answers.
#pragma once

#include "millrace/v1/event_hub.pb.h"
#include "server/hub/groups.h"
#include "server/hub/producing.h"
#include "server/hub/transacting.h"

namespace millrace::server {

void Fill(const hub::ProduceOutcome& outcome, v1::ProduceResponse& response);
void Fill(const hub::TransactOutcome& outcome, v1::TransactResponse& response);

// `outcome` is that of the request.
v1::CommitOffsetResponse ToCommitResponse(const v1::CommitOffsetRequest& request,
                                          const hub::CommitOutcome& outcome);

}  // namespace millrace::server
