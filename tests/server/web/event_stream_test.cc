// Server-sent events, over real sockets.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/server/web/raw_connection.h"
#include "tests/server/web/web_hub.h"

namespace millrace::testing {
namespace {

using nlohmann::json;
using Values = std::vector<std::string>;

struct Event {
  std::string name;
  std::string id;
  json data;
  bool is_comment = false;
};

// An EventSource that reads event by event.
class EventReader {
 public:
  EventReader(int port, const std::string& query, const std::string& headers = "") : raw_(port) {
    raw_.Send(
        absl::StrCat("GET /v1/sse?", query, " HTTP/1.1\r\nHost: localhost\r\n", headers, "\r\n"));
    answer_ = raw_.ReceiveAnswer();
  }

  HttpAnswer& answer() { return answer_; }
  RawConnection& raw() { return raw_; }

  // The next event; an empty one at the end.
  Event Next() {
    Event event;
    const std::string text = raw_.ReceiveUntil("\n\n");
    for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
      const std::pair<std::string, std::string> field =
          absl::StrSplit(line, absl::MaxSplits(": ", 1));
      if (line.substr(0, 1) == ":") event.is_comment = true;
      if (field.first == "event") event.name = field.second;
      if (field.first == "id") last_id_ = event.id = field.second;
      if (field.first == "data") event.data = json::parse(field.second);
    }
    return event;
  }

  Event NextOf(const std::string& kind) {
    for (;;) {
      Event event = Next();
      if (event.data.is_object() && event.data.contains(kind)) return event;
      if (::testing::Test::HasFailure()) return {};
    }
  }

  Values Records(size_t count) {
    Values values;
    while (values.size() < count && !::testing::Test::HasFailure()) {
      const Event event = NextOf("batches");
      EXPECT_EQ(event.name, "");
      for (const json& batch : event.data["batches"]["batches"]) {
        for (const json& record : batch["records"]) {
          values.push_back(absl::StrCat(batch["partition"].get<int>(), "/",
                                        record["offset"].get<std::string>(), "=",
                                        record["text"].get<std::string>()));
        }
      }
    }
    return values;
  }

  const std::string& last_id() const { return last_id_; }

 private:
  RawConnection raw_;
  HttpAnswer answer_;
  std::string last_id_;
};

class EventStreamTest : public ::testing::Test {
 protected:
  int port() const { return hub_.port(); }

  WebHub hub_;
};

TEST_F(EventStreamTest, DeliversWhatIsThereAndWhatComes) {
  hub_.CreateTopic("orders");
  hub_.Produce("orders", 0, {"a", "b"});
  EventReader reader(port(), "topic=orders&from=earliest");
  EXPECT_EQ(reader.answer().status, 200);
  EXPECT_EQ(reader.answer().headers["content-type"], "text/event-stream");
  EXPECT_EQ(reader.NextOf("sessionStarted").name, "sessionStarted");
  EXPECT_EQ(reader.NextOf("assigned").name, "assigned");
  EXPECT_EQ(reader.Records(2), (Values{"0/0=a", "0/1=b"}));
  hub_.Produce("orders", 0, {"c"});
  EXPECT_EQ(reader.Records(1), Values{"0/2=c"});
}

TEST_F(EventStreamTest, GoesOnExactlyAfterEveryBreak) {
  hub_.CreateTopic("orders", 3);
  std::string id;
  Values all;
  for (int connection = 0; connection < 20; ++connection) {
    const int partition = connection % 3;
    hub_.Produce("orders", partition, {"x"});
    EventReader reader(port(), "topic=orders&from=earliest",
                       id.empty() ? "" : absl::StrCat("Last-Event-ID: ", id, "\r\n"));
    const Values records = reader.Records(1);
    all.insert(all.end(), records.begin(), records.end());
    id = reader.last_id();
  }
  ASSERT_EQ(all.size(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(all[i], absl::StrCat(i % 3, "/", i / 3, "=x"));
}

TEST_F(EventStreamTest, LosesNothingThatCameBeforeTheFirstRecord) {
  hub_.CreateTopic("orders");
  std::string id;
  {
    EventReader reader(port(), "topic=orders");  // From now on.
    id = reader.NextOf("assigned").id;
  }
  hub_.Produce("orders", 0, {"meanwhile"});
  EventReader reader(port(), "topic=orders&resume=" + id);
  EXPECT_EQ(reader.Records(1), Values{"0/0=meanwhile"});
}

TEST_F(EventStreamTest, ReadsPartitionsThatWereAddedMeanwhile) {
  hub_.CreateTopic("orders");
  std::string id;
  {
    EventReader reader(port(), "topic=orders");
    id = reader.NextOf("assigned").id;
  }
  ASSERT_TRUE(hub_.hub().topics().Update("orders", {.partition_count = 2}).ok());
  hub_.Produce("orders", 1, {"new"});
  EventReader reader(port(), "topic=orders&resume=" + id);
  EXPECT_EQ(reader.Records(1), Values{"1/0=new"});
}

TEST_F(EventStreamTest, ReadsOnlyThePartitionsNamed) {
  hub_.CreateTopic("orders", 3);
  hub_.Produce("orders", 0, {"a"});
  hub_.Produce("orders", 2, {"c"});
  EventReader reader(port(), "topic=orders&partition=2&from=earliest");
  EXPECT_EQ(reader.Records(1), Values{"2/0=c"});
  EventReader latest(port(), "topic=orders&partition=2");
  EXPECT_EQ(latest.NextOf("assigned").data["assigned"]["assignments"][0]["startOffset"], "1");
}

TEST_F(EventStreamTest, RefusesWhatCannotBeReadWithAnError) {
  hub_.CreateTopic("orders");
  hub_.CreateTopic("wide", 257);
  const auto error = [this](const std::string& query) {
    EventReader reader(port(), query);
    return absl::StrCat(reader.answer().status, " ",
                        json::parse(reader.answer().body)["reason"].get<std::string>());
  };
  EXPECT_EQ(error("topic=none"), "404 TOPIC_NOT_FOUND");
  EXPECT_EQ(error("topic=orders&partition=9"), "400 PARTITION_OUT_OF_RANGE");
  EXPECT_EQ(error("topic=orders&resume=orders=0:2:99"), "409 LOG_EPOCH_CHANGED");
  EXPECT_EQ(error("topic=orders&resume=forged"), "400 INVALID_CONFIG");
  EXPECT_EQ(error("topic=wide"), "429 LIMIT_EXCEEDED");
  EXPECT_EQ(error(""), "400 EMPTY_REQUEST");
  EXPECT_EQ(hub_.hub().subscriptions().count(), 0);
}

TEST_F(EventStreamTest, IsNeverSilentForLong) {
  hub_.CreateTopic("orders");
  EventReader reader(port(), "topic=orders&heartbeat=100ms");
  while (!reader.Next().is_comment && !HasFailure()) continue;
}

TEST_F(EventStreamTest, SaysHowItEndsWhenTheHubStops) {
  hub_.CreateTopic("orders");
  EventReader reader(port(), "topic=orders");
  reader.NextOf("caughtUp");
  hub_.hub().Drain();
  EXPECT_EQ(reader.NextOf("ending").data["ending"]["reason"], "ENDING_REASON_DRAINING");
  EXPECT_TRUE(reader.raw().AwaitClose());
}

TEST_F(EventStreamTest, FreesWhatItHoldsWhenTheClientGoes) {
  hub_.CreateTopic("orders");
  {
    EventReader reader(port(), "topic=orders");
    reader.NextOf("caughtUp");
    EXPECT_EQ(hub_.hub().subscriptions().count(), 1);
  }
  hub_.AwaitConnections(0);
  EXPECT_EQ(hub_.hub().subscriptions().count(), 0);
}

}  // namespace
}  // namespace millrace::testing
