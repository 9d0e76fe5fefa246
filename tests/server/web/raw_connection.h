// A TCP connection on which a test says exactly what it wants, well-formed or not.
#pragma once

#include <netinet/in.h>

#include <map>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace millrace::testing {

// An answer of HTTP/1.1.
struct HttpAnswer {
  int status = 0;                              // 0: none came.
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;
};

// The test fails where the hub is silent for a minute; "closed" is told apart from that.
class RawConnection {
 public:
  // `from` is any address of 127.0.0.0/8, all of which are this machine.
  explicit RawConnection(int port, in_addr_t from = INADDR_LOOPBACK);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  // False where the hub has closed the connection.
  bool Send(std::string_view bytes);
  // Sends without waiting; how many bytes went.
  size_t SendSome(std::string_view bytes);
  // Says nothing more, and can still read.
  void HalfClose();

  // The next so many bytes; fewer where the hub closes before.
  std::string Receive(size_t bytes);
  // Up to and with the mark, or to the end.
  std::string ReceiveUntil(std::string_view mark);
  // Whether the hub closes the connection, whatever it says before.
  bool AwaitClose();
  // The next answer, whose body has a Content-Length (or none, for HEAD).
  HttpAnswer ReceiveAnswer(bool has_body = true);

 private:
  bool Fill();  // False at the end.

  int fd_;
  std::string buffer_;
};

// One request on a connection of its own.
HttpAnswer Request(int port, std::string_view bytes);
HttpAnswer Get(int port, std::string_view target, std::string_view headers = "");
HttpAnswer Post(int port, std::string_view target, std::string_view content_type,
                std::string_view body, std::string_view headers = "");

}  // namespace millrace::testing
