// The WebSocket of the web port, over real sockets.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/str_cat.h"
#include "millrace/v1/gateway.pb.h"
#include "tests/server/web/web_hub.h"
#include "tests/server/web/websocket_peer.h"

namespace millrace::testing {
namespace {

using nlohmann::json;
using Values = std::vector<std::string>;

json Subscribe(int id, const json& request) {
  return {{"id", id}, {"subscribe", {{"request", request}}}};
}

class WebSocketTest : public ::testing::Test {
 protected:
  int port() const { return hub_.port(); }

  WebHub hub_;
};

// ---- Commands

TEST_F(WebSocketTest, AnswersAPing) {
  WebSocketPeer peer(port());
  peer.Send({{"id", 1}, {"ping", json::object()}});
  const json answer = peer.NextJson();
  EXPECT_EQ(answer["id"], 1);
  EXPECT_TRUE(answer["pong"].contains("hubTime"));
}

TEST_F(WebSocketTest, ProducesAndSubscribesOnOneConnection) {
  hub_.CreateTopic("orders");
  WebSocketPeer peer(port());
  peer.Send(Subscribe(1, {{"topics", {"orders"}}, {"start", {{"earliest", true}}}}));
  EXPECT_EQ(peer.Frame(1, "sessionStarted")["logEpoch"].type(), json::value_t::string);
  EXPECT_EQ(peer.Frame(1, "assigned")["assignments"].size(), 1u);
  EXPECT_EQ(peer.Frame(1, "caughtUp")["partitions"].size(), 1u);
  peer.Send(
      {{"id", 2},
       {"produce", {{"topic", "orders"}, {"records", {{{"key", "k"}, {"json", {{"a", 1}}}}}}}}});
  json produced;
  json batches;
  while (produced.is_null() || batches.is_null()) {  // In any order.
    const json answer = peer.NextJson();
    if (answer["id"] == 2) produced = answer["produced"];
    if (answer["id"] == 1) batches = answer["frame"]["batches"];
  }
  EXPECT_EQ(produced["appended"][0]["baseOffset"], "0");
  EXPECT_EQ(batches["batches"][0]["records"][0],
            json::parse(R"({"offset":"0","key":"k","json":{"a":1}})"));
}

// A command with a trace, and then its records as a reader gets them.
void ProduceWithTrace(WebSocketPeer& peer, const json& trace, const json& records) {
  json command = {{"id", 1}, {"produce", {{"topic", "orders"}, {"records", records}}}};
  command.update(trace);
  peer.Send(command);
  EXPECT_TRUE(peer.NextJson().contains("produced"));
}

TEST_F(WebSocketTest, GivesTheTraceOfACommandToItsRecordsAndToWhoReadsThem) {
  constexpr char kTrace[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  hub_.CreateTopic("orders");
  WebSocketPeer peer(port());
  const json own = json::array({{{"name", "traceparent"}, {"text", "mine"}}});
  ProduceWithTrace(peer, {{"traceparent", kTrace}, {"tracestate", "a=1"}},
                   {{{"text", "traced"}}, {{"text", "own"}, {"headers", own}}});
  ProduceWithTrace(peer, {{"traceparent", "nonsense"}}, {{{"text", "ignored"}}});
  ProduceWithTrace(peer, {{"traceparent", 7}}, {{{"text", "ignored"}}});
  peer.Send(Subscribe(2, {{"topics", {"orders"}}, {"start", {{"earliest", true}}}}));
  peer.Frame(2, "sessionStarted");
  peer.Frame(2, "assigned");
  std::vector<json> headers;
  while (headers.size() < 4) {
    const json frame = peer.Frame(2, "batches");
    ASSERT_TRUE(frame.contains("batches")) << frame;
    for (const json& batch : frame["batches"]) {
      for (const json& record : batch["records"]) {
        headers.push_back(record.value("headers", json::array()));
      }
    }
  }
  EXPECT_EQ(headers[0], json::array({{{"name", "traceparent"}, {"text", kTrace}},
                                     {{"name", "tracestate"}, {"text", "a=1"}}}));
  EXPECT_EQ(headers[1], own);
  EXPECT_EQ(headers[2], json::array());
  EXPECT_EQ(headers[3], json::array());
}

TEST_F(WebSocketTest, KeepsTheOrderOfWhatIsProduced) {
  hub_.CreateTopic("orders");
  WebSocketPeer peer(port());
  std::string commands;
  for (int i = 1; i <= 500; ++i) {
    commands += ClientFrame(WebSocketPeer::kText,
                            absl::StrCat(R"({"id":)", i, R"(,"produce":{"topic":"orders",)",
                                         R"("records":[{"text":")", i, R"("}]}})"));
  }
  std::thread sender([&] { peer.raw().Send(commands); });
  for (int i = 1; i <= 500; ++i) {
    const json answer = peer.NextJson();
    const int id = answer["id"];
    EXPECT_EQ(answer["produced"]["appended"][0]["baseOffset"], std::to_string(id - 1));
  }
  sender.join();
}

TEST_F(WebSocketTest, CommitsForAGroupAndWatchesIt) {
  hub_.CreateTopic("orders");
  hub_.Produce("orders", 0, {"a", "b"});
  WebSocketPeer peer(port());
  peer.Send(Subscribe(1, {{"topics", {"orders"}}, {"group", "g"}}));
  const json session = peer.Frame(1, "sessionStarted");
  EXPECT_EQ(peer.Records(1, 2), (Values{"0/0=a", "0/1=b"}));
  peer.Send({{"id", 2}, {"watchGroup", {{"group", "g"}, {"interval", "0.1s"}}}});
  json group = peer.Answer(2)["group"]["group"];
  EXPECT_EQ(group["summary"]["lagRecords"], "2");
  EXPECT_EQ(group["members"][0]["memberId"], session["memberId"]);
  peer.Send({{"id", 3},
             {"commit",
              {{"group", "g"},
               {"memberId", session["memberId"]},
               {"memberEpoch", session["memberEpoch"]},
               {"offsets", {{{"topic", "orders"}, {"partition", 0}, {"nextOffset", "2"}}}}}}});
  EXPECT_EQ(peer.Answer(3)["committed"]["results"][0]["committedNextOffset"], "2");
  while (group["summary"]["lagRecords"] != "0") group = peer.Answer(2)["group"]["group"];
  peer.Send({{"id", 4}, {"unsubscribe", {{"subscription", 2}}}});
  EXPECT_TRUE(peer.Answer(4).contains("done"));
  peer.Send({{"id", 2}, {"watchGroup", {{"group", "none"}}}});  // The id is free again.
  EXPECT_EQ(peer.Answer(2)["error"]["reason"], "GROUP_NOT_FOUND");
}

TEST_F(WebSocketTest, FreesAGroupsPartitionsWhenItGoes) {
  hub_.CreateTopic("orders");
  hub_.Produce("orders", 0, {"a"});
  auto first = std::make_unique<WebSocketPeer>(port());
  first->Send(Subscribe(1, {{"topics", {"orders"}}, {"group", "g"}}));
  first->Records(1, 1);
  WebSocketPeer second(port());
  second.Send(Subscribe(1, {{"topics", {"orders"}}, {"group", "g"}}));
  second.Frame(1, "sessionStarted");
  first.reset();
  EXPECT_EQ(second.Records(1, 1), Values{"0/0=a"});
}

// ---- Streams

TEST_F(WebSocketTest, DeliversNoMoreThanTheCredit) {
  hub_.CreateTopic("orders");
  hub_.Produce("orders", 0, {"a", "b", "c", "d"});
  WebSocketPeer peer(port());
  json subscribe = Subscribe(1, {{"topics", {"orders"}}, {"start", {{"earliest", true}}}});
  subscribe["subscribe"]["credit"] = 1;
  peer.Send(subscribe);
  EXPECT_EQ(peer.Records(1, 1), Values{"0/0=a"});
  peer.Send({{"id", 2}, {"ping", json::object()}});
  EXPECT_EQ(peer.NextJson()["id"], 2);  // Nothing else comes.
  peer.Send({{"id", 3}, {"credit", {{"subscription", 1}, {"records", 2}}}});
  EXPECT_EQ(peer.Records(1, 2), (Values{"0/1=b", "0/2=c"}));
  peer.Send({{"id", 4}, {"ping", json::object()}});
  EXPECT_EQ(peer.NextJson()["id"], 4);
}

TEST_F(WebSocketTest, CountsCreditThatComesBeforeTheSubscriptionIsOpen) {
  hub_.CreateTopic("orders");
  hub_.Produce("orders", 0, {"a", "b"});
  WebSocketPeer peer(port());
  json subscribe = Subscribe(1, {{"topics", {"orders"}}, {"start", {{"earliest", true}}}});
  subscribe["subscribe"]["credit"] = 0;
  peer.raw().Send(
      ClientFrame(WebSocketPeer::kText, subscribe.dump()) +
      ClientFrame(WebSocketPeer::kText, R"({"id":2,"credit":{"subscription":1,"records":2}})"));
  EXPECT_EQ(peer.Records(1, 2), (Values{"0/0=a", "0/1=b"}));
}

TEST_F(WebSocketTest, SaysNothingOfASubscriptionAfterItsEnd) {
  hub_.CreateTopic("orders");
  WebSocketPeer peer(port());
  peer.Send(Subscribe(1, {{"topics", {"orders"}}}));
  peer.Frame(1, "caughtUp");
  peer.Send({{"id", 2}, {"unsubscribe", {{"subscription", 1}}}});
  EXPECT_TRUE(peer.Answer(2).contains("done"));
  hub_.Produce("orders", 0, {"unseen"});
  peer.Send({{"id", 3}, {"ping", json::object()}});
  EXPECT_EQ(peer.NextJson()["id"], 3);
  EXPECT_EQ(hub_.hub().subscriptions().count(), 0);
}

TEST_F(WebSocketTest, FreesTheIdOfASubscriptionThatHasEnded) {
  hub_.CreateTopic("orders");
  WebSocketPeer peer(port());
  for (int i = 0; i < 20; ++i) {
    peer.Send(Subscribe(1, {{"topics", {"orders"}}, {"endAtCurrent", true}}));
    EXPECT_EQ(peer.Frame(1, "ending")["reason"], "ENDING_REASON_END_REACHED");
  }
}

TEST_F(WebSocketTest, ResumesExactlyAfterEveryBreak) {
  hub_.CreateTopic("orders", 2);
  std::map<int, int64_t> next = {{0, 0}, {1, 0}};
  std::map<int, std::string> epoch;
  int stored = 0;
  for (int connection = 0; connection < 30; ++connection) {
    hub_.Produce("orders", connection % 2, {"x", "y", "z"});
    stored += 3;
    json positions = json::array();
    for (const auto& [partition, log_epoch] : epoch) {
      positions.push_back({{"topic", "orders"},
                           {"partition", partition},
                           {"offset", std::to_string(next[partition])},
                           {"logEpoch", log_epoch}});
    }
    WebSocketPeer peer(port());
    json subscribe = Subscribe(
        1, {{"topics", {"orders"}}, {"start", {{"earliest", true}}}, {"positions", positions}});
    subscribe["subscribe"]["credit"] = 2;  // So that it breaks off in the middle of a batch.
    peer.Send(subscribe);
    for (int records = 0; records < 2 && !HasFailure();) {
      const json frame = peer.Frame(1, "batches");
      for (const json& batch : frame["batches"]) {
        const int partition = batch["partition"];
        for (const json& record : batch["records"]) {
          EXPECT_EQ(record["offset"], std::to_string(next[partition]++));
          ++records;
        }
        epoch[partition] = batch["logEpoch"];
      }
    }
  }
  EXPECT_EQ(next[0] + next[1], 60);
}

TEST_F(WebSocketTest, IsToldWhatIsGone) {
  hub_.CreateTopic("orders");
  hub_.Produce("orders", 0, {"a"});
  WebSocketPeer peer(port());
  json position = {{"topic", "orders"}, {"partition", 0}, {"offset", "5"}};
  peer.Send(Subscribe(1, {{"positions", {position}}}));
  const json error = peer.Answer(1)["error"];
  EXPECT_EQ(error["reason"], "OFFSET_OUT_OF_RANGE");
  EXPECT_EQ(error["metadata"]["latest"], "1");
  position = {{"topic", "orders"}, {"partition", 0}, {"offset", "1"}, {"logEpoch", "0"}};
  peer.Send(Subscribe(1, {{"positions", {position}}}));
  EXPECT_EQ(peer.Answer(1)["error"]["reason"], "LOG_EPOCH_CHANGED");
}

TEST_F(WebSocketTest, SharesWhatManyReadersAreSent) {
  hub_.CreateTopic("orders");
  std::vector<std::unique_ptr<WebSocketPeer>> peers;
  for (int i = 0; i < 50; ++i) {
    peers.push_back(std::make_unique<WebSocketPeer>(port()));
    peers.back()->Send(Subscribe(1, {{"topics", {"orders"}}}));
    peers.back()->Frame(1, "caughtUp");
  }
  hub_.Produce("orders", 0, {"tea"});
  for (const auto& peer : peers) EXPECT_EQ(peer->Records(1, 1), Values{"0/0=tea"});
}

// ---- The other subprotocol

TEST_F(WebSocketTest, SpeaksProtobufToo) {
  hub_.CreateTopic("orders");
  WebSocketPeer peer(port(), "millrace.v1.proto");
  v1::GatewayRequest request;
  request.set_id(1);
  request.mutable_produce()->set_topic("orders");
  request.mutable_produce()->add_records()->set_value(std::string("\0\xff", 2));
  peer.SendFrame(WebSocketPeer::kBinary, request.SerializeAsString());
  WebSocketPeer::Message message = peer.Next();
  EXPECT_EQ(message.opcode, WebSocketPeer::kBinary);
  v1::GatewayResponse response;
  ASSERT_TRUE(response.ParseFromString(message.payload));
  EXPECT_EQ(response.id(), 1);
  EXPECT_EQ(response.produced().appended(0).record_count(), 1);

  request.mutable_subscribe()->mutable_request()->add_topics("orders");
  request.mutable_subscribe()->mutable_request()->mutable_start()->set_earliest(true);
  peer.SendFrame(WebSocketPeer::kBinary, request.SerializeAsString());
  do {
    ASSERT_TRUE(response.ParseFromString(peer.Next().payload));
  } while (!response.frame().has_batches());
  EXPECT_EQ(response.frame().batches().batches(0).records(0).value(), std::string("\0\xff", 2));
}

// ---- The end

TEST_F(WebSocketTest, TellsEverybodyWhenTheHubStops) {
  hub_.CreateTopic("orders");
  WebSocketPeer idle(port());
  WebSocketPeer watching(port());
  watching.Send(Subscribe(1, {{"topics", {"orders"}}, {"group", "g"}}));
  watching.Frame(1, "caughtUp");
  watching.Send({{"id", 2}, {"watchGroup", {{"group", "g"}}}});
  watching.Answer(2);
  hub_.server().Drain();
  EXPECT_EQ(idle.AwaitCloseCode(), 1001);
  hub_.hub().Drain();
  hub_.server().Drain();
  const json ending = watching.Frame(1, "ending");
  EXPECT_EQ(ending["reason"], "ENDING_REASON_DRAINING");
  EXPECT_EQ(ending["retry"], true);
  EXPECT_EQ(ending["resumeAt"][0]["topic"], "orders");
  EXPECT_EQ(watching.AwaitCloseCode(), 1001);
  hub_.server().Stop(absl::Seconds(30));
}

TEST_F(WebSocketTest, ClosesWhenTheClientDoes) {
  hub_.CreateTopic("orders");
  WebSocketPeer peer(port());
  peer.Send(Subscribe(1, {{"topics", {"orders"}}}));
  peer.Frame(1, "caughtUp");
  peer.SendFrame(WebSocketPeer::kClose, "\x03\xe8");
  EXPECT_EQ(peer.AwaitCloseCode(), 1000);
  hub_.AwaitConnections(0);
  EXPECT_EQ(hub_.hub().subscriptions().count(), 0);
}

TEST_F(WebSocketTest, AnswersPingsOfTheProtocol) {
  WebSocketPeer peer(port());
  peer.SendFrame(WebSocketPeer::kPing, "are you there");
  const WebSocketPeer::Message pong = peer.Next();
  EXPECT_EQ(pong.opcode, WebSocketPeer::kPong);
  EXPECT_EQ(pong.payload, "are you there");
}

}  // namespace
}  // namespace millrace::testing
