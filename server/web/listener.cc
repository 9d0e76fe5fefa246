#include "server/web/listener.h"

#include <future>
#include <list>
#include <utility>

#include "server/web/http_connection.h"

namespace millrace::server {
namespace {

using boost::system::error_code;

using Acceptor = net::basic_socket_acceptor<Tcp, net::io_context::executor_type>;

// How long to let connections wait when there is no descriptor for them.
constexpr absl::Duration kOutOfDescriptors = absl::Milliseconds(100);

PeerNetwork NetworkOf(Socket& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  getpeername(socket.native_handle(), reinterpret_cast<sockaddr*>(&address), &size);
  return PeerNetwork(address);  // Of no family where the peer is gone.
}

}  // namespace

// Of the first thread.
struct Listener::Accepting : std::enable_shared_from_this<Accepting> {
  Accepting(WebContext& context, const WebTls& tls, std::vector<std::unique_ptr<IoThread>>& threads,
            Attendance& attendance)
      : context(context), tls(tls), threads(threads), attendance(attendance) {}

  void Accept(Acceptor& acceptor) {
    IoThread& io = *threads[next++ % threads.size()];
    acceptor.async_accept(io.context(), [this, self = shared_from_this(), &acceptor, &io](
                                            error_code error, Socket socket) {
      if (!acceptor.is_open()) return;
      if (error && IsOutOfDescriptors(error.value())) {
        return threads[0]->After(kOutOfDescriptors, [self, &acceptor] {
          if (acceptor.is_open()) self->Accept(acceptor);
        });
      }
      if (!error) Serve(io, std::move(socket));
      Accept(acceptor);
    });
  }

  // Beyond a limit the socket is closed by going.
  void Serve(IoThread& io, Socket socket) {
    Presence presence = attendance.Enter(NetworkOf(socket));
    if (presence == nullptr) return;
    error_code ignored;
    socket.set_option(Tcp::no_delay(true), ignored);
    io.Post([this, &io, presence = std::move(presence),
             stream = WebStream(std::move(socket), tls.current())]() mutable {
      ServeHttp(context, io, std::move(presence), std::move(stream));
    });
  }

  WebContext& context;
  const WebTls& tls;
  std::vector<std::unique_ptr<IoThread>>& threads;
  Attendance& attendance;
  std::list<Acceptor> acceptors;
  size_t next = 0;
};

Listener::Listener(WebContext& context, const WebTls& tls,
                   std::vector<std::unique_ptr<IoThread>>& threads, Attendance& attendance,
                   ListeningSockets listening)
    : accepting_(std::make_shared<Accepting>(context, tls, threads, attendance)) {
  for (OwnedFd& fd : listening.sockets) {
    Acceptor& acceptor = accepting_->acceptors.emplace_back(threads[0]->context());
    acceptor.assign(Tcp::v6(), fd.Release());  // The family is told by the socket itself.
  }
  threads[0]->Post([accepting = accepting_] {
    for (Acceptor& acceptor : accepting->acceptors) accepting->Accept(acceptor);
  });
}

Listener::~Listener() { Stop(); }

void Listener::Stop() {
  if (accepting_ == nullptr) return;
  std::promise<void> closed;
  accepting_->threads[0]->Post([accepting = accepting_, &closed] {
    error_code ignored;
    for (Acceptor& acceptor : accepting->acceptors) acceptor.close(ignored);
    closed.set_value();
  });
  closed.get_future().wait();
  accepting_.reset();
}

}  // namespace millrace::server
