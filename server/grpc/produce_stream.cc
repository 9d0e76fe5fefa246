#include "server/grpc/produce_stream.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "server/contract/produce_decoder.h"
#include "server/grpc/caller_metadata.h"
#include "server/grpc/message_bytes.h"
#include "server/grpc/produce_encoder.h"
#include "server/grpc/status.h"
#include "storage/error.h"

namespace millrace::server {

namespace {

absl::Status Draining() {
  return storage::Error(storage::Reason::kDraining, "the hub is stopping");
}

}  // namespace

// Reads, hands on and answers, each one at a time:
//  - a read is started while fewer requests than the window allows are unanswered, and none while
//  the
//    hub's write queue is full, so that a fast producer is held back and never refused;
//  - answers leave in request order, whatever the order in which the log completes the writes.
//
// What happens changes the state under the mutex; the operations that follow from it are started
// after it is let go, since they may do the transport's work on the spot.
class ProduceStream : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                      public std::enable_shared_from_this<ProduceStream> {
 public:
  ProduceStream(hub::Hub& hub, ServedMethod& served, Caller caller, OpenCount& open_count,
                ProduceStreams& streams)
      : hub_(hub),
        served_(served),
        caller_(std::move(caller)),
        open_(open_count),
        streams_(streams) {}

  // An error: the stream ends with it at once.
  void Start(const absl::Status& begin) {
    self_ = shared_from_this();
    absl::Status status = begin.ok() ? EnterAndWatch() : begin;
    Change([&] { end_ = std::move(status); });
  }

  // Reads no further request, gives the answers that are owed, and ends with this.
  void EndWith(const absl::Status& status) {
    Change([&] {
      if (end_.ok()) end_ = status;
    });
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      return Change([this] {
        reading_ = false;
        reads_done_ = true;
      });
    }
    uint64_t number;
    bool waits;
    {
      std::lock_guard lock(mutex_);
      if (finished_) return;
      waits = NotePace();
      number = first_unanswered_ + answers_.size();
      answers_.push_back({.request_bytes = static_cast<int64_t>(incoming_.Length())});
      unanswered_bytes_ += answers_.back().request_bytes;
    }
    HandOn(number, waits);
    Change([this] { reading_ = false; });
  }

  void OnWriteDone(bool ok) override {
    Change([&] {
      writing_ = false;
      broken_ |= !ok;
    });
  }

  void OnCancel() override {
    Change([this] { broken_ = true; });
  }

  void OnDone() override {
    streams_.Remove(this);
    self_.reset();
  }

 private:
  // What is owed to one request.
  struct Owed {
    int64_t request_bytes = 0;
    std::optional<grpc::ByteBuffer> answer;
  };

  // What is to be started once the mutex is let go.
  struct Next {
    bool read = false;
    bool write = false;
    bool more_follows = false;  // Another answer is ready, to be written right after.
    std::optional<grpc::Status> finish;
  };

  static constexpr size_t kMaxUnanswered = 256;
  static constexpr int64_t kMaxUnansweredBytes = 8 << 20;
  static constexpr uint32_t kAloneToBelieve = 8;
  static constexpr uint32_t kAloneToDoubt = 32;

  // Whether the client seems to wait for each answer before it asks again: then the shortest way to
  // that is best, and else the one by which requests share commits. A stream that is answered on
  // the spot always looks so: now and then a request goes the other way, which tells.
  bool NotePace() {
    requests_alone_ = answers_.empty() ? requests_alone_ + 1 : 0;
    return requests_alone_ > kAloneToBelieve && requests_alone_ % kAloneToDoubt != 0;
  }

  absl::Status EnterAndWatch() {
    if (absl::Status status = served_.Check(caller_, ProduceStreamBegin{}); !status.ok()) {
      return status;
    }
    auto places = served_.Enter(caller_, {Place::kConnection, Place::kStream});
    if (!places.ok()) return places.status();
    places_ = *std::move(places);
    watch_ = served_.WatchStreamOf(caller_, ProduceStreamBegin{},
                                   [weak = weak_from_this()](StreamEnd end) {
                                     if (const auto self = weak.lock())
                                       self->EndWith(StatusOf(end, "produce"));
                                   });
    return absl::OkStatus();
  }

  void HandOn(uint64_t number, bool on_calling_thread) {
    const auto request_bytes = static_cast<int64_t>(incoming_.Length());
    auto command = DecodeProduceStreamRequest(Flatten(incoming_), hub_.limits());
    incoming_.Clear();
    if (!command.ok()) return Answer(number, command.status());
    if (absl::Status status = served_.Admit(caller_, *command, request_bytes); !status.ok()) {
      return Answer(number, status);
    }
    command->admission = storage::Admission::kAlways;
    command->on_calling_thread = on_calling_thread;
    hub_.producing().Produce(*std::move(command), [self = shared_from_this(), number](
                                                      absl::StatusOr<hub::ProduceOutcome> outcome) {
      self->Answer(number, std::move(outcome));
    });
  }

  void Answer(uint64_t number, absl::StatusOr<hub::ProduceOutcome> outcome) {
    served_.NoteEnd(outcome.status());
    grpc::ByteBuffer answer = outcome.ok() ? EncodeProduceStreamResponse(*outcome)
                                           : EncodeProduceStreamError(outcome.status());
    Change([&] { answers_[number - first_unanswered_].answer = std::move(answer); });
  }

  template <typename Event>
  void Change(Event event) {
    Next next;
    {
      std::lock_guard lock(mutex_);
      event();
      next = Decide();
    }
    if (next.write) {
      grpc::WriteOptions options;
      if (next.more_follows) options.set_buffer_hint();  // They leave together.
      StartWrite(&outgoing_, options);
    }
    if (next.read) StartRead(&incoming_);
    if (next.finish) Finish(*next.finish);
  }

  Next Decide() {
    Next next;
    if (finished_) return next;
    TakeAnswer(next);
    if (!reads_done_ && end_.ok() && !broken_) {
      next.read = !reading_ && HasRoom();
      reading_ |= next.read;
    } else if (!writing_ && answers_.empty()) {
      finished_ = true;
      next.finish = ToGrpcStatus(reads_done_ ? absl::OkStatus() : end_);
    }
    return next;
  }

  void TakeAnswer(Next& next) {
    while (!writing_ && !answers_.empty() && answers_.front().answer) {
      outgoing_ = *std::move(answers_.front().answer);
      unanswered_bytes_ -= answers_.front().request_bytes;
      answers_.pop_front();
      ++first_unanswered_;
      if (broken_) continue;  // Nobody is there to read it.
      writing_ = true;
      next.write = true;
      // Never for the first: with its hint gRPC 1.51 holds back the initial metadata, and waits for
      // it.
      next.more_follows =
          first_unanswered_ > 1 && !answers_.empty() && answers_.front().answer.has_value();
    }
  }

  bool HasRoom() const {
    if (answers_.empty()) return true;
    return answers_.size() < kMaxUnanswered && unanswered_bytes_ < kMaxUnansweredBytes &&
           !hub_.engine().write_queue_full();
  }

  hub::Hub& hub_;
  ServedMethod& served_;
  const Caller caller_;
  const OpenCount::Mark open_;
  ProduceStreams& streams_;
  std::shared_ptr<ProduceStream> self_;  // Until OnDone.

  std::shared_ptr<const void> places_;  // Among what the principal may have open.
  std::shared_ptr<const void> watch_;

  grpc::ByteBuffer incoming_;  // Of the read under way.
  grpc::ByteBuffer outgoing_;  // Of the write under way.

  std::mutex mutex_;
  std::deque<Owed> answers_;       // Of requests first_unanswered_, first_unanswered_ + 1, ...
  uint64_t first_unanswered_ = 0;  // Requests are numbered from 0.
  int64_t unanswered_bytes_ = 0;
  uint32_t requests_alone_ = 0;  // In a row, that came when all before were answered.
  bool reading_ = false;
  bool writing_ = false;
  bool reads_done_ = false;  // The client has half-closed, or is gone.
  absl::Status end_;         // Not OK: no more is read, and the stream ends with that.
  bool broken_ = false;      // Nothing can be written any more.
  bool finished_ = false;
};

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ProduceStreams::Start(
    grpc::CallbackServerContext* context) {
  auto stream = std::make_shared<ProduceStream>(hub_, served_, CallerOf(*context, served_),
                                                open_count_, *this);
  bool draining;
  {
    std::lock_guard lock(mutex_);
    draining = draining_;
    open_.insert(stream.get());
  }
  stream->Start(draining ? Draining() : absl::OkStatus());
  return stream.get();
}

void ProduceStreams::Drain() {
  std::vector<std::shared_ptr<ProduceStream>> open;
  {
    std::lock_guard lock(mutex_);
    draining_ = true;
    for (ProduceStream* stream : open_) open.push_back(stream->shared_from_this());
  }
  for (const auto& stream : open) stream->EndWith(Draining());
}

void ProduceStreams::Remove(ProduceStream* stream) {
  std::lock_guard lock(mutex_);
  open_.erase(stream);
}

}  // namespace millrace::server
