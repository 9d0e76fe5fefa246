// What is noted of the calls that the transports serve: how many ended how, what is open, and the
// access log of admin actions. Whoever publishes that reads it from here. And the guard that they
// pass, where there is one.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
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
#include "server/contract/caller.h"
#include "server/contract/guard.h"
#include "server/contract/needs.h"
#include "server/contract/refused_connections.h"
#include "server/contract/stream_watch.h"
#include "server/contract/waiting_calls.h"

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
  // What all methods share; outlives this object.
  struct Context {
    AdminLog log;                          // May be empty.
    std::unique_ptr<Guard> guard;          // Null: no access control.
    std::shared_ptr<StreamWatch> streams;  // Null: there is nothing to watch of streams.
    mutable WaitingCalls waiting;
  };

  ServedMethod(Transport transport, std::string name, const Context& context)
      : transport_(transport), name_(std::move(name)), context_(context) {}

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

  // Null: everybody may do everything, and nobody need be identified.
  Access* access() const { return guarded() ? &context_.guard->access() : nullptr; }
  bool guarded() const { return context_.guard != nullptr; }

  // Whether the caller may do what the request, of which some NeedsOf tells the needs, asks for;
  // its quota is not looked at. To be asked before anything of the hub is.
  template <typename Request>
  absl::Status Check(const Caller& caller, const Request& request) const {
    if (!guarded()) return absl::OkStatus();
    return context_.guard->Check({name_, NameOf(transport_)}, caller, NeedsOf(request));
  }

  // The same for a request that is carried out next: it counts against the caller's quota, with so
  // many bytes to store.
  template <typename Request>
  absl::Status Admit(const Caller& caller, const Request& request,
                     int64_t produce_bytes = 0) const {
    if (!guarded()) return absl::OkStatus();
    return context_.guard->Admit({name_, NameOf(transport_)}, caller, NeedsOf(request),
                                 produce_bytes);
  }

  // Places among what a principal may have open at a time; they are given back when what this
  // returns is gone. A connection over gRPC, which is known by the peer's address, has one place
  // however often it is named. QUOTA_EXCEEDED: one of them is not there, and none is taken. Null,
  // and OK, where there is no access control.
  absl::StatusOr<std::shared_ptr<const void>> Enter(const Caller& caller,
                                                    std::initializer_list<Place> places) const;

  // As WaitingCalls::Post.
  absl::Status Post(hub::TaskRunner& workers, std::string_view peer,
                    absl::AnyInvocable<void() &&> task) const {
    return context_.waiting.Post(workers, peer, std::move(task));
  }

  // Watches a stream that the caller has opened, until what this returns is gone. Both
  // functions are as in WatchedStream. Null where there is nothing to watch.
  [[nodiscard]] std::shared_ptr<const void> WatchStream(const Caller& caller,
                                                        std::function<bool(const Guard&)> may_go_on,
                                                        std::function<void(StreamEnd)> end) const;

  // The same for a stream that may go on while its caller may make the request, of which some
  // NeedsOf tells the needs.
  template <typename Request>
  [[nodiscard]] std::shared_ptr<const void> WatchStreamOf(
      const Caller& caller, Request request, std::function<void(StreamEnd)> end) const {
    return WatchStream(
        caller,
        [caller, request = std::move(request)](const Guard& guard) {
          return guard.MayGoOn(caller, NeedsOf(request)).ok();
        },
        std::move(end));
  }

  // Runs a method of server/contract's …Calls for the caller: the one way by which every transport
  // does, so that none is run for somebody who may not, and no admin action misses the access log.
  // `Who` is Caller where the method wants to know, else nothing.
  template <typename Calls, typename Request, typename Response, typename... Who>
  absl::StatusOr<Response> Run(const Caller& caller, Calls& calls,
                               absl::StatusOr<Response> (Calls::*method)(const Request&,
                                                                         const Who&...),
                               const Request& request) const {
    if (absl::Status status = Admit(caller, request); !status.ok()) return status;
    std::optional<AdminFacts> facts = AdminFactsOf(request);
    if (!facts || !context_.log)
      return (calls.*method)(request, static_cast<const Who&>(caller)...);
    const absl::Duration began = Now();
    absl::StatusOr<Response> response =
        (calls.*method)(request, static_cast<const Who&>(caller)...);
    const std::string principal = caller.owner();
    context_.log({.method = name_,
                  .transport = NameOf(transport_),
                  .peer = caller.peer,
                  .principal = principal,
                  .facts = *std::move(facts),
                  .outcome = response.status(),
                  .took = Now() - began});
    return response;
  }

 private:
  static absl::Duration Now();  // Monotonic.

  const Transport transport_;
  const std::string name_;
  const Context& context_;
  std::array<std::atomic<uint64_t>, kStatusCodes> ended_{};
};

struct CallWatchOptions {
  AdminLog admin_log;                            // May be empty.
  RefusalLog refusal_log;                        // May be empty.
  RefusedConnectionLog refused_connection_log;   // May be empty.
  Access* access = nullptr;                      // Null: no access control. Outlives the watch.
  std::optional<absl::Duration> max_stream_age;  // Of StreamWatch.
};

// Threads: any. Outlives the transports.
class CallWatch {
 public:
  explicit CallWatch(CallWatchOptions options = {});

  // The method, made when it is first asked for; lives as long as this object. Whoever serves it
  // often keeps it.
  ServedMethod& Method(Transport transport, std::string_view name);

  // All that were asked for.
  std::vector<const ServedMethod*> Methods() const;

  // Null: everybody may do everything, and nobody need be identified.
  Access* access() const { return context_.guard ? &context_.guard->access() : nullptr; }

  OpenCount produce_streams;
  OpenCount web_connections;  // All of the web port's, of which
  OpenCount websockets;       // these are WebSockets
  OpenCount event_streams;    // and these are server-sent events.

  // Whoever refuses connections may outlive this object, and holds on to these alone.
  const std::shared_ptr<RefusedConnections> refused_by_grpc;
  const std::shared_ptr<RefusedConnections> refused_by_web;

 private:
  ServedMethod::Context context_;
  std::shared_ptr<const void> tells_of_changes_;  // Of the access rules, to the streams.
  mutable std::mutex mutex_;
  // By transport. Guarded by mutex_; only grow.
  std::array<std::map<std::string, ServedMethod, std::less<>>, kTransports> methods_;
};

}  // namespace millrace::server
