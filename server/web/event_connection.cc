#include "server/web/event_connection.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/hub/timer_queue.h"
#include "server/web/http_judge.h"
#include "server/web/subscription_pull.h"
#include "server/web/tcp_progress.h"

namespace millrace::server {
namespace {

using boost::system::error_code;

constexpr std::string_view kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
    "X-Accel-Buffering: no\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n";
// How long a browser waits before it connects again.
constexpr std::string_view kRetry = "retry: 1000\n\n";

// The name of an event; empty for batches, which are plain messages.
std::string_view EventName(const hub::Frame& frame) {
  struct Namer {
    std::string_view operator()(const hub::SessionStartedFrame&) { return "sessionStarted"; }
    std::string_view operator()(const hub::BatchesFrame&) { return ""; }
    std::string_view operator()(const hub::AssignedFrame&) { return "assigned"; }
    std::string_view operator()(const hub::RevokingFrame&) { return "revoking"; }
    std::string_view operator()(const hub::LostFrame&) { return "lost"; }
    std::string_view operator()(const hub::RepositionedFrame&) { return "repositioned"; }
    std::string_view operator()(const hub::PartitionErrorFrame&) { return "partitionError"; }
    std::string_view operator()(const hub::CaughtUpFrame&) { return "caughtUp"; }
    std::string_view operator()(const hub::HeartbeatFrame&) { return ""; }
    std::string_view operator()(const hub::EndingFrame&) { return "ending"; }
  };
  return std::visit(Namer{}, frame);
}

// One frame is pulled, written, and then the next. A read waits besides, to notice that the client
// has gone.
class EventConnection final : public Connection,
                              public SubscriptionPull::Reader,
                              public std::enable_shared_from_this<EventConnection> {
 public:
  EventConnection(WebContext& context, IoThread& io, Presence presence, WebStream stream,
                  Caller caller, std::shared_ptr<const void> place, std::string cors_origin)
      : context_(context),
        open_(context.watch().event_streams),
        place_(std::move(place)),
        caller_(std::move(caller)),
        served_(context.watch().Method(Transport::kHttp, "EventHubService/Subscribe")),
        stream_(std::move(stream)),
        cors_origin_(std::move(cors_origin)),
        pull_(std::make_shared<SubscriptionPull>(context.hub(), served_, caller_, io,
                                                 std::move(presence), *this)) {}

  void Start(EventRequest request) {
    self_ = shared_from_this();
    if (request.resume) point_ = *request.resume;
    pull_->Open([&hub = context_.hub(), &served = served_, caller = caller_,
                 request = std::move(request)]() -> absl::StatusOr<hub::SubscribeCommand> {
      // Before the topics are looked for.
      absl::Status status = served.Check(caller, hub::SubscribeCommand{.topics = request.topics});
      if (!status.ok()) return status;
      return ToSubscribeCommand(hub, request);
    });
    AwaitEnd();
  }

  void Tick(absl::Duration now) override {
    if (!writing_) return;
    const absl::Duration silence = progress_.Silence(stream_.socket().native_handle(), now);
    if (silence > context_.limits().write_timeout) Abort();
  }

  void Drain() override {}  // The hub ends every subscription itself.

  void Abort() override {
    pull_->Stop();
    error_code ignored;
    stream_.socket().close(ignored);
    if (self_ == nullptr) return;
    served_.NoteEnd(end_);
    self_.reset();
  }

  void OnOpened(const absl::Status& status) override {
    if (!status.ok()) {
      const HttpResponse response = ErrorResponse(status);
      const std::string body = response.body.Text();
      ending_ = true;
      end_ = status;
      return Write(Pieces(HeadOf(response, body.size(), false, cors_origin_) + body));
    }
    std::string head(kHead);
    if (!cors_origin_.empty()) {
      absl::StrAppend(&head, "Access-Control-Allow-Origin: ", cors_origin_, "\r\nVary: Origin\r\n");
    }
    absl::StrAppend(&head, "\r\n", std::string(kRetry));
    Write(Pieces(std::move(head)));
  }

  void OnFrame(const hub::Frame& frame) override {
    if (std::holds_alternative<hub::HeartbeatFrame>(frame)) {
      return Write(Pieces(": heartbeat\n\n"));
    }
    point_.Apply(frame);
    if (const auto* ending = std::get_if<hub::EndingFrame>(&frame)) {
      ending_ = true;
      end_ = ending->status;
    }
    Pieces event;
    if (const std::string_view name = EventName(frame); !name.empty()) {
      event.AddText(absl::StrCat("event: ", std::string(name), "\n"));
    }
    // The position behind what this event says; the client has it once the event is complete.
    if (point_.partition_count() > 0) event.AddText(absl::StrCat("id: ", point_.Token(), "\n"));
    event.AddText("data: ");
    context_.json_frames().Append(frame, event);
    event.AddText("\n\n");
    Write(std::move(event));
  }

 private:
  void AwaitEnd() {
    stream_.async_read_some(net::buffer(ignored_),
                            [self = shared_from_this()](error_code error, size_t /*bytes*/) {
                              if (!self->stream_.socket().is_open()) return;
                              if (error) return self->Abort();
                              self->AwaitEnd();
                            });
  }

  void Write(Pieces message) {
    writing_ = true;
    progress_.Begin(hub::MonotonicNow());
    slices_ = std::move(message).Take();
    std::vector<net::const_buffer> buffers;
    for (const storage::SharedSlice& slice : slices_) {
      buffers.emplace_back(slice.bytes.data(), slice.bytes.size());
    }
    net::async_write(stream_, buffers, [self = shared_from_this()](error_code error, size_t) {
      self->writing_ = false;
      self->slices_.clear();
      if (error || self->ending_) return self->Abort();
      self->pull_->Next();
    });
  }

  WebContext& context_;
  const OpenCount::Mark open_;
  const std::shared_ptr<const void> place_;  // Among the principal's connections.
  const Caller caller_;
  ServedMethod& served_;
  WebStream stream_;
  const std::string cors_origin_;
  const std::shared_ptr<SubscriptionPull> pull_;
  std::shared_ptr<EventConnection> self_;  // Until Abort.
  ResumePoint point_;
  bool ending_ = false;
  absl::Status end_ = absl::CancelledError();  // Unless something else ends the stream.
  std::array<char, 64> ignored_;               // A client has nothing to say.

  bool writing_ = false;
  std::vector<storage::SharedSlice> slices_;
  WriteProgress progress_;
};

}  // namespace

void ServeEvents(WebContext& context, IoThread& io, Presence presence, WebStream stream,
                 EventRequest request, Caller caller, std::shared_ptr<const void> place,
                 std::string cors_origin) {
  auto connection = std::make_shared<EventConnection>(context, io, std::move(presence),
                                                      std::move(stream), std::move(caller),
                                                      std::move(place), std::move(cors_origin));
  io.Add(connection);
  connection->Start(std::move(request));
}

}  // namespace millrace::server
