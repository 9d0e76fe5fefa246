// What is noted of the calls that the transports serve: how many ended how, what is open, and the
// access log of admin actions. Whoever publishes that reads it from here.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/contract/admin_actions.h"

namespace millrace::server {

enum class Transport { kGrpc, kHttp, kWebSocket };
inline constexpr size_t kTransports = 3;

// "grpc", "http", "websocket".
std::string_view NameOf(Transport transport);

// gRPC's status codes, 0 to 16, which are absl's.
inline constexpr size_t kStatusCodes = 17;

// How many of something are open. Threads: any.
class OpenCount {
 public:
  // One of them, as long as it lives.
  class Mark {
   public:
    explicit Mark(OpenCount& count) : count_(count) { count_.Change(1); }
    ~Mark() { count_.Change(-1); }
    Mark(const Mark&) = delete;
    Mark& operator=(const Mark&) = delete;

   private:
    OpenCount& count_;
  };

  void Change(int64_t by) { value_.fetch_add(by, std::memory_order_relaxed); }

  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// A method of the contract as one transport serves it. Threads: any.
class ServedMethod {
 public:
  // `log` outlives this object.
  ServedMethod(Transport transport, std::string name, const AdminLog& log)
      : transport_(transport), name_(std::move(name)), log_(log) {}

  Transport transport() const { return transport_; }
  const std::string& name() const { return name_; }  // "TopicService/CreateTopic".

  // Notes how a call, or a request of a stream of them, has ended. Once for each.
  void NoteEnd(const absl::Status& status) {
    const auto code = static_cast<size_t>(status.code());
    const auto unknown = static_cast<size_t>(absl::StatusCode::kUnknown);
    ended_[code < kStatusCodes ? code : unknown].fetch_add(1, std::memory_order_relaxed);
  }

  // How many ended with this code.
  uint64_t ended_with(size_t code) const { return ended_[code].load(std::memory_order_relaxed); }

  // Runs a method of server/contract's …Calls for the client at `peer`: the one way by which every
  // transport does, so that no admin action misses the access log.
  template <typename Calls, typename Request, typename Response>
  absl::StatusOr<Response> Run(std::string_view peer, Calls& calls,
                               absl::StatusOr<Response> (Calls::*method)(const Request&),
                               const Request& request) const {
    std::optional<AdminFacts> facts = AdminFactsOf(request);
    if (!facts || !log_) return (calls.*method)(request);
    const absl::Duration began = Now();
    absl::StatusOr<Response> response = (calls.*method)(request);
    log_({.method = name_,
          .transport = NameOf(transport_),
          .peer = peer,
          .facts = *std::move(facts),
          .outcome = response.status(),
          .took = Now() - began});
    return response;
  }

 private:
  static absl::Duration Now();  // Monotonic.

  const Transport transport_;
  const std::string name_;
  const AdminLog& log_;
  std::array<std::atomic<uint64_t>, kStatusCodes> ended_{};
};

// Threads: any. Outlives the transports.
class CallWatch {
 public:
  explicit CallWatch(AdminLog log = nullptr) : log_(std::move(log)) {}

  // The method, made when it is first asked for; lives as long as this object. Whoever serves it
  // often keeps it.
  ServedMethod& Method(Transport transport, std::string_view name);

  // All that were asked for.
  std::vector<const ServedMethod*> Methods() const;

  OpenCount produce_streams;
  OpenCount web_connections;  // All of the web port's, of which
  OpenCount websockets;       // these are WebSockets
  OpenCount event_streams;    // and these are server-sent events.

 private:
  const AdminLog log_;
  mutable std::mutex mutex_;
  // By transport. Guarded by mutex_; only grow.
  std::array<std::map<std::string, ServedMethod, std::less<>>, kTransports> methods_;
};

}  // namespace millrace::server
