// Accepts the connections of the web port and shares them out among the threads that serve them.
#pragma once

#include <memory>
#include <vector>

#include "server/sockets/listening.h"
#include "server/web/io_thread.h"
#include "server/web/web_context.h"
#include "server/web/web_tls.h"

namespace millrace::server {

// Accepts on the first of the threads. Threads: any.
class Listener {
 public:
  // All outlive this object, and its threads are there until after Stop.
  Listener(WebContext& context, const WebTls& tls, std::vector<std::unique_ptr<IoThread>>& threads,
           Attendance& attendance, ListeningSockets listening);
  ~Listener();

  // Closes the listening sockets; connections stay.
  void Stop();

 private:
  struct Accepting;

  std::shared_ptr<Accepting> accepting_;
};

}  // namespace millrace::server
