// Reads a subscription frame by frame, as a transport does.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "server/hub/subscription.h"
#include "storage/batch/entries.h"
#include "storage/batch/record_view.h"

namespace millrace::hub {

class FrameReader {
 public:
  explicit FrameReader(std::shared_ptr<Subscription> subscription)
      : subscription_(std::move(subscription)) {}
  ~FrameReader() { subscription_->Cancel(); }

  // The next frame; fails the test where none comes for long.
  Frame Next() {
    if (!asked_) Ask();
    asked_ = false;
    if (frame_.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
      ADD_FAILURE() << "no frame came";
      return HeartbeatFrame{};
    }
    return frame_.get();
  }

  // The next frame, which is of this kind.
  template <typename Kind>
  Kind Expect() {
    Frame frame = Next();
    if (Kind* kind = std::get_if<Kind>(&frame)) return std::move(*kind);
    ADD_FAILURE() << "a frame of kind " << frame.index() << " came instead";
    return Kind{};
  }

  // The next frame of this kind; others are passed over.
  template <typename Kind>
  Kind Await() {
    for (int i = 0; i < 1000; ++i) {
      Frame frame = Next();
      if (Kind* kind = std::get_if<Kind>(&frame)) return std::move(*kind);
    }
    ADD_FAILURE() << "no such frame came";
    return Kind{};
  }

  // Whether a frame is there already, without waiting; it stays to be read.
  bool HasFrame() {
    if (!asked_) Ask();
    return frame_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  // The values of the next `count` records, each with its partition and offset: "0/17=value".
  std::vector<std::string> Records(size_t count) {
    std::vector<std::string> records;
    while (records.size() < count && !testing::Test::HasFailure()) {
      const auto frame = Await<BatchesFrame>();
      for (const DeliveredBatch& each : frame.batches) Append(each, records);
    }
    return records;
  }

  static void Append(const DeliveredBatch& delivered, std::vector<std::string>& records) {
    int64_t offset = delivered.batch.base_offset.value();
    for (const storage::SharedSlice& slice : delivered.batch.entries) {
      storage::EntryReader reader(slice.bytes);
      for (std::string_view bytes; reader.Next(&bytes); ++offset) {
        records.push_back(std::to_string(delivered.name.partition) + "/" + std::to_string(offset) +
                          "=" + std::string(storage::ParseRecord(bytes)->value.value_or("-")));
      }
    }
  }

 private:
  void Ask() {
    auto promise = std::make_shared<std::promise<Frame>>();
    frame_ = promise->get_future();
    asked_ = true;
    subscription_->Next([promise](Frame frame) { promise->set_value(std::move(frame)); });
  }

  std::shared_ptr<Subscription> subscription_;
  bool asked_ = false;
  std::future<Frame> frame_;
};

}  // namespace millrace::hub
