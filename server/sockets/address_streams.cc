#include "server/sockets/address_streams.h"

#include <algorithm>

namespace millrace::server {

bool AddressStreams::OfAddress::Enter() {
  if (open_.fetch_add(1, std::memory_order_relaxed) < most_) return true;
  Leave(1);
  return false;
}

void AddressStreams::OfAddress::Leave(int64_t count) {
  open_.fetch_sub(count, std::memory_order_relaxed);
}

std::shared_ptr<AddressStreams::OfAddress> AddressStreams::Of(const PeerNetwork& from) {
  if (most_ == 0) return nullptr;
  std::lock_guard lock(mutex_);
  if (addresses_.size() >= sweep_at_) {
    absl::erase_if(addresses_, [](const auto& address) { return address.second.expired(); });
    sweep_at_ = std::max(kSweepFrom, 2 * addresses_.size());
  }
  std::weak_ptr<OfAddress>& known = addresses_[from];
  auto streams = known.lock();
  if (streams == nullptr) known = streams = std::make_shared<OfAddress>(most_);
  return streams;
}

size_t AddressStreams::address_count() const {
  std::lock_guard lock(mutex_);
  return addresses_.size();
}

}  // namespace millrace::server
