// The least that a broadcast to WebSockets costs with Boost.Beast: what any client sends goes to
// all others as one text message, shared by them and written with one write each. No topics, no
// log, no limits: the ceiling of web_fan_out.py.
//
// As many threads as the hub's web port has, each with an io_context and connections of its own, so
// that nothing is locked. Runs until it is killed.
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;
using Tcp = net::ip::tcp;
using Socket = net::basic_stream_socket<Tcp, net::io_context::executor_type>;
using Acceptor = net::basic_socket_acceptor<Tcp, net::io_context::executor_type>;
using Message = std::shared_ptr<const std::string>;

class Session;

// A thread, and what is open on it.
struct Loop {
  net::io_context context{1};
  std::unordered_set<Session*> sessions;
};
using Loops = std::vector<std::unique_ptr<Loop>>;

void Broadcast(const Loops& loops, const Session* sender, const Message& message);

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(const Loops& loops, Loop& loop, Socket socket)
      : loops_(loops), loop_(loop), socket_(std::move(socket)) {}
  ~Session() { loop_.sessions.erase(this); }

  void Accept() {
    socket_.auto_fragment(false);
    socket_.text(true);
    socket_.async_accept([self = shared_from_this()](error_code error) {
      if (error) return;
      self->loop_.sessions.insert(self.get());
      self->Send(std::make_shared<const std::string>("welcome"));  // Tells it that it takes part.
      self->Read();
    });
  }

  void Send(const Message& message) {
    queue_.push_back(message);
    if (queue_.size() == 1) Write();
  }

 private:
  void Read() {
    socket_.async_read(buffer_, [self = shared_from_this()](error_code error, size_t /*bytes*/) {
      if (error) return;
      Broadcast(
          self->loops_, self.get(),
          std::make_shared<const std::string>(beast::buffers_to_string(self->buffer_.data())));
      self->buffer_.clear();
      self->Read();
    });
  }

  void Write() {
    socket_.async_write(net::buffer(*queue_.front()),
                        [self = shared_from_this()](error_code error, size_t /*bytes*/) {
                          if (error) return;
                          self->queue_.pop_front();
                          if (!self->queue_.empty()) self->Write();
                        });
  }

  const Loops& loops_;
  Loop& loop_;
  websocket::stream<Socket, false> socket_;
  beast::flat_buffer buffer_;
  std::deque<Message> queue_;
};

void Broadcast(const Loops& loops, const Session* sender, const Message& message) {
  for (const auto& loop : loops) {
    net::post(loop->context, [&sessions = loop->sessions, sender, message] {
      for (Session* session : sessions) {
        if (session != sender) session->Send(message);
      }
    });
  }
}

class Listener {
 public:
  explicit Listener(const Loops& loops) : loops_(loops), acceptor_(loops.front()->context) {
    const Tcp::endpoint any_port(net::ip::address_v4::loopback(), 0);
    acceptor_.open(any_port.protocol());
    acceptor_.bind(any_port);
    acceptor_.listen(net::socket_base::max_listen_connections);
  }

  int port() const { return acceptor_.local_endpoint().port(); }

  void Accept() {
    Loop& loop = *loops_[next_++ % loops_.size()];
    acceptor_.async_accept(loop.context, [this, &loop](error_code error, Socket socket) {
      if (!error) {
        socket.set_option(Tcp::no_delay(true));
        net::post(loop.context, [this, &loop, socket = std::move(socket)]() mutable {
          std::make_shared<Session>(loops_, loop, std::move(socket))->Accept();
        });
      }
      Accept();
    });
  }

 private:
  const Loops& loops_;
  Acceptor acceptor_;
  size_t next_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  std::string port_file;
  int threads = 2;
  CLI::App app("Broadcasts what each WebSocket sends to all others");
  app.add_option("--port-file", port_file, "takes the port, once it listens")->required();
  app.add_option("--threads", threads)->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  Loops loops;
  for (int i = 0; i < threads; ++i) loops.push_back(std::make_unique<Loop>());
  Listener listener(loops);
  listener.Accept();
  std::ofstream(port_file + ".new") << listener.port();
  std::rename((port_file + ".new").c_str(), port_file.c_str());
  std::vector<std::thread> running;
  for (const auto& loop : loops) {
    running.emplace_back([&loop] {
      const auto work = net::make_work_guard(loop->context);
      loop->context.run();
    });
  }
  for (std::thread& thread : running) thread.join();
}
