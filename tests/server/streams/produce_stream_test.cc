#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "storage/error.h"
#include "tests/server/streams/served_hub.h"

namespace millrace::server {
namespace {

class ProduceStreamTest : public ServedHub {
 protected:
  ProduceStreamTest() { CreateTopic("orders", 2); }

  static v1::ProduceStreamRequest StreamRequestOf(const v1::ProduceRequest& request) {
    v1::ProduceStreamRequest wrapped;
    *wrapped.mutable_request() = request;
    return wrapped;
  }
};

TEST_F(ProduceStreamTest, AnswersInTheOrderOfTheRequests) {
  constexpr int kRequests = 2000;
  grpc::ClientContext context;
  const auto stream = stub_->ProduceStream(&context);
  std::thread writer([&] {
    for (int i = 0; i < kRequests; ++i) {
      v1::ProduceRequest request = RequestOf("orders", i % 2, std::to_string(i));
      request.set_durability(i % 3 == 0 ? v1::DURABILITY_SYNCED : v1::DURABILITY_BUFFERED);
      stream->Write(StreamRequestOf(request));
    }
    stream->WritesDone();
  });
  v1::ProduceStreamResponse response;
  int answered = 0;
  for (; stream->Read(&response); ++answered) {
    ASSERT_TRUE(response.has_produced()) << response.error().message();
    EXPECT_EQ(response.produced().appended(0).partition(), answered % 2);
    EXPECT_EQ(response.produced().appended(0).base_offset(), answered / 2);
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(answered, kRequests);
}

TEST_F(ProduceStreamTest, GoesOnAfterARefusedRequest) {
  grpc::ClientContext context;
  const auto stream = stub_->ProduceStream(&context);
  stream->Write(StreamRequestOf(RequestOf("orders", 0, "a")));
  stream->Write(StreamRequestOf(RequestOf("none", 0, "b")));
  stream->Write(StreamRequestOf(v1::ProduceRequest()));
  stream->Write(StreamRequestOf(RequestOf("orders", 0, "c")));
  stream->WritesDone();
  v1::ProduceStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.produced().appended(0).base_offset(), 0);
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.error().reason(), "TOPIC_NOT_FOUND");
  EXPECT_EQ(response.error().code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(response.error().metadata().at("topic"), "none");
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.error().reason(), "EMPTY_REQUEST");
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.produced().appended(0).base_offset(), 1);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ProduceStreamTest, EndsAnIdleStreamWhenTheHubDrains) {
  grpc::ClientContext context;
  const auto stream = stub_->ProduceStream(&context);
  stream->Write(StreamRequestOf(RequestOf("orders", 0, "a")));
  v1::ProduceStreamResponse response;
  ASSERT_TRUE(stream->Read(&response));
  std::thread stopper([this] { server_->Stop(absl::Seconds(20)); });
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE(status.error_details().find("DRAINING"), std::string::npos);
  stopper.join();
}

TEST_F(ProduceStreamTest, SurvivesClientsThatVanish) {
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    const auto stream = stub_->ProduceStream(&context);
    for (int k = 0; k < 50; ++k) stream->Write(StreamRequestOf(RequestOf("orders", 0, "x")));
    context.TryCancel();
    EXPECT_FALSE(stream->Finish().ok());
  }
  Produce("orders", "still here");
}

}  // namespace
}  // namespace millrace::server
