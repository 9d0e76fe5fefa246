// A subscription's frames as the contract's messages; those that carry batches are for
// batches_encoder.h.
#pragma once

#include "millrace/v1/event_hub.pb.h"
#include "server/hub/frame.h"

namespace millrace::server {

// Empty for a frame of batches.
v1::SubscribeResponse ToSubscribeResponse(const hub::Frame& frame);

}  // namespace millrace::server
