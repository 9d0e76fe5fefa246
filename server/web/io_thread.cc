#include "server/web/io_thread.h"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/hub/timer_queue.h"

namespace millrace::server {

IoThread::IoThread(absl::Duration tick) : tick_(tick) {
  ScheduleTick();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "web");
    context_.run();
  });
}

IoThread::~IoThread() {
  context_.stop();
  thread_.join();
}

void IoThread::Post(absl::AnyInvocable<void() &&> task) {
  {
    std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
    if (posted_.size() > 1) return;
  }
  net::post(context_, [this] { RunPosted(); });
}

void IoThread::RunPosted() {
  {
    std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  for (auto& task : running_) std::exchange(task, nullptr)();
  running_.clear();
}

void IoThread::After(absl::Duration delay, absl::AnyInvocable<void() &&> task) {
  auto timer = std::make_unique<net::steady_timer>(context_, absl::ToChronoNanoseconds(delay));
  net::steady_timer& armed = *timer;
  armed.async_wait([timer = std::move(timer),
                    task = std::move(task)](const boost::system::error_code& error) mutable {
    if (!error) std::move(task)();
  });
}

void IoThread::Add(const std::shared_ptr<Connection>& connection) {
  connections_[connection.get()] = connection;
  if (draining_) connection->Drain();
  if (aborting_) connection->Abort();
}

template <typename Call>
void IoThread::ForEach(Call call) {
  std::vector<std::shared_ptr<Connection>> alive;  // Which may add others, or go.
  alive.reserve(connections_.size());
  absl::erase_if(connections_, [&](const auto& entry) {
    auto connection = entry.second.lock();
    if (connection != nullptr) alive.push_back(std::move(connection));
    return entry.second.expired();
  });
  for (const auto& connection : alive) call(*connection);
}

void IoThread::DrainAll() {
  Post([this] {
    draining_ = true;
    ForEach([](Connection& connection) { connection.Drain(); });
  });
}

void IoThread::AbortAll() {
  Post([this] {
    aborting_ = true;
    ForEach([](Connection& connection) { connection.Abort(); });
  });
}

void IoThread::ScheduleTick() {
  timer_.expires_after(absl::ToChronoNanoseconds(tick_));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) TickAll();
  });
}

void IoThread::TickAll() {
  const absl::Duration now = hub::MonotonicNow();
  ForEach([now](Connection& connection) { connection.Tick(now); });
  ScheduleTick();
}

std::string PeerOf(const Socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "";
  const std::string address = endpoint.address().to_string(error);
  return endpoint.address().is_v6() ? absl::StrCat("[", address, "]:", endpoint.port())
                                    : absl::StrCat(address, ":", endpoint.port());
}

}  // namespace millrace::server
