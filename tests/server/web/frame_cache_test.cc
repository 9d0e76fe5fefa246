// Who shares a message, and who must have another.
#include "server/web/frame_cache.h"

#include <gtest/gtest.h>

#include <functional>

#include "absl/strings/str_cat.h"

namespace millrace::server {
namespace {

hub::DeliveredBatch Batch(int64_t base_offset, int32_t record_count = 10) {
  return {.name = {std::make_shared<const std::string>("orders"), 3},
          .batch = {.base_offset = storage::Offset(base_offset),
                    .record_count = record_count,
                    .log_epoch = storage::LogEpoch(1)},
          .position_epoch = storage::PositionEpoch(1),
          .high_watermark = storage::Offset(100)};
}

// Makes messages that tell the first from the second.
class FrameCacheTest : public ::testing::Test {
 protected:
  std::string Get(int32_t id, const hub::BatchesFrame& frame) {
    return cache_.Get(id, frame, [this] { return Pieces(absl::StrCat("message ", ++made_)); })
        .Text();
  }

  FrameCache cache_{1000};
  int made_ = 0;
};

TEST_F(FrameCacheTest, GivesTheSameFrameTheSameMessage) {
  EXPECT_EQ(Get(1, {{Batch(0), Batch(10)}}), "message 1");
  EXPECT_EQ(Get(1, {{Batch(0), Batch(10)}}), "message 1");
  EXPECT_EQ(cache_.made_count(), 1);
}

TEST_F(FrameCacheTest, SharesTheBytes) {
  const auto bytes = [&] { return cache_.Get(1, {{Batch(0)}}, [] { return Pieces("tea"); }); };
  EXPECT_EQ(bytes().Take()[0].bytes.data(), bytes().Take()[0].bytes.data());
}

TEST_F(FrameCacheTest, TellsFramesApartThatDifferInAnything) {
  using Change = std::function<void(hub::DeliveredBatch&)>;
  const Change changes[] = {
      [](auto& batch) { batch.name.topic = std::make_shared<const std::string>("tea"); },
      [](auto& batch) { batch.name.partition = 4; },
      [](auto& batch) { batch.batch.base_offset = storage::Offset(1); },
      [](auto& batch) { batch.batch.record_count = 9; },
      [](auto& batch) { batch.batch.log_epoch = storage::LogEpoch(2); },
      [](auto& batch) { batch.position_epoch = storage::PositionEpoch(2); },
      [](auto& batch) { batch.high_watermark = storage::Offset(101); },
  };
  EXPECT_EQ(Get(1, {{Batch(0), Batch(10)}}), "message 1");
  int made = 1;
  for (const Change& change : changes) {
    hub::BatchesFrame first{{Batch(0), Batch(10)}};
    change(first.batches[0]);
    EXPECT_EQ(Get(1, first), absl::StrCat("message ", ++made));
    hub::BatchesFrame second{{Batch(0), Batch(10)}};
    change(second.batches[1]);
    EXPECT_EQ(Get(1, second), absl::StrCat("message ", ++made));
  }
  EXPECT_EQ(Get(2, {{Batch(0), Batch(10)}}), absl::StrCat("message ", ++made));  // The id.
  EXPECT_EQ(Get(1, {{Batch(0, 20)}}), absl::StrCat("message ", ++made));         // One batch.
  EXPECT_EQ(Get(1, {{Batch(0), Batch(11)}}), absl::StrCat("message ", ++made));  // A gap.
  EXPECT_EQ(Get(1, {{Batch(10), Batch(0)}}), absl::StrCat("message ", ++made));  // The order.
  EXPECT_EQ(Get(1, {{Batch(0)}}), absl::StrCat("message ", ++made));             // A part.
}

TEST_F(FrameCacheTest, ForgetsTheOldestBeyondItsBound) {
  const std::string text(400, 'x');
  const auto get = [&](int64_t offset) {
    cache_.Get(1, {{Batch(offset)}}, [&] { return Pieces(text); });
    return cache_.made_count();
  };
  EXPECT_EQ(get(0), 1);
  EXPECT_EQ(get(10), 2);
  EXPECT_EQ(get(20), 3);  // In place of the first.
  EXPECT_EQ(get(10), 3);
  EXPECT_EQ(get(0), 4);
}

TEST_F(FrameCacheTest, GivesWhatItCannotKeep) {
  const std::string text(2000, 'x');
  for (int times = 1; times <= 2; ++times) {
    EXPECT_EQ(cache_.Get(1, {{Batch(0)}}, [&] { return Pieces(text); }).Text(), text);
    EXPECT_EQ(cache_.made_count(), times);
  }
}

}  // namespace
}  // namespace millrace::server
