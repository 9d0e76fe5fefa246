// A thread that serves sockets, and the connections that live on it. Boost.Asio is known to these
// files only: io_thread, web_stream, web_tls, listener, http_connection, websocket_connection,
// event_connection.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/web/loop.h"

namespace millrace::server {

namespace net = boost::asio;
using Tcp = net::ip::tcp;
using Socket = net::basic_stream_socket<Tcp, net::io_context::executor_type>;

// Everything of it happens on its thread, but the destructor.
class Connection {
 public:
  virtual ~Connection() = default;

  // Called again and again: looks whether something takes too long. `now` is hub::MonotonicNow.
  virtual void Tick(absl::Duration now) = 0;
  // The hub stops: ends once the client has been told, or at once where there is nothing to tell.
  virtual void Drain() = 0;
  // Ends now.
  virtual void Abort() = 0;
};

class IoThread final : public Loop {
 public:
  // One timer serves all connections: they are looked at once a `tick`.
  explicit IoThread(absl::Duration tick);
  ~IoThread() override;  // Stops the thread. No connection may be left.

  net::io_context& context() { return context_; }

  void Post(absl::AnyInvocable<void() &&> task) override;
  void After(absl::Duration delay, absl::AnyInvocable<void() &&> task) override;

  // On this thread. A connection that has gone is forgotten by itself; one that comes while the hub
  // drains is told so.
  void Add(const std::shared_ptr<Connection>& connection);

  // Any thread: tells all connections, now and those to come.
  void DrainAll();
  void AbortAll();

 private:
  void RunPosted();
  void ScheduleTick();
  void TickAll();
  template <typename Call>
  void ForEach(Call call);

  using Tasks = std::vector<absl::AnyInvocable<void() &&>>;

  const absl::Duration tick_;
  net::io_context context_{1};
  net::executor_work_guard<net::io_context::executor_type> work_{context_.get_executor()};
  net::steady_timer timer_{context_};
  absl::flat_hash_map<Connection*, std::weak_ptr<Connection>> connections_;
  bool draining_ = false;
  bool aborting_ = false;
  Tasks running_;

  std::mutex mutex_;
  Tasks posted_;  // Where there are some, RunPosted is due: a thousand readers are woken once.

  std::thread thread_;
};

// "127.0.0.1:40312", or empty where the peer is gone.
std::string PeerOf(const Socket& socket);

}  // namespace millrace::server
