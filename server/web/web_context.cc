#include "server/web/web_context.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace millrace::server {
namespace {

constexpr int64_t kRenderedBytes = 8 << 20;
constexpr int64_t kMessageBytes = 8 << 20;  // Of each subprotocol.

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

WebContext::WebContext(hub::Hub& hub, HttpApiOptions api, WebLimits limits)
    : hub_(hub),
      limits_(std::move(limits)),
      api_(hub, std::move(api)),
      gateway_methods_(GatewayMethods::Of(api_.watch())),
      json_frames_(kRenderedBytes),
      receive_budget_(limits_.max_receiving_bytes),
      json_(MakeJsonProtocol(hub.limits(), json_frames_, kMessageBytes)),
      proto_(MakeProtoProtocol(hub.limits(), kMessageBytes)) {}

const GatewayProtocol* WebContext::ProtocolNamed(std::string_view name) const {
  for (const GatewayProtocol* protocol : {json_.get(), proto_.get()}) {
    if (protocol->name() == name) return protocol;
  }
  return nullptr;
}

bool WebContext::IsForeign(std::string_view origin) const {
  const auto& allowed = limits_.allowed_origins;
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& each) {
    return absl::EqualsIgnoreCase(each, View(origin));
  });
}

bool WebContext::Allows(std::string_view origin, std::string_view host) const {
  // A proxy in front may speak TLS, so that the scheme is not ours to judge.
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (absl::EqualsIgnoreCase(View(origin), absl::StrCat(View(scheme), View(host)))) return true;
  }
  return IsForeign(origin);
}

}  // namespace millrace::server
