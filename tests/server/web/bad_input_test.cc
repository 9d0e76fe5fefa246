// What clients may do wrong, by mistake or on purpose: each gets a typed answer or is closed, and
// others are not disturbed.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/server/web/raw_connection.h"
#include "tests/server/web/web_hub.h"
#include "tests/server/web/websocket_peer.h"

namespace millrace::testing {
namespace {

using nlohmann::json;

constexpr char kPost[] =
    "POST /v1/topics/orders/records HTTP/1.1\r\nHost: a\r\n"
    "Content-Type: application/octet-stream\r\n";

server::WebLimits Impatient() {
  return {.header_timeout = absl::Milliseconds(300),
          .message_timeout = absl::Milliseconds(300),
          .write_timeout = absl::Milliseconds(500),
          .idle_timeout = absl::Milliseconds(600)};
}

class BadInput : public ::testing::Test {
 protected:
  explicit BadInput(server::WebLimits limits = {}) : hub_(std::move(limits)) {
    hub_.CreateTopic("orders");
  }
  // Somebody else is served all the while.
  ~BadInput() override { EXPECT_EQ(Get(port(), "/healthz").status, 200); }

  int port() const { return hub_.port(); }

  // The error's reason in the answer to a command.
  std::string ReasonFor(const std::string& command, int id) {
    WebSocketPeer peer(port());
    peer.SendFrame(WebSocketPeer::kText, command);
    const json answer = peer.NextJson();
    EXPECT_EQ(answer["id"], id) << answer;
    peer.Send({{"id", 77}, {"ping", json::object()}});  // The connection goes on.
    EXPECT_TRUE(peer.Answer(77).contains("pong"));
    return answer["error"].value("reason", "none");
  }

  // The code of the close that answers bytes after the handshake.
  int CloseFor(std::string_view bytes, std::string_view protocol = "millrace.v1.json") {
    WebSocketPeer peer(port(), protocol);
    peer.raw().Send(bytes);
    return peer.AwaitCloseCode();
  }

  WebHub hub_;
};

class Impatience : public BadInput {
 protected:
  Impatience() : BadInput(Impatient()) {}
};

class ImpatientWriting : public BadInput {
 protected:
  ImpatientWriting() : BadInput({.write_timeout = absl::Milliseconds(500)}) {}
};

// ---- HTTP that is none, or two

TEST_F(BadInput, OfBytesThatAreNoHttpIsRefused) {
  for (const char* bytes :
       {"hello\r\n\r\n", "GET / HTTP/3.0\r\n\r\n", "GET /\r\n\r\n", "\x16\x03\x01\x02\x00\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHo\001st: a\r\n\r\n", "GET noslash HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"}) {
    RawConnection connection(port());
    connection.Send(bytes);
    EXPECT_EQ(connection.ReceiveAnswer().status, 400) << bytes;
    connection.HalfClose();
    EXPECT_TRUE(connection.AwaitClose());
  }
}

// Each of these lets two readers disagree about where the request ends.
TEST_F(BadInput, ThatSmugglesARequestIsRefused) {
  const std::string smuggled = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const char* framing :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\x0b"
        "chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n", "Content-Length: 5, 5\r\n",
        "Content-Length: +5\r\n", "Content-Length: -1\r\n", "Content-Length: 0x5\r\n",
        "Content-Length: 99999999999999999999\r\n"}) {
    RawConnection connection(port());
    connection.Send(absl::StrCat(kPost, framing, "\r\n0\r\n\r\n", smuggled));
    const int status = connection.ReceiveAnswer().status;
    EXPECT_TRUE(status == 400 || status == 413) << framing << status;
    EXPECT_EQ(connection.ReceiveUntil("HTTP/1.1"), "") << framing;  // Nothing else is answered.
  }
}

TEST_F(BadInput, OfChunksThatAreNoneIsRefused) {
  for (const char* body : {"zz\r\nab\r\n", "-1\r\n", "5\r\nabcdefg\r\n", "ffffffffffffffff1\r\n"}) {
    RawConnection connection(port());
    connection.Send(absl::StrCat(kPost, "Transfer-Encoding: chunked\r\n\r\n", body));
    connection.HalfClose();
    const int status = connection.ReceiveAnswer().status;
    EXPECT_TRUE(status == 400 || status == 413) << body << status;
  }
}

TEST_F(BadInput, ThatIsTooLargeIsRefusedBeforeItIsRead) {
  EXPECT_EQ(Request(port(), absl::StrCat(kPost, "Content-Length: 7000000\r\n\r\n")).status, 413);
  RawConnection chunked(port());
  chunked.Send(absl::StrCat(kPost, "Transfer-Encoding: chunked\r\n\r\n700000\r\n"));
  EXPECT_EQ(chunked.ReceiveAnswer().status, 413);
  RawConnection header(port());
  header.Send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(header.ReceiveAnswer().status, 431);
  EXPECT_EQ(Get(port(), "/" + std::string(9'000, 'x')).status, 414);
}

TEST_F(BadInput, HalfClosedSocketsGoAway) {
  {
    RawConnection before(port());
    before.HalfClose();
    EXPECT_TRUE(before.AwaitClose());
    RawConnection within(port());
    within.Send("GET / HTTP/1.1\r\nHo");
    within.HalfClose();
    EXPECT_TRUE(within.AwaitClose());
    RawConnection body(port());
    body.Send(absl::StrCat(kPost, "Content-Length: 100\r\n\r\nabc"));
    body.HalfClose();
    EXPECT_TRUE(body.AwaitClose());
    RawConnection after(port());  // Says all it has to say, and gets its answer.
    after.Send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    after.HalfClose();
    EXPECT_EQ(after.ReceiveAnswer().status, 200);
    WebSocketPeer peer(port());
    peer.raw().HalfClose();
    EXPECT_TRUE(peer.raw().AwaitClose());
  }
  hub_.AwaitConnections(0);
}

TEST_F(Impatience, ClosesASlowLoris) {
  RawConnection silent(port());
  RawConnection header(port());
  header.Send("GET / HTTP/1.1\r\n");
  RawConnection body(port());
  body.Send(absl::StrCat(kPost, "Content-Length: 100\r\n\r\nabc"));
  EXPECT_EQ(header.ReceiveAnswer().status, 408);
  EXPECT_EQ(body.ReceiveAnswer().status, 408);
  EXPECT_TRUE(silent.AwaitClose());
}

// A byte now and then buys no time.
TEST_F(Impatience, ClosesASlowLorisThatGoesOn) {
  RawConnection drip(port());
  drip.Send("GET / HTTP/1.1\r\n");
  int bytes = 0;
  while (drip.Send("X") && ++bytes < 1000) absl::SleepFor(absl::Milliseconds(20));
  EXPECT_LT(bytes, 1000);
}

TEST_F(Impatience, ClosesAConnectionThatAsksNothingMore) {
  RawConnection connection(port());
  connection.Send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(connection.ReceiveAnswer().status, 200);
  EXPECT_TRUE(connection.AwaitClose());
}

// ---- The handshake

TEST_F(BadInput, OfAHandshakeIsRefused) {
  EXPECT_EQ(Request(port(), Handshake("")).status, 400);
  EXPECT_EQ(Request(port(), Handshake("mqtt, graphql-ws")).status, 400);
  EXPECT_EQ(Request(port(), Handshake("millrace.v2.json")).status, 400);
  EXPECT_EQ(Get(port(), "/v1/ws").status, 400);
  std::string old = Handshake("millrace.v1.json");
  old.replace(old.find("Version: 13"), 11, "Version: 12");
  EXPECT_EQ(Request(port(), old).status, 400);
  std::string post = Handshake("millrace.v1.json");
  post.replace(0, 3, "POST");
  EXPECT_EQ(Request(port(), post).status, 405);
  EXPECT_EQ(
      Request(port(), Handshake("millrace.v1.json", "Origin: http://evil.example\r\n")).status,
      403);
  EXPECT_EQ(
      Request(port(), Handshake("millrace.v1.json", "Content-Length: 5\r\n") + "hello").status,
      400);
  EXPECT_EQ(Request(port(), Handshake("other, millrace.v1.json")).status, 101);
}

TEST_F(BadInput, BeforeTheHandshakeIsDoneIsRefused) {
  RawConnection connection(port());
  connection.Send(Handshake("millrace.v1.json") +
                  ClientFrame(WebSocketPeer::kText, R"({"id":1,"ping":{}})"));
  EXPECT_EQ(connection.ReceiveAnswer().status, 400);
}

// ---- WebSocket frames

TEST_F(BadInput, OfFramesCloses) {
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kText, "{}", true, false)), 1002);  // Unmasked.
  EXPECT_EQ(CloseFor(ClientFrame(static_cast<WebSocketPeer::Opcode>(3), "x")), 1002);
  EXPECT_EQ(CloseFor("\xf1\x80zzzz"), 1002);  // Reserved bits.
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kContinuation, "x")), 1002);
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kPing, std::string(126, 'x'))), 1002);
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kPing, "x", false)), 1002);
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kText, "{", false) +
                     ClientFrame(WebSocketPeer::kText, "}")),
            1002);
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kClose, "\x03")), 1002);
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kText, "\xc3\x28")), 1007);
  hub_.AwaitConnections(0);
}

TEST_F(BadInput, OfGiantFramesCloses) {
  // Only the header comes; it promises 8 EiB, 7 MB, and 7 MB in two parts.
  EXPECT_EQ(CloseFor(std::string("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff zzz", 14)), 1009);
  EXPECT_EQ(CloseFor(std::string("\x81\xff\x00\x00\x00\x00\x00\x70\x00\x00 zzz", 14)), 1009);
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kText, std::string(4'000'000, ' '), false) +
                     ClientFrame(WebSocketPeer::kContinuation, std::string(4'000'000, ' '))),
            1009);
}

TEST_F(BadInput, OfTheWrongKindCloses) {
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kBinary, "{}")), 1003);
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kText, "{}"), "millrace.v1.proto"), 1003);
}

TEST_F(BadInput, ThatIsNoCommandCloses) {
  for (const char* text : {"", "hello", "[]", "{\"id\":1", "null"}) {
    EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kText, text)), 4400) << text;
  }
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kText, std::string(100'000, '['))), 4400);
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kBinary, "\xff\xff"), "millrace.v1.proto"), 4400);
}

// ---- Commands

TEST_F(BadInput, OfCommandsIsAnswered) {
  EXPECT_EQ(ReasonFor(R"({"id":5,"fly":{}})", 5), "MALFORMED_REQUEST");
  EXPECT_EQ(ReasonFor(R"({"id":5})", 5), "MALFORMED_REQUEST");
  EXPECT_EQ(ReasonFor(R"({"id":5,"ping":{},"credit":{}})", 5), "MALFORMED_REQUEST");
  EXPECT_EQ(ReasonFor(R"({"id":5,"subscribe":{"request":{"topics":7}}})", 5), "MALFORMED_REQUEST");
  EXPECT_EQ(ReasonFor(R"({"id":5,"subscribe":{"request":{}}})", 5), "EMPTY_REQUEST");
  EXPECT_EQ(ReasonFor(R"({"id":5,"subscribe":{"request":{"topics":["none"]}}})", 5),
            "TOPIC_NOT_FOUND");
  EXPECT_EQ(ReasonFor(R"({"id":5,"subscribe":{"request":{"topics":["orders"]},"credit":-1}})", 5),
            "INVALID_CONFIG");
  EXPECT_EQ(ReasonFor(R"({"id":5,"credit":{"subscription":1,"records":-1}})", 5), "INVALID_CONFIG");
  EXPECT_EQ(ReasonFor(R"({"id":5,"credit":{"subscription":1,"records":1}})", 5),
            "SESSION_NOT_FOUND");
  EXPECT_EQ(ReasonFor(R"({"id":5,"unsubscribe":{"subscription":1}})", 5), "SESSION_NOT_FOUND");
  EXPECT_EQ(ReasonFor(R"({"id":5,"produce":{"topic":"orders"}})", 5), "EMPTY_REQUEST");
  EXPECT_EQ(ReasonFor(R"({"id":5,"produce":{"topic":"orders","records":[{"text":7}]}})", 5),
            "MALFORMED_RECORD");
  EXPECT_EQ(ReasonFor(R"({"id":5,"produce":{"topic":"none","records":[{}]}})", 5),
            "TOPIC_NOT_FOUND");
  EXPECT_EQ(ReasonFor(R"({"id":5,"commit":{"group":"g"}})", 5), "EMPTY_REQUEST");
  EXPECT_EQ(ReasonFor(R"({"id":5,"watchGroup":{"group":"g","interval":"0.001s"}})", 5),
            "INVALID_CONFIG");
  EXPECT_EQ(
      ReasonFor(R"({"id":5,"commit":)" + std::string(5000, '[') + std::string(5000, ']') + "}", 5),
      "MALFORMED_REQUEST");
}

TEST_F(BadInput, OfIdsIsAnsweredUnderNone) {
  for (const char* command :
       {R"({"ping":{}})", R"({"id":0,"ping":{}})", R"({"id":-7,"ping":{}})",
        R"({"id":"x","ping":{}})", R"({"id":2147483648,"ping":{}})", R"({"id":null,"ping":{}})"}) {
    EXPECT_EQ(ReasonFor(command, 0), "INVALID_CONFIG") << command;
  }
  WebSocketPeer peer(port());
  const json subscribe = {{"id", 1}, {"subscribe", {{"request", {{"topics", {"orders"}}}}}}};
  peer.Send(subscribe);
  peer.Frame(1, "caughtUp");
  peer.Send(subscribe);
  EXPECT_EQ(peer.Answer(0)["error"]["metadata"]["id"], "1");
}

TEST_F(BadInput, MayOpenOnlySoMuchOnOneConnection) {
  WebSocketPeer peer(port());
  for (int id = 1; id <= 101; ++id) {
    peer.Send({{"id", id}, {"subscribe", {{"request", {{"topics", {"orders"}}}}}}});
  }
  EXPECT_EQ(peer.Answer(101)["error"]["reason"], "LIMIT_EXCEEDED");
  peer.Send({{"id", 102}, {"unsubscribe", {{"subscription", 50}}}});
  EXPECT_TRUE(peer.Answer(102).contains("done"));
  peer.Send({{"id", 103}, {"subscribe", {{"request", {{"topics", {"orders"}}}}}}});
  peer.Frame(103, "caughtUp");
}

// ---- Clients that do not read, or say nothing

TEST_F(ImpatientWriting, ClosesAReaderThatTakesNothing) {
  WebSocketPeer stalled(port());
  stalled.Send({{"id", 1}, {"subscribe", {{"request", {{"topics", {"orders"}}}}}}});
  stalled.Frame(1, "caughtUp");
  WebSocketPeer other(port());
  other.Send({{"id", 1}, {"subscribe", {{"request", {{"topics", {"orders"}}}}}}});
  other.Frame(1, "caughtUp");
  const std::string value(500'000, 'x');
  // More than the sockets hold; no more once it is given up, since its close waits only so long.
  for (int i = 0; i < 40 && hub_.hub().subscriptions().count() > 1; ++i) {
    hub_.Produce("orders", 0, {value});
    EXPECT_EQ(other.Records(1, 1).size(), 1u);  // It is not held up.
  }
  hub_.AwaitSubscriptions(1);
  // Awake again, it finds what was under way, and then the end.
  EXPECT_EQ(stalled.AwaitCloseCode(), 4408);
}

TEST_F(Impatience, StopsReadingFromAClientThatTakesNoAnswers) {
  RawConnection connection(port());
  connection.Send(Handshake("millrace.v1.json"));
  connection.ReceiveAnswer(false);
  const std::string ping = ClientFrame(WebSocketPeer::kText, R"({"id":1,"fly":{}})");
  std::string pings;
  for (int i = 0; i < 10'000; ++i) pings += ping;
  size_t sent = 0;
  for (int i = 0; i < 3000; ++i) {
    const size_t now = connection.SendSome(pings);
    sent += now;
    if (now == 0) absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_LT(sent, size_t{64} << 20);  // The sockets' own buffers, and no more.
}

TEST_F(Impatience, GivesUpAWebSocketThatAnswersNoPing) {
  WebSocketPeer dead(port());
  EXPECT_TRUE(dead.raw().AwaitClose());
  hub_.AwaitConnections(0);
}

TEST_F(Impatience, KeepsAWebSocketThatAnswersPings) {
  WebSocketPeer alive(port());
  // Pings are answered while it waits for this.
  std::thread reader([&] { EXPECT_TRUE(alive.Answer(1).contains("pong")); });
  absl::SleepFor(absl::Seconds(2));  // Three times as long as a silent one lives.
  alive.Send({{"id", 1}, {"ping", json::object()}});
  reader.join();
}

TEST_F(Impatience, ClosesAMessageThatDoesNotEnd) {
  EXPECT_EQ(CloseFor(ClientFrame(WebSocketPeer::kText, "{", false)), 4408);
}

// Connections that were opened and left, a fourth of each kind: silent, in the midst of a header, a
// WebSocket that asks for nothing, and one with a subscription that is never read.
class OpenedAndLeft {
 public:
  OpenedAndLeft(int port, int count) {
    for (int i = 0; i < count; i += 4) {
      silent_.push_back(std::make_unique<RawConnection>(port));
      silent_.push_back(std::make_unique<RawConnection>(port));
      silent_.back()->Send("GET /healthz HTTP/1.1\r\nHo");
      sockets_.push_back(std::make_unique<WebSocketPeer>(port));
      sockets_.push_back(std::make_unique<WebSocketPeer>(port));
      sockets_.back()->Send({{"id", 1}, {"subscribe", {{"request", {{"topics", {"orders"}}}}}}});
    }
  }

  // As many as there are descriptors for, both ends being in this process; at most 10,000.
  static int Most() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    constexpr rlim_t kForOthers = 500;
    return static_cast<int>(std::min<rlim_t>(10'000, (limit.rlim_cur - kForOthers) / 2) / 4 * 4);
  }

 private:
  std::vector<std::unique_ptr<RawConnection>> silent_;
  std::vector<std::unique_ptr<WebSocketPeer>> sockets_;
};

TEST(Connections, ThatAreOpenedAndLeftDisturbNobody) {
  WebHub hub({.max_connections = 10'100,
              .header_timeout = absl::InfiniteDuration(),
              .idle_timeout = absl::InfiniteDuration()});
  hub.CreateTopic("orders");
  WebSocketPeer other(hub.port());
  other.Send({{"id", 1}, {"subscribe", {{"request", {{"topics", {"orders"}}}}}}});
  other.Frame(1, "caughtUp");
  {
    const int count = OpenedAndLeft::Most();
    ASSERT_GE(count, 200);
    const OpenedAndLeft left(hub.port(), count);
    hub.AwaitConnections(count + 1);
    hub.AwaitSubscriptions(count / 4 + 1);
    hub.Produce("orders", 0, {"tea"});
    EXPECT_EQ(other.Records(1, 1), std::vector<std::string>{"0/0=tea"});
    EXPECT_EQ(Get(hub.port(), "/healthz").status, 200);
  }
  hub.AwaitConnections(1);  // Gone without a word, and nothing is kept of them.
  hub.AwaitSubscriptions(1);
}

TEST(Connections, ThatAreOpenedAndLeftAreGivenUp) {
  WebHub hub(Impatient());
  hub.CreateTopic("orders");
  const OpenedAndLeft left(hub.port(), 400);
  hub.AwaitConnections(0);
  hub.AwaitSubscriptions(0);
  EXPECT_EQ(Get(hub.port(), "/healthz").status, 200);
}

TEST(Connections, BeyondTheLimitAreClosedAtOnce) {
  WebHub hub({.max_connections = 20});
  std::vector<std::unique_ptr<WebSocketPeer>> peers;
  for (int i = 0; i < 20; ++i) peers.push_back(std::make_unique<WebSocketPeer>(hub.port()));
  RawConnection refused(hub.port());
  EXPECT_TRUE(refused.AwaitClose());
  peers.pop_back();
  hub.AwaitConnections(19);
  EXPECT_EQ(Get(hub.port(), "/healthz").status, 200);
}

TEST(Connections, BeyondTheLimitOfTheirAddressAreClosedAtOnce) {
  WebHub hub({.max_connections_per_address = 3});
  std::vector<std::unique_ptr<WebSocketPeer>> peers;
  for (int i = 0; i < 3; ++i) peers.push_back(std::make_unique<WebSocketPeer>(hub.port()));
  RawConnection refused(hub.port());
  EXPECT_TRUE(refused.AwaitClose());
  RawConnection other(hub.port(), INADDR_LOOPBACK + 1);
  other.Send("GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n");
  EXPECT_EQ(other.ReceiveAnswer().status, 200);
  peers.pop_back();
  hub.AwaitConnections(3);  // Two here, and the other.
  EXPECT_EQ(Get(hub.port(), "/healthz").status, 200);
}

TEST(Connections, ShareWhatBeingReceivedMayTake) {
  WebHub hub({.max_receiving_bytes = 3'000'000});
  hub.CreateTopic("orders");
  RawConnection first(hub.port());
  first.Send(absl::StrCat(kPost, "Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(first.ReceiveUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  RawConnection second(hub.port());
  second.Send(absl::StrCat(kPost, "Content-Length: 2000000\r\n\r\n"));
  const HttpAnswer answer = second.ReceiveAnswer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json::parse(answer.body)["reason"], "OVERLOADED");
  WebSocketPeer peer(hub.port());
  peer.SendFrame(WebSocketPeer::kText, std::string(1'500'000, ' '), false);
  EXPECT_EQ(peer.AwaitCloseCode(), 4429);
}

}  // namespace
}  // namespace millrace::testing
