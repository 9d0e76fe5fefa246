// A message's bytes as a transport delivers them.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <cstddef>
#include <string>
#include <vector>

namespace millrace::server {

// In pieces of so many bytes.
inline grpc::ByteBuffer Pieces(const std::string& bytes, size_t piece_bytes) {
  std::vector<grpc::Slice> slices;
  for (size_t at = 0; at < bytes.size(); at += piece_bytes) {
    slices.emplace_back(bytes.substr(at, piece_bytes));
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

// In one.
inline grpc::ByteBuffer Whole(const std::string& bytes) { return Pieces(bytes, bytes.size() + 1); }

}  // namespace millrace::server
