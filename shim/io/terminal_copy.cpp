#include "shim/io/terminal_copy.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace shim::io {
namespace {

constexpr std::size_t kBuffer = 16384;

enum class Got : std::uint8_t { Some, NothingNow, End };

Got read_some(int fd, std::string& buffer) {
  std::array<char, kBuffer> bytes;
  const ssize_t got = ::read(fd, bytes.data(), bytes.size());
  if (got > 0) {
    buffer.append(bytes.data(), static_cast<std::size_t>(got));
    return Got::Some;
  }
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? Got::NothingNow : Got::End;
}

/// False when the other side is gone.
bool write_some(int fd, std::string& buffer) {
  while (!buffer.empty()) {
    const ssize_t written = ::write(fd, buffer.data(), buffer.size());
    if (written < 0) return errno == EAGAIN || errno == EINTR;
    buffer.erase(0, static_cast<std::size_t>(written));
  }
  return true;
}

base::Result<void> make_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    return base::fail_errno("fcntl(F_SETFL)", "terminal");
  }
  return {};
}

}  // namespace

TerminalCopy::TerminalCopy(Key, loop::Loop& loop, base::UniqueFd master, base::UniqueFd in,
                           base::UniqueFd out, std::function<void()> done)
    : loop_(loop),
      master_(std::move(master)),
      in_(std::move(in)),
      out_(std::move(out)),
      done_(std::move(done)) {}

base::Result<std::unique_ptr<TerminalCopy>> TerminalCopy::make(loop::Loop& loop,
                                                               base::UniqueFd master,
                                                               base::UniqueFd in,
                                                               base::UniqueFd out,
                                                               std::function<void()> done) {
  TRY(make_nonblocking(master.get()));
  auto copy = std::make_unique<TerminalCopy>(Key{}, loop, std::move(master), std::move(in),
                                             std::move(out), std::move(done));
  TRY(copy->watch());
  return copy;
}

base::Result<void> TerminalCopy::watch() {
  TRY(loop_.watch(master_.get(), EPOLLIN | EPOLLET, [this](std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) to_master();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) from_master();
  }));
  // Regular files and /dev/null cannot be polled, and need not be.
  if (out_) static_cast<void>(loop_.watch(out_.get(), 0, [this](std::uint32_t) { to_out(); }));
  if (in_) static_cast<void>(loop_.watch(in_.get(), EPOLLIN, [this](std::uint32_t) { from_in(); }));
  return {};
}

TerminalCopy::~TerminalCopy() {
  for (const base::UniqueFd* each : {&master_, &in_, &out_}) {
    if (*each) loop_.forget(each->get());
  }
}

base::Result<void> TerminalCopy::resize(std::uint32_t width, std::uint32_t height) const {
  const winsize size{static_cast<unsigned short>(height), static_cast<unsigned short>(width), 0, 0};
  if (master_ && ::ioctl(master_.get(), TIOCSWINSZ, &size) != 0) {
    return base::fail_errno("ioctl(TIOCSWINSZ)", "terminal");
  }
  return {};
}

void TerminalCopy::from_master() {
  if (!master_ || !printed_.empty()) return;
  // EIO: no process has the terminal open any more (pty(7)).
  if (read_some(master_.get(), printed_) == Got::End) is_hung_up_ = true;
  to_out();
}

void TerminalCopy::to_out() {
  if (!master_) return;
  if (!out_ || !write_some(out_.get(), printed_)) printed_.clear();
  if (printed_.empty() && is_hung_up_) return finish();
  update();
}

void TerminalCopy::from_in() {
  if (!in_) return;
  if (read_some(in_.get(), typed_) == Got::End) {
    loop_.forget(in_.get());
    in_.reset();
  }
  to_master();
}

void TerminalCopy::to_master() {
  if (!master_) return;
  if (!write_some(master_.get(), typed_)) typed_.clear();
  update();
}

void TerminalCopy::update() {
  // What is full is not read from: a process that prints too much waits.
  const std::uint32_t reads = printed_.empty() ? EPOLLIN : 0U;
  // By edges: a hang-up, which is always told, must not be told again and again while it waits.
  // Each change tells what is there already.
  loop_.change(master_.get(), EPOLLET | reads | (typed_.empty() ? 0U : EPOLLOUT));
  if (out_) loop_.change(out_.get(), printed_.empty() ? 0U : EPOLLOUT);
  if (in_) loop_.change(in_.get(), typed_.empty() ? EPOLLIN : 0U);
}

void TerminalCopy::finish() {
  for (base::UniqueFd* each : {&master_, &in_, &out_}) {
    if (!*each) continue;
    loop_.forget(each->get());
    each->reset();
  }
  if (done_) std::exchange(done_, nullptr)();
}

}  // namespace shim::io
