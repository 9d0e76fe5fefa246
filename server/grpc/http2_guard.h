// What a client does over one HTTP/2 connection, held to what gRPC 1.51 takes without limit: a
// header block that does not end, which it keeps and reads again with every frame; calls of a
// client that does not acknowledge its SETTINGS; calls that are taken back at once, or that a wrong
// frame makes gRPC end, which are no open streams afterwards but calls still; as many calls as
// there may be over each of many connections; PINGs, for each of which it sends one more GOAWAY.
// guarded_connections.h says how the bytes come here.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "server/contract/refused_connections.h"
#include "server/grpc/http2_frames.h"
#include "server/sockets/address_streams.h"

namespace millrace::server {

// How often something may come: `first` times at once to begin with, and `per_second` more, of
// which `most` may be saved up.
struct Rate {
  double first;
  double per_second;
  double most;
};

struct Http2Limits {
  // HEADERS and its CONTINUATIONs, as they are sent. So many must not come in many more frames than
  // they fill.
  int64_t header_block_bytes = 64 << 10;
  // Opened before the hub's SETTINGS are acknowledged. Clients take 100 to be allowed until they
  // have read the SETTINGS.
  int32_t streams_unacknowledged = 100;
  // Open at a time: of which no end was sent or received.
  size_t streams = 1'000;
  // RST_STREAM: of all calls that a connection may have, at once, when their deadline has passed.
  Rate resets = {.first = 1'000, .per_second = 1'000, .most = 1'000};
  // PING: clients that measure their bandwidth send one a round trip.
  Rate pings = {.first = 100, .per_second = 10'000, .most = 100};
};

// Threads: what reads, one at a time; what writes, one at a time.
class Http2Guard {
 public:
  // `of_address` is shared with the other connections of its address; null: no limit together.
  Http2Guard(const Http2Limits& limits, std::shared_ptr<AddressStreams::OfAddress> of_address)
      : limits_(limits),
        of_address_(std::move(of_address)),
        resets_{limits.resets.first},
        pings_{limits.pings.first} {}
  ~Http2Guard();

  Http2Guard(const Http2Guard&) = delete;
  Http2Guard& operator=(const Http2Guard&) = delete;

  // Whether the connection may go on with these bytes, the next that came; once it may not, it
  // never may. `now` is monotonic. What is no HTTP/2 at all is left to gRPC, which closes it.
  bool Admit(std::string_view bytes, absl::Duration now);

  // These, the next, were sent to the client.
  void Sent(std::string_view bytes);

  // To be held by what writes from before the client may have the bytes until Sent is told of them:
  // what it opens when it has the end of another stream may come before that.
  std::mutex& sending() { return sending_; }

  // Why it may not go on: kAttack, kStreamLimit.
  std::optional<ConnectionRefusal> refusal() const { return refusal_; }
  int64_t streams() const { return streams_; }  // That the client has opened.

 private:
  static constexpr uint32_t kPrefaceBytes = 24;

  // What is left of a rate.
  struct Allowance {
    // Whether it may come once more.
    bool Take(const Rate& rate, absl::Duration now);

    double left;
    absl::Duration last = absl::InfiniteDuration();  // When it came; it has not yet.
  };

  // Why a frame may not come.
  std::optional<ConnectionRefusal> Judge(const Http2Frame& frame, absl::Duration now);
  std::optional<ConnectionRefusal> Open(uint32_t stream);
  void Close(uint32_t stream);
  bool AdmitBlockPart(uint32_t bytes);

  const Http2Limits limits_;
  const std::shared_ptr<AddressStreams::OfAddress> of_address_;

  // Of what reads.
  Http2Frames received_{kPrefaceBytes};
  std::optional<ConnectionRefusal> refusal_;
  int64_t block_bytes_ = 0;
  int64_t block_frames_ = 0;
  uint32_t last_stream_ = 0;
  int64_t streams_ = 0;
  bool acknowledged_ = false;
  Allowance resets_;
  Allowance pings_;

  // Of what writes.
  Http2Frames sent_{0};

  std::mutex sending_;
  std::mutex mutex_;                    // Taken after sending_.
  absl::flat_hash_set<uint32_t> open_;  // Guarded by mutex_. Neither side has ended them.
};

}  // namespace millrace::server
