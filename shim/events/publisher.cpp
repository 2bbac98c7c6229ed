#include "shim/events/publisher.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>

#include "shim/protocol/methods.hpp"

namespace shim::events {

Publisher::~Publisher() {
  if (client_) loop_.forget(client_->fd());
}

void Publisher::enqueue(std::string topic, protocol::Any event) {
  if (address_.empty()) return;
  if (queue_.size() >= kMaxQueued) {
    // The first may be on its way.
    queue_.erase(queue_.begin() + (sending_ == Sending::Sent ? 1 : 0));
  }
  protocol::ForwardRequest request;
  request.envelope.emplace();
  request.envelope->timestamp = protocol::now();
  request.envelope->name_space = name_space_;
  request.envelope->topic = std::move(topic);
  request.envelope->event = std::move(event);
  queue_.push_back(protocol::encode(request));
  send_first();
}

void Publisher::send_first() {
  if (queue_.empty() || sending_ != Sending::Here) return;
  if (!client_) {
    auto connected = ttrpc::Client::connect(address_);
    if (!connected) return disconnect_and_wait();
    client_.emplace(std::move(*connected));
    const auto watched =
        loop_.watch(client_->fd(), EPOLLIN, [this](std::uint32_t events) { on_socket(events); });
    if (!watched) return disconnect_and_wait();
  }
  ttrpc::RequestBody request;
  request.service = protocol::kEvents;
  request.method = "Forward";
  request.payload = queue_.front();
  request.metadata = {{"containerd-namespace-ttrpc", name_space_}};
  if (!client_->call(request)) return disconnect_and_wait();
  sending_ = Sending::Sent;
  static_cast<void>(timer_.arm(patience_));  // without it the answer is waited for
  if (client_->wants_write()) loop_.change(client_->fd(), EPOLLIN | EPOLLOUT);
}

void Publisher::on_socket(std::uint32_t events) {
  if (!client_) return;
  if ((events & EPOLLOUT) != 0) {
    if (!client_->on_writable()) return disconnect_and_wait();
    if (!client_->wants_write()) loop_.change(client_->fd(), EPOLLIN);
  }
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return;
  const auto answers = client_->on_readable();
  if (!answers) return disconnect_and_wait();
  if (answers->empty()) return;
  // Also when it was refused: asking again would get the same answer.
  failures_ = 0;
  sending_ = Sending::Here;
  timer_.disarm();
  queue_.pop_front();
  send_first();
}

void Publisher::flush(int milliseconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  while (client_ && !queue_.empty()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const bool writes = client_->wants_write();
    pollfd state{client_->fd(), static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0};
    if (left.count() <= 0 || ::poll(&state, 1, static_cast<int>(left.count())) <= 0) return;
    // The bits of poll(2) and epoll(7) are the same.
    on_socket(static_cast<std::uint32_t>(state.revents));
  }
}

void Publisher::disconnect_and_wait() {
  if (client_) {
    loop_.forget(client_->fd());
    client_.reset();
  }
  sending_ = Sending::WaitsForAnotherAttempt;
  constexpr int kMaxFailures = 8;
  failures_ = std::min(failures_ + 1, kMaxFailures);
  const std::chrono::milliseconds delay(50L << failures_);
  if (!timer_.arm(delay)) sending_ = Sending::Here;  // the next event makes another attempt
}

void Publisher::on_timer() {
  if (sending_ == Sending::Sent) return disconnect_and_wait();
  sending_ = Sending::Here;
  send_first();
}

void Publisher::hurry() {
  if (sending_ != Sending::WaitsForAnotherAttempt) return;
  failures_ = 0;
  timer_.disarm();
  sending_ = Sending::Here;
  send_first();
}

}  // namespace shim::events
