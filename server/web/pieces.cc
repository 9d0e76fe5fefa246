#include "server/web/pieces.h"

#include <memory>
#include <utility>

namespace millrace::server {

Pieces::Pieces(std::string text) : text_(std::move(text)) {}

void Pieces::Seal() {
  if (text_.empty()) return;
  const auto owner = std::make_shared<const std::string>(std::move(text_));
  slices_.push_back({owner, *owner});
  text_.clear();
}

void Pieces::AddShared(const storage::SharedSlice& slice) {
  Seal();
  slices_.push_back(slice);
}

size_t Pieces::size() const {
  size_t size = text_.size();
  for (const storage::SharedSlice& slice : slices_) size += slice.bytes.size();
  return size;
}

std::vector<storage::SharedSlice> Pieces::Take() && {
  Seal();
  return std::move(slices_);
}

std::string Pieces::Text() const {
  std::string text;
  for (const storage::SharedSlice& slice : slices_) text += slice.bytes;
  return text + text_;
}

}  // namespace millrace::server
