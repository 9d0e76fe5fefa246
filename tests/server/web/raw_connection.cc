#include "tests/server/web/raw_connection.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace millrace::testing {
namespace {

constexpr int kPatienceMs = 60'000;

std::string Text(std::string_view text) { return std::string(text); }

}  // namespace

RawConnection::RawConnection(int port, in_addr_t from) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(from);
  EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
}

RawConnection::~RawConnection() { close(fd_); }

bool RawConnection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

size_t RawConnection::SendSome(std::string_view bytes) {
  const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<size_t>(sent);
}

void RawConnection::HalfClose() { shutdown(fd_, SHUT_WR); }

bool RawConnection::Fill() {
  pollfd polled{fd_, POLLIN, 0};
  if (poll(&polled, 1, kPatienceMs) != 1) {
    ADD_FAILURE() << "the hub is silent";
    return false;
  }
  char bytes[16 << 10];
  const ssize_t size = recv(fd_, bytes, sizeof(bytes), 0);
  if (size <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(size));
  return true;
}

std::string RawConnection::Receive(size_t bytes) {
  while (buffer_.size() < bytes && Fill()) continue;
  const std::string received = buffer_.substr(0, bytes);
  buffer_.erase(0, bytes);
  return received;
}

std::string RawConnection::ReceiveUntil(std::string_view mark) {
  size_t end;
  while ((end = buffer_.find(mark)) == std::string::npos) {
    if (!Fill()) return std::exchange(buffer_, "");
  }
  return Receive(end + mark.size());
}

bool RawConnection::AwaitClose() {
  while (Fill()) buffer_.clear();
  return !::testing::Test::HasFailure();
}

HttpAnswer RawConnection::ReceiveAnswer(bool has_body) {
  HttpAnswer answer;
  const std::string head = ReceiveUntil("\r\n\r\n");
  const std::vector<std::string> lines = absl::StrSplit(head, "\r\n", absl::SkipEmpty());
  if (lines.empty() || lines[0].size() < 12) return answer;
  answer.status = std::stoi(lines[0].substr(9, 3));
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> header =
        absl::StrSplit(lines[i], absl::MaxSplits(": ", 1));
    answer.headers[absl::AsciiStrToLower(header.first)] = header.second;
  }
  if (has_body && answer.headers.count("content-length") > 0) {
    answer.body = Receive(std::stoul(answer.headers["content-length"]));
  }
  return answer;
}

HttpAnswer Request(int port, std::string_view bytes) {
  RawConnection connection(port);
  connection.Send(bytes);
  return connection.ReceiveAnswer();
}

HttpAnswer Get(int port, std::string_view target, std::string_view headers) {
  return Request(port, absl::StrCat("GET ", Text(target), " HTTP/1.1\r\nHost: localhost\r\n",
                                    Text(headers), "\r\n"));
}

HttpAnswer Post(int port, std::string_view target, std::string_view content_type,
                std::string_view body, std::string_view headers) {
  return Request(port, absl::StrCat("POST ", Text(target), " HTTP/1.1\r\nHost: localhost\r\n",
                                    "Content-Type: ", Text(content_type), "\r\nContent-Length: ",
                                    body.size(), "\r\n", Text(headers), "\r\n", Text(body)));
}

}  // namespace millrace::testing
