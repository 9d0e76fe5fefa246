// What the connections of the web port share.
#pragma once

#include "server/contract/call_watch.h"
#include "server/hub/hub.h"
#include "server/web/gateway_command.h"
#include "server/web/gateway_session.h"
#include "server/web/http_api.h"
#include "server/web/json_frames.h"
#include "server/web/web_limits.h"

namespace millrace::server {

// Threads: any. Outlives the connections.
class WebContext {
 public:
  // `hub` outlives this object.
  WebContext(hub::Hub& hub, HttpApiOptions api, WebLimits limits);

  hub::Hub& hub() { return hub_; }
  HttpApi& api() { return api_; }
  CallWatch& watch() { return api_.watch(); }
  const GatewayMethods& gateway_methods() const { return gateway_methods_; }
  const WebLimits& limits() const { return limits_; }
  JsonFrames& json_frames() { return json_frames_; }
  ReceiveBudget& receive_budget() { return receive_budget_; }

  // The subprotocol of this name; null: there is none.
  const GatewayProtocol* ProtocolNamed(std::string_view name) const;

  // Whether a page of this origin may use the hub that it calls by this name.
  bool Allows(std::string_view origin, std::string_view host) const;
  // Whether it is allowed though it is another's, so that CORS must be answered.
  bool IsForeign(std::string_view origin) const;

 private:
  hub::Hub& hub_;
  const WebLimits limits_;
  HttpApi api_;
  const GatewayMethods gateway_methods_;
  JsonFrames json_frames_;
  ReceiveBudget receive_budget_;
  const std::unique_ptr<GatewayProtocol> json_;
  const std::unique_ptr<GatewayProtocol> proto_;
};

}  // namespace millrace::server
