// The plain HTTP of the web port, over real sockets.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "millrace/v1/event_hub.pb.h"
#include "storage/error.h"
#include "tests/server/web/raw_connection.h"
#include "tests/server/web/web_hub.h"

namespace millrace::testing {
namespace {

using nlohmann::json;

constexpr char kJson[] = "application/json";

// An error's status and reason: "404 TOPIC_NOT_FOUND".
std::string ErrorOf(const HttpAnswer& answer) {
  const json body = json::parse(answer.body, nullptr, false);
  if (!body.is_object()) return absl::StrCat(answer.status, " without a reason");
  return absl::StrCat(answer.status, " ", body.value("reason", "none"));
}

class HttpTest : public ::testing::Test {
 protected:
  int port() const { return hub_.port(); }

  HttpAnswer Call(const std::string& method, const std::string& body) {
    return Post(port(), "/v1/call/millrace.v1." + method, kJson, body);
  }

  WebHub hub_;
};

// ---- Calls

TEST_F(HttpTest, CallsTheContract) {
  HttpAnswer answer = Call("TopicService/CreateTopic", R"({"topic":"orders","partition_count":3})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers["content-type"], kJson);
  EXPECT_EQ(json::parse(answer.body)["topic"]["partitionCount"], 3);
  answer = Call("InspectionService/Send", R"({"topic":"orders","partition":1,"text":"tea"})");
  EXPECT_EQ(json::parse(answer.body),
            json::parse(R"({"topic":"orders","partition":1,"offset":"0"})"));
  answer = Call("EventHubService/ListOffsets", R"({"topic":"orders","partitions":[1]})");
  EXPECT_EQ(json::parse(answer.body)["partitions"][0]["latestOffset"], "1");
  answer = Call("EventHubService/CommitOffset",
                R"({"group":"g","offsets":[{"topic":"orders","partition":1,"nextOffset":"1"},
                    {"topic":"orders","partition":9,"nextOffset":"1"}]})");
  const json results = json::parse(answer.body)["results"];
  EXPECT_EQ(results[0]["committedNextOffset"], "1");
  EXPECT_EQ(results[1]["error"]["reason"], "PARTITION_OUT_OF_RANGE");
  answer = Call("GroupService/GetGroup", R"({"group":"g"})");
  EXPECT_EQ(json::parse(answer.body)["group"]["summary"]["lagRecords"], "0");
  EXPECT_EQ(json::parse(Call("HubService/GetHub", "").body)["hub"]["version"], "1.2.3");
}

TEST_F(HttpTest, AnswersEveryUnaryCallOfTheContract) {
  for (const char* method : {"EventHubService/OpenProducer",
                             "EventHubService/CommitOffset",
                             "EventHubService/GetCommittedOffsets",
                             "EventHubService/ListOffsets",
                             "EventHubService/Seek",
                             "EventHubService/PausePartitions",
                             "EventHubService/ResumePartitions",
                             "EventHubService/UpdateSubscription",
                             "TopicService/CreateTopic",
                             "TopicService/GetTopic",
                             "TopicService/DescribeTopics",
                             "TopicService/ListTopics",
                             "TopicService/UpdateTopic",
                             "TopicService/DeleteTopic",
                             "TopicService/TruncateTopic",
                             "GroupService/ListGroups",
                             "GroupService/GetGroup",
                             "GroupService/ResetOffsets",
                             "GroupService/DeleteGroup",
                             "InspectionService/Send",
                             "HubService/GetHub",
                             "HubService/CreateCheckpoint"}) {
    EXPECT_EQ(Call(method, "{\"bogus\":1}").status, 400) << method;
    EXPECT_NE(ErrorOf(Call(method, "{}")), "404 UNSUPPORTED") << method;
  }
  EXPECT_EQ(ErrorOf(Call("EventHubService/Produce", "{}")), "404 UNSUPPORTED");
  EXPECT_EQ(ErrorOf(Call("TopicService/Fly", "{}")), "404 UNSUPPORTED");
}

TEST_F(HttpTest, DescribesSeveralTopicsInOneCall) {
  hub_.CreateTopic("orders", 2);
  hub_.Produce("orders", 1, {"a", "b"});
  const HttpAnswer answer =
      Call("TopicService/DescribeTopics", R"({"topics":["gone","orders","a b"]})");
  EXPECT_EQ(answer.status, 200);
  const json topics = json::parse(answer.body)["topics"];
  ASSERT_EQ(topics.size(), 3u);
  EXPECT_EQ(topics[0]["error"]["reason"], "TOPIC_NOT_FOUND");
  EXPECT_FALSE(topics[0].contains("topic"));
  EXPECT_EQ(topics[1]["topic"]["name"], "orders");
  EXPECT_EQ(topics[1]["partitions"][1]["latestOffset"], "2");
  EXPECT_EQ(topics[1]["partitions"][1]["deliveredRecords"], "0");
  EXPECT_FALSE(topics[1].contains("error"));
  EXPECT_EQ(topics[2]["error"]["reason"], "INVALID_NAME");
  json many = json::array();
  for (int i = 0; i < 1001; ++i) many.push_back("orders");
  EXPECT_EQ(ErrorOf(Call("TopicService/DescribeTopics", json{{"topics", many}}.dump())),
            "429 LIMIT_EXCEEDED");
}

TEST_F(HttpTest, TellsErrorsAsGrpcDoes) {
  HttpAnswer answer = Call("TopicService/GetTopic", R"({"topic":"none"})");
  EXPECT_EQ(ErrorOf(answer), "404 TOPIC_NOT_FOUND");
  const json error = json::parse(answer.body);
  EXPECT_EQ(error["code"], 5);
  EXPECT_EQ(error["metadata"]["topic"], "none");
  EXPECT_FALSE(error.contains("retryAfter"));
  Call("TopicService/CreateTopic", R"({"topic":"t"})");
  EXPECT_EQ(ErrorOf(Call("TopicService/CreateTopic", R"({"topic":"t"})")), "409 TOPIC_EXISTS");
  EXPECT_EQ(ErrorOf(Call("TopicService/CreateTopic", R"({"topic":"a b"})")), "400 INVALID_NAME");
  EXPECT_EQ(ErrorOf(Call("TopicService/CreateTopic", "nonsense")), "400 MALFORMED_REQUEST");
  EXPECT_EQ(ErrorOf(Call("TopicService/CreateTopic", R"({"topic":"u","partitionCount":"x"})")),
            "400 MALFORMED_REQUEST");
}

TEST_F(HttpTest, SaysWhenToTryAgain) {
  hub_.hub().Drain();
  HttpAnswer answer = Call("TopicService/ListTopics", "{}");
  EXPECT_EQ(ErrorOf(answer), "503 DRAINING");
  EXPECT_EQ(answer.headers["retry-after"], "1");
  EXPECT_EQ(json::parse(answer.body)["retryAfter"], "1s");
  EXPECT_EQ(Call("HubService/GetHub", "{}").status, 200);
}

// ---- Records

TEST_F(HttpTest, StoresRecordsInEachForm) {
  hub_.CreateTopic("orders", 2);
  const std::string path = "/v1/topics/orders/records";
  HttpAnswer answer =
      Post(port(), path, kJson, R"({"partition":0,"records":[{"key":"k","text":"a"}]})");
  EXPECT_EQ(json::parse(answer.body)["appended"][0]["baseOffset"], "0");
  answer = Post(port(), path + "?partition=0&durability=buffered", "application/octet-stream",
                std::string("\0\xff", 2), "Millrace-Key: 42\r\n");
  EXPECT_EQ(json::parse(answer.body)["appended"][0]["baseOffset"], "1") << answer.body;
  v1::ProduceRequest request;
  request.set_partition(0);
  request.add_records()->set_value("c");
  answer = Post(port(), path, "application/x-protobuf", request.SerializeAsString());
  EXPECT_EQ(answer.headers["content-type"], "application/x-protobuf");
  v1::ProduceResponse response;
  ASSERT_TRUE(response.ParseFromString(answer.body));
  EXPECT_EQ(response.appended(0).base_offset(), 2);
}

TEST_F(HttpTest, RefusesRecordsThatMakeNoSense) {
  hub_.CreateTopic("orders");
  const std::string path = "/v1/topics/orders/records";
  const std::string octets = "application/octet-stream";
  EXPECT_EQ(ErrorOf(Post(port(), "/v1/topics/none/records", octets, "x")), "404 TOPIC_NOT_FOUND");
  EXPECT_EQ(ErrorOf(Post(port(), path + "?partition=7", octets, "x")),
            "400 PARTITION_OUT_OF_RANGE");
  EXPECT_EQ(ErrorOf(Post(port(), path + "?partition=x", octets, "x")), "400 INVALID_CONFIG");
  EXPECT_EQ(ErrorOf(Post(port(), path + "?durability=maybe", octets, "x")), "400 INVALID_CONFIG");
  EXPECT_EQ(ErrorOf(Post(port(), path, kJson, "[")), "400 MALFORMED_REQUEST");
  EXPECT_EQ(ErrorOf(Post(port(), path, kJson, "{}")), "400 EMPTY_REQUEST");
  EXPECT_EQ(ErrorOf(Post(port(), path, kJson, R"({"topic":"x","records":[{}]})")),
            "400 INVALID_CONFIG");
  EXPECT_EQ(ErrorOf(Post(port(), path, "application/x-protobuf", "\xff")), "400 MALFORMED_REQUEST");
  EXPECT_EQ(ErrorOf(Post(port(), path, octets, std::string((1 << 20) + 1, 'x'))),
            "400 RECORD_TOO_LARGE");
}

// So that a form of a foreign page cannot post.
TEST_F(HttpTest, TakesOnlyContentTypesThatNoFormHas) {
  for (const char* type :
       {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""}) {
    EXPECT_EQ(Post(port(), "/v1/topics/t/records", type, "{}").status, 415) << type;
    EXPECT_EQ(Post(port(), "/v1/call/millrace.v1.HubService/GetHub", type, "{}").status, 415);
  }
  EXPECT_EQ(Post(port(), "/v1/call/millrace.v1.HubService/GetHub",
                 "Application/JSON; charset=utf-8", "{}")
                .status,
            200);
}

// ---- Health, files, paths

TEST_F(HttpTest, TellsHealthAndReadiness) {
  EXPECT_EQ(Get(port(), "/healthz").body, "ok\n");
  EXPECT_EQ(Get(port(), "/readyz").body, "ready\n");
  EXPECT_EQ(Get(port(), "/metrics").body, "millrace_up 1\n");
  hub_.hub().Drain();
  EXPECT_EQ(Get(port(), "/healthz").status, 200);
  EXPECT_EQ(Get(port(), "/readyz").status, 503);
}

TEST_F(HttpTest, ServesTheConsole) {
  HttpAnswer index = Get(port(), "/");
  EXPECT_EQ(index.status, 200);
  EXPECT_EQ(index.body, "<!doctype html><title>console</title>");
  EXPECT_EQ(index.headers["content-type"], "text/html; charset=utf-8");
  EXPECT_EQ(index.headers["x-content-type-options"], "nosniff");
  EXPECT_EQ(index.headers["content-security-policy"].find("default-src 'self'"), 0u);
  HttpAnswer script = Get(port(), "/js/app.js?v=1");
  EXPECT_EQ(script.headers["content-type"], "text/javascript; charset=utf-8");
  EXPECT_EQ(Get(port(), "/secret.bin").body, std::string("\0\xff", 2));
  const HttpAnswer again =
      Get(port(), "/js/app.js", absl::StrCat("If-None-Match: ", script.headers["etag"], "\r\n"));
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
}

TEST_F(HttpTest, AnswersHeadWithoutABody) {
  RawConnection connection(port());
  connection.Send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(connection.ReceiveAnswer(false).headers["content-length"], "37");
  EXPECT_EQ(connection.ReceiveAnswer().body, "ok\n");
}

TEST_F(HttpTest, KnowsNoOtherPathAndMethod) {
  for (const char* path : {"/none", "/js", "/js/", "/../etc/passwd", "/v1/", "/v1/nothing",
                           "/v1/topics/orders", "/v1/topics/records", "//"}) {
    EXPECT_EQ(ErrorOf(Get(port(), path)), "404 MALFORMED_REQUEST") << path;
  }
  EXPECT_EQ(Get(port(), "/%zz").status, 400);
  EXPECT_EQ(Get(port(), "/%ff").status, 400);
  EXPECT_EQ(Get(port(), "/v1/topics/orders/records").status, 405);
  EXPECT_EQ(Get(port(), "/v1/call/millrace.v1.HubService/GetHub").status, 405);
  EXPECT_EQ(Post(port(), "/", kJson, "{}").status, 405);
  EXPECT_EQ(Request(port(), "DELETE /healthz HTTP/1.1\r\nHost: a\r\n\r\n").status, 405);
}

TEST_F(HttpTest, KeepsAConnectionForManyRequests) {
  hub_.CreateTopic("orders");
  RawConnection connection(port());
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests +=
        "POST /v1/topics/orders/records HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
        "Content-Type: application/octet-stream\r\n\r\nx";
  }
  connection.Send(requests);  // One behind the other, without awaiting the answers.
  for (int i = 0; i < 50; ++i) {
    const HttpAnswer answer = connection.ReceiveAnswer();
    EXPECT_EQ(json::parse(answer.body)["appended"][0]["baseOffset"], std::to_string(i));
  }
  connection.Send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(connection.ReceiveAnswer().headers["connection"], "close");
  EXPECT_TRUE(connection.AwaitClose());
}

TEST_F(HttpTest, TakesAChunkedBodyAndOneThatIsAskedFor) {
  hub_.CreateTopic("orders");
  const std::string head =
      "POST /v1/topics/orders/records HTTP/1.1\r\nHost: a\r\n"
      "Content-Type: application/octet-stream\r\n";
  const HttpAnswer chunked =
      Request(port(), head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.status, 200);
  RawConnection connection(port());
  connection.Send(head + "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(connection.ReceiveUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.Send("hi");
  EXPECT_EQ(connection.ReceiveAnswer().status, 200);
}

// ---- Origins

TEST(HttpOrigin, MustBeTheHubsOwnOrAllowed) {
  WebHub hub({.allowed_origins = {"https://shop.example"}});
  EXPECT_EQ(Get(hub.port(), "/", "Origin: http://localhost\r\n").status, 200);
  EXPECT_EQ(Get(hub.port(), "/", "Origin: https://localhost\r\n").status, 200);  // By a proxy.
  for (const char* origin :
       {"http://localhost:81", "http://evil.example", "null", "http://localhost.evil.example",
        "https://shop.example.evil", "http://shop.example"}) {
    const HttpAnswer answer = Get(hub.port(), "/", absl::StrCat("Origin: ", origin, "\r\n"));
    EXPECT_EQ(ErrorOf(answer), "403 PERMISSION_DENIED") << origin;
    EXPECT_EQ(answer.headers.count("access-control-allow-origin"), 0u);
  }
  HttpAnswer allowed = Get(hub.port(), "/", "Origin: https://shop.example\r\n");
  EXPECT_EQ(allowed.status, 200);
  EXPECT_EQ(allowed.headers["access-control-allow-origin"], "https://shop.example");
  EXPECT_EQ(allowed.headers["vary"], "Origin");
}

TEST(HttpOrigin, IsAnsweredBeforeAForeignPageMayPost) {
  WebHub hub({.allowed_origins = {"https://shop.example"}});
  const std::string request =
      "OPTIONS /v1/topics/t/records HTTP/1.1\r\nHost: localhost\r\nOrigin: ";
  HttpAnswer allowed = Request(hub.port(), request + "https://shop.example\r\n\r\n");
  EXPECT_EQ(allowed.status, 204);
  EXPECT_NE(allowed.headers["access-control-allow-methods"].find("POST"), std::string::npos);
  EXPECT_EQ(Request(hub.port(), request + "https://evil.example\r\n\r\n").status, 403);
}

}  // namespace
}  // namespace millrace::testing
