#include "server/sockets/address_counts.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace millrace::server {

PeerNetwork::PeerNetwork(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    family_ = AF_INET;
    bits_ = ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr);
  } else if (address.ss_family == AF_INET6) {
    const in6_addr& ipv6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&ipv6)) {
      family_ = AF_INET;
      uint32_t ipv4 = 0;
      std::memcpy(&ipv4, ipv6.s6_addr + 12, sizeof(ipv4));
      bits_ = ntohl(ipv4);
    } else {
      family_ = AF_INET6;
      std::memcpy(&bits_, ipv6.s6_addr, sizeof(bits_));
      bits_ = be64toh(bits_);
    }
  }
}

std::string PeerNetwork::ToString() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family_ == AF_INET) {
    const in_addr ipv4 = {.s_addr = htonl(static_cast<uint32_t>(bits_))};
    return inet_ntop(AF_INET, &ipv4, text, sizeof(text));
  }
  if (family_ == AF_INET6) {
    in6_addr ipv6{};
    const uint64_t network = htobe64(bits_);
    std::memcpy(&ipv6, &network, sizeof(network));
    return std::string(inet_ntop(AF_INET6, &ipv6, text, sizeof(text))) + "/64";
  }
  return text;
}

bool AddressCounts::Enter(const PeerNetwork& from, absl::Duration now) {
  if (most_ == 0) return true;
  std::lock_guard lock(mutex_);
  if (now - window_start_ >= kWindow) {
    opened_.clear();
    window_start_ = now;
  }
  int64_t& opened = opened_[from];
  if (opened == most_opened_) return false;
  int64_t& open = open_[from];
  if (open == most_) return false;
  ++opened;
  ++open;
  return true;
}

void AddressCounts::Leave(const PeerNetwork& from) {
  if (most_ == 0) return;
  std::lock_guard lock(mutex_);
  const auto entry = open_.find(from);
  if (--entry->second == 0) open_.erase(entry);
}

void AddressCounts::Charge(const PeerNetwork& from, int32_t count) {
  if (most_ == 0) return;
  std::lock_guard lock(mutex_);
  int64_t& opened = opened_[from];
  opened = std::min(most_opened_, opened + count);
}

size_t AddressCounts::address_count() const {
  std::lock_guard lock(mutex_);
  return std::max(open_.size(), opened_.size());
}

}  // namespace millrace::server
