// Bytes with shared ownership: how record bytes travel from the socket to the log and from the log
// to every subscriber without being copied again.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace millrace::storage {

// A view of bytes and whatever keeps them alive. Copying shares; the bytes never change.
struct SharedSlice {
  std::shared_ptr<const void> owner;
  std::string_view bytes;
};

// An uninitialised buffer to be filled once, then shared as slices.
class SliceBuffer {
 public:
  explicit SliceBuffer(size_t size)
      : bytes_(std::make_shared_for_overwrite<char[]>(size)), size_(size) {}

  char* data() { return bytes_.get(); }
  size_t size() const { return size_; }

  // The part [offset, offset + length), sharing the whole buffer.
  SharedSlice Share(size_t offset, size_t length) const {
    return {bytes_, std::string_view(bytes_.get() + offset, length)};
  }

 private:
  std::shared_ptr<char[]> bytes_;
  size_t size_;
};

}  // namespace millrace::storage
