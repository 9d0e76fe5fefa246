// The client's side of a WebSocket, frame by frame, so that a test can break every rule.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tests/server/web/raw_connection.h"

namespace millrace::testing {

// A handshake for /v1/ws. `protocol` empty: none is named.
std::string Handshake(std::string_view protocol, std::string_view headers = "");

class WebSocketPeer {
 public:
  enum Opcode : uint8_t {
    kContinuation = 0,
    kText = 1,
    kBinary = 2,
    kClose = 8,
    kPing = 9,
    kPong = 10
  };

  struct Message {
    Opcode opcode = kClose;
    std::string payload;
  };

  // Shakes hands; the test fails where that is refused.
  explicit WebSocketPeer(int port, std::string_view protocol = "millrace.v1.json");

  RawConnection& raw() { return raw_; }

  // False where the hub has closed the connection.
  bool SendFrame(Opcode opcode, std::string_view payload, bool is_final = true, bool masked = true);
  bool Send(const nlohmann::json& command) { return SendFrame(kText, command.dump()); }

  // The next message, pings answered. Of a connection that ends: a close without a payload.
  Message Next();
  // The next message, which is JSON.
  nlohmann::json NextJson();
  // The next answer to the command of this id; others are passed over.
  nlohmann::json Answer(int id);
  // The next frame of a subscription that is of this kind ("batches"); others are passed over.
  nlohmann::json Frame(int id, const std::string& kind);
  // The values of the next `count` records of a subscription, each as "partition/offset=value".
  std::vector<std::string> Records(int id, size_t count);
  // The code with which the hub closes, whatever comes before; 1006 where it just hangs up.
  int AwaitCloseCode();

 private:
  RawConnection raw_;
};

// The bytes of a frame that a client sends.
std::string ClientFrame(WebSocketPeer::Opcode opcode, std::string_view payload,
                        bool is_final = true, bool masked = true);

}  // namespace millrace::testing
