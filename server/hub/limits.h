// Every size and count that a client can drive, with its default. Reported by HubService.GetHub;
// set by flags (server/app).
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace millrace::hub {

struct Limits {
  int64_t max_record_bytes = 1 << 20;
  int64_t max_request_bytes = 4 << 20;
  int32_t max_request_records = 100'000;
  int64_t max_key_bytes = 64 << 10;
  int32_t max_record_headers = 256;
  int32_t max_topic_partitions = 10'000;
  int32_t max_topics = 10'000;
  int32_t max_groups = 10'000;
  int32_t max_group_members = 1'000;
  int32_t max_subscriptions = 20'000;
  int64_t max_commit_metadata_bytes = 4 << 10;
  int64_t max_frame_bytes = (4 << 20) - (64 << 10);
  int32_t max_connections = 10'000;
  int64_t max_metadata_bytes = 16 << 10;
  absl::Duration producer_idle_expiry = absl::Hours(7 * 24);
  absl::Duration group_idle_expiry = absl::Hours(7 * 24);
  absl::Duration max_revoke_timeout = absl::Minutes(30);
};

}  // namespace millrace::hub
