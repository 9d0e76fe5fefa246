#include "tests/server/web/websocket_peer.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace millrace::testing {

using nlohmann::json;

std::string Handshake(std::string_view protocol, std::string_view headers) {
  std::string text =
      "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  if (!protocol.empty()) {
    absl::StrAppend(&text, "Sec-WebSocket-Protocol: ", std::string(protocol), "\r\n");
  }
  return absl::StrCat(text, std::string(headers), "\r\n");
}

std::string ClientFrame(WebSocketPeer::Opcode opcode, std::string_view payload, bool is_final,
                        bool masked) {
  constexpr char kMask[] = {'\x11', '\x22', '\x33', '\x44'};
  std::string frame(1, static_cast<char>((is_final ? 0x80 : 0) | opcode));
  const char mask_bit = masked ? '\x80' : '\0';
  if (payload.size() < 126) {
    frame += static_cast<char>(mask_bit | static_cast<char>(payload.size()));
  } else {
    const int bytes = payload.size() < 65536 ? 2 : 8;
    frame += static_cast<char>(mask_bit | (bytes == 2 ? 126 : 127));
    for (int i = bytes - 1; i >= 0; --i) frame += static_cast<char>(payload.size() >> (8 * i));
  }
  if (!masked) return frame += payload;
  frame.append(kMask, 4);
  for (size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(payload[i] ^ kMask[i % 4]);
  }
  return frame;
}

WebSocketPeer::WebSocketPeer(int port, std::string_view protocol) : raw_(port) {
  raw_.Send(Handshake(protocol));
  HttpAnswer answer = raw_.ReceiveAnswer(false);
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.headers["sec-websocket-protocol"], protocol);
  EXPECT_EQ(answer.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

bool WebSocketPeer::SendFrame(Opcode opcode, std::string_view payload, bool is_final, bool masked) {
  return raw_.Send(ClientFrame(opcode, payload, is_final, masked));
}

WebSocketPeer::Message WebSocketPeer::Next() {
  for (;;) {
    const std::string head = raw_.Receive(2);
    if (head.size() < 2) return {};
    EXPECT_EQ(head[0] & 0xf0, 0x80) << "the hub's messages are one frame";
    EXPECT_EQ(head[1] & 0x80, 0) << "a server masks nothing";
    uint64_t size = head[1] & 0x7f;
    if (size >= 126) {
      const std::string bytes = raw_.Receive(size == 126 ? 2 : 8);
      size = 0;
      for (const char c : bytes) size = size << 8 | static_cast<unsigned char>(c);
    }
    Message message{static_cast<Opcode>(head[0] & 0xf), raw_.Receive(size)};
    if (message.opcode != kPing) return message;
    SendFrame(kPong, message.payload);
  }
}

json WebSocketPeer::NextJson() {
  const Message message = Next();
  EXPECT_EQ(message.opcode, kText) << message.payload;
  json parsed = json::parse(message.payload, nullptr, false);
  EXPECT_FALSE(parsed.is_discarded()) << message.payload;
  return parsed;
}

json WebSocketPeer::Answer(int id) {
  while (!::testing::Test::HasFailure()) {
    json answer = NextJson();
    if (answer.value("id", -1) == id) return answer;
  }
  return {};
}

json WebSocketPeer::Frame(int id, const std::string& kind) {
  while (!::testing::Test::HasFailure()) {
    const json answer = Answer(id);
    EXPECT_TRUE(answer.contains("frame")) << answer;
    if (answer.contains("frame") && answer["frame"].contains(kind)) return answer["frame"][kind];
  }
  return {};
}

std::vector<std::string> WebSocketPeer::Records(int id, size_t count) {
  std::vector<std::string> records;
  while (records.size() < count && !::testing::Test::HasFailure()) {
    const json batches = Frame(id, "batches");
    for (const json& batch : batches["batches"]) {
      for (const json& record : batch["records"]) {
        records.push_back(absl::StrCat(batch["partition"].get<int>(), "/",
                                       record["offset"].get<std::string>(), "=",
                                       record.value("text", "-")));
      }
    }
  }
  return records;
}

int WebSocketPeer::AwaitCloseCode() {
  for (;;) {
    const Message message = Next();
    if (message.opcode != kClose) continue;
    if (message.payload.size() < 2) return 1006;
    SendFrame(kClose, message.payload.substr(0, 2));
    return static_cast<unsigned char>(message.payload[0]) << 8 |
           static_cast<unsigned char>(message.payload[1]);
  }
}

}  // namespace millrace::testing
