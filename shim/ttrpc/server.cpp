#include "shim/ttrpc/server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

namespace shim::ttrpc {
namespace {

constexpr std::uint64_t kListener = 0;  // ids of connections begin at 1

base::Result<void> set_interest(int epoll, int operation, int fd, std::uint64_t id,
                                std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (::epoll_ctl(epoll, operation, fd, &event) != 0) return base::fail_errno("epoll_ctl");
  return {};
}

/// Only whoever could signal and trace this process anyway may command it.
bool is_same_user(int socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         peer.uid == ::geteuid() && peer.gid == ::getegid();
}

std::uint32_t interest_of(const Connection& connection) {
  return (connection.wants_read() ? std::uint32_t{EPOLLIN} : 0U) |
         (connection.wants_write() ? std::uint32_t{EPOLLOUT} : 0U);
}

}  // namespace

base::Result<Server> Server::make(base::UniqueFd listener, const ServerLimits& limits) {
  const int flags = ::fcntl(listener.get(), F_GETFL);
  if (flags < 0 || ::fcntl(listener.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return base::fail_errno("fcntl", "listening socket");
  }
  base::UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return base::fail_errno("epoll_create1");
  TRY(set_interest(epoll.get(), EPOLL_CTL_ADD, listener.get(), kListener, EPOLLIN));
  return Server(std::move(listener), std::move(epoll), limits);
}

Server::Server(base::UniqueFd listener, base::UniqueFd epoll, const ServerLimits& limits)
    : listener_(std::move(listener)), epoll_(std::move(epoll)), limits_(limits) {}

base::Result<std::vector<Call>> Server::ready() {
  std::array<epoll_event, 32> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  if (count < 0 && errno != EINTR) return base::fail_errno("epoll_wait");
  std::vector<Call> calls;
  for (int k = 0; k < count; ++k) {
    const epoll_event& event = events[static_cast<std::size_t>(k)];
    if (event.data.u64 == kListener) {
      accept_all();
    } else {
      serve(event.data.u64, event.events, calls);
    }
  }
  return calls;
}

void Server::accept_all() {
  while (true) {
    base::UniqueFd socket(
        ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return;  // EAGAIN; with EMFILE and the like the peer waits in the backlog
    }
    if (connections_.size() >= limits_.connections || !is_same_user(socket.get())) continue;
    const std::uint64_t id = next_id_++;
    if (!set_interest(epoll_.get(), EPOLL_CTL_ADD, socket.get(), id, EPOLLIN)) continue;
    connections_.emplace(id, Peer{Connection(std::move(socket), limits_.connection), EPOLLIN});
  }
}

void Server::serve(std::uint64_t id, std::uint32_t events, std::vector<Call>& calls) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second.connection;
  if ((events & EPOLLOUT) != 0 && !connection.on_writable()) {
    drop(found);
    return;
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && connection.wants_read()) {
    auto requests = connection.on_readable();
    if (!requests) {
      drop(found);
      return;
    }
    for (Request& request : *requests) {
      calls.push_back({{id, request.stream_id}, std::move(request.body)});
    }
  }
  // Nobody is left to read answers; what was still in the socket has been taken above.
  const bool gone = (events & (EPOLLHUP | EPOLLERR)) != 0 && !connection.wants_read();
  if (gone) {
    drop(found);
    return;
  }
  update_interest(id);
}

void Server::update_interest(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Peer& peer = found->second;
  if (peer.connection.is_finished()) {
    drop(found);
    return;
  }
  const std::uint32_t wanted = interest_of(peer.connection);
  if (wanted == peer.interest) return;
  peer.interest = wanted;
  if (!set_interest(epoll_.get(), EPOLL_CTL_MOD, peer.connection.fd(), id, wanted)) {
    drop(found);
  }
}

void Server::respond(StreamKey to, std::string_view payload) {
  const auto found = connections_.find(to.connection);
  if (found == connections_.end()) return;
  if (!found->second.connection.respond(to.stream_id, payload)) {
    drop(found);
  } else {
    update_interest(to.connection);
  }
}

void Server::respond(StreamKey to, const Status& status) {
  const auto found = connections_.find(to.connection);
  if (found == connections_.end()) return;
  if (!found->second.connection.respond(to.stream_id, status)) {
    drop(found);
  } else {
    update_interest(to.connection);
  }
}

Server::Connections::iterator Server::drop(Connections::iterator at) {
  // Closing would not do while a forked process has a copy of the socket (epoll(7), question 6).
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, at->second.connection.fd(), nullptr);
  return connections_.erase(at);
}

void Server::stop_listening() {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
  listener_.reset();
}

bool Server::is_flushed() const {
  for (const auto& [id, peer] : connections_) {
    if (peer.connection.wants_write()) return false;
  }
  return true;
}

void Server::flush(int timeout_ms) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  for (auto at = connections_.begin(); at != connections_.end();) {
    Connection& connection = at->second.connection;
    bool broken = false;
    while (connection.wants_write() && !broken) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
      pollfd waiting{connection.fd(), POLLOUT, 0};
      if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0) return;
      broken = !connection.on_writable();
    }
    at = broken ? drop(at) : std::next(at);
  }
}

Status unknown_service(std::string_view service) {
  return {Code::Unimplemented, "service " + std::string(service)};
}

Status unknown_method(std::string_view method) {
  return {Code::Unimplemented, "method " + std::string(method)};
}

}  // namespace shim::ttrpc
