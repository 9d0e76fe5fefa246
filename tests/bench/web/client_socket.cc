#include "tests/bench/web/client_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace millrace::bench {
namespace {

sockaddr_in ParseTarget(const std::string& target) {
  const size_t colon = target.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (colon == std::string::npos ||
      inet_pton(AF_INET, target.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    Fail("\"" + target + "\" is no IPv4 address with a port");
  }
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(target.c_str() + colon + 1)));
  return address;
}

// Byte by byte: what follows the header is the readers'.
std::string ReceiveHeader(int socket) {
  std::string header;
  while (!header.ends_with("\r\n\r\n")) {
    char next = 0;
    if (recv(socket, &next, 1, 0) != 1) Fail("a connection was closed during the handshake");
    header += next;
  }
  return header;
}

}  // namespace

void Fail(std::string_view why) {
  std::cerr << "web bench: " << why << std::endl;
  std::_Exit(1);  // Other threads are at work.
}

int OpenWebSocket(const std::string& target, const std::string& subprotocol) {
  const sockaddr_in address = ParseTarget(target);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) Fail("no descriptor is left for a connection");
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    Fail("cannot connect to " + target);
  }
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  std::string request = "GET /v1/ws HTTP/1.1\r\nHost: " + target +
                        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        "Sec-WebSocket-Version: 13\r\n";
  if (!subprotocol.empty()) request += "Sec-WebSocket-Protocol: " + subprotocol + "\r\n";
  SendAll(socket, request + "\r\n");
  const std::string answer = ReceiveHeader(socket);
  if (!answer.starts_with("HTTP/1.1 101 ")) Fail("the handshake was refused: " + answer);
  return socket;
}

std::string ClientFrame(Opcode opcode, std::string_view payload) {
  std::string frame;
  frame += static_cast<char>(0x80 | static_cast<uint8_t>(opcode));
  const auto put = [&](uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) frame += static_cast<char>(value >> (8 * i));
  };
  constexpr uint64_t kMasked = 0x80;
  if (payload.size() < 126) {
    put(kMasked | payload.size(), 1);
  } else if (payload.size() < 65536) {
    put(kMasked | 126, 1);
    put(payload.size(), 2);
  } else {
    put(kMasked | 127, 1);
    put(payload.size(), 8);
  }
  frame.append(4, '\0');
  return frame.append(payload);
}

void SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) Fail("a connection was closed while something was sent");
    bytes.remove_prefix(sent);
  }
}

}  // namespace millrace::bench
