// A subscription's frame as the bytes of a SubscribeResponse. Records are not parsed and, where
// they are many, not copied: the frame is a few header bytes and slices of stored batches.
#pragma once

#include <grpcpp/support/byte_buffer.h>

#include "server/hub/frame.h"

namespace millrace::server {

grpc::ByteBuffer EncodeFrame(const hub::Frame& frame);
grpc::ByteBuffer EncodeBatches(const hub::BatchesFrame& frame);

}  // namespace millrace::server
