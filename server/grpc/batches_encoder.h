// The hot half of subscribe_frames: a SubscribeResponse that carries batches, written by hand so
// that stored bytes become wire bytes as they are.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include "server/hub/frame.h"

namespace millrace::server {

grpc::ByteBuffer EncodeBatches(const hub::BatchesFrame& frame);

}  // namespace millrace::server
