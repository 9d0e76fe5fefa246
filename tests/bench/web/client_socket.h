// A WebSocket as the web benches open it: plain system calls, so that the client costs little.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::bench {

enum class Opcode : uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

// Says why on stderr and ends the program with 1: a measurement that went wrong is none.
[[noreturn]] void Fail(std::string_view why);

// Connects to HOST:PORT (an IPv4 address) and shakes hands for /v1/ws, with a subprotocol where
// one is named. Gives the socket, which blocks; frames may wait in it already.
int OpenWebSocket(const std::string& target, const std::string& subprotocol);

// A frame that a client sends. Its mask is zero, which is allowed and costs nothing.
std::string ClientFrame(Opcode opcode, std::string_view payload);

// Blocks until all is sent.
void SendAll(int socket, std::string_view bytes);

}  // namespace millrace::bench
