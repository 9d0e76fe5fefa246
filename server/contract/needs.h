// What each request needs: which rights, on what. There is an overload for every request of the
// contract and no template, so that a new rpc without one does not compile.
//
// The names are views into the request. Threads: any.
#pragma once

#include <optional>

#include "absl/container/inlined_vector.h"
#include "millrace/v1/event_hub.pb.h"
#include "millrace/v1/group.pb.h"
#include "millrace/v1/hub.pb.h"
#include "millrace/v1/inspection.pb.h"
#include "millrace/v1/topic.pb.h"
#include "server/access/rights.h"
#include "server/hub/groups.h"
#include "server/hub/producing.h"
#include "server/hub/subscriptions.h"
#include "server/hub/transacting.h"

namespace millrace::server {

struct Need {
  Right right;
  std::optional<Resource> on;  // Absent: on anything at all.
};

// All of them. None: some right, whichever, on anything.
using Needs = absl::InlinedVector<Need, 3>;

Needs NeedsOf(const v1::OpenProducerRequest& request);
Needs NeedsOf(const v1::CommitOffsetRequest& request);
Needs NeedsOf(const v1::GetCommittedOffsetsRequest& request);
Needs NeedsOf(const v1::ListOffsetsRequest& request);
// Of those that name a session: whose it is, is for the hub to look at.
Needs NeedsOf(const v1::SeekRequest& request);
Needs NeedsOf(const v1::PausePartitionsRequest& request);
Needs NeedsOf(const v1::ResumePartitionsRequest& request);
Needs NeedsOf(const v1::UpdateSubscriptionRequest& request);

Needs NeedsOf(const v1::CreateTopicRequest& request);
Needs NeedsOf(const v1::GetTopicRequest& request);
Needs NeedsOf(const v1::DescribeTopicsRequest& request);
Needs NeedsOf(const v1::ListTopicsRequest& request);
Needs NeedsOf(const v1::UpdateTopicRequest& request);
Needs NeedsOf(const v1::DeleteTopicRequest& request);
Needs NeedsOf(const v1::TruncateTopicRequest& request);

Needs NeedsOf(const v1::ListGroupsRequest& request);
Needs NeedsOf(const v1::GetGroupRequest& request);
Needs NeedsOf(const v1::WatchGroupRequest& request);
Needs NeedsOf(const v1::ResetOffsetsRequest& request);
Needs NeedsOf(const v1::DeleteGroupRequest& request);

Needs NeedsOf(const v1::GetHubRequest& request);
Needs NeedsOf(const v1::CreateCheckpointRequest& request);
Needs NeedsOf(const v1::CheckAccessRequest& request);

Needs NeedsOf(const v1::TailRequest& request);
Needs NeedsOf(const v1::SendRequest& request);

// Of those whose messages are not made into objects.
Needs NeedsOf(const hub::ProduceCommand& command);
Needs NeedsOf(const hub::TransactCommand& command);
Needs NeedsOf(const hub::SubscribeCommand& command);

// Of what is no message: a stream of requests before the first one has come, a connection of the
// web before it is known for what, the figures for Prometheus.
struct ProduceStreamBegin {};
Needs NeedsOf(ProduceStreamBegin begin);
struct ConnectionBegin {};
Needs NeedsOf(ConnectionBegin begin);
struct MetricsRequest {};
Needs NeedsOf(MetricsRequest request);

}  // namespace millrace::server
