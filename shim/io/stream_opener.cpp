#include "shim/io/stream_opener.hpp"

#include <iterator>
#include <utility>

namespace shim::io {
namespace {

// FIFOs tell nobody that a reader has come.
constexpr std::chrono::milliseconds kInterval{2};

}  // namespace

void StreamOpener::open(const StreamPaths& paths, Owner owner, Done done) {
  auto streams = open_streams(paths, owner, Unread::Left);
  if (!streams || are_open(*streams, paths)) return done(std::move(streams));
  waiting_.push_back(
      {paths, owner, std::move(*streams), std::move(done), Clock::now() + patience_});
  if (!timer_.is_armed() && !timer_.arm(kInterval)) look_again();
}

void StreamOpener::look_again() {
  // What is done may open more, which is not looked at before the next time.
  std::list<Waiting> now = std::exchange(waiting_, {});
  for (auto at = now.begin(); at != now.end();) {
    at = try_to_end(*at) ? now.erase(at) : std::next(at);
  }
  waiting_.splice(waiting_.begin(), now);
  if (!waiting_.empty()) static_cast<void>(timer_.arm(kInterval));
}

bool StreamOpener::try_to_end(Waiting& waiting) {
  const Unread unread = Clock::now() < waiting.end ? Unread::Left : Unread::Opened;
  auto opened = open_outputs(waiting.streams, waiting.paths, waiting.owner, unread);
  if (!opened) {
    waiting.done(std::unexpected(std::move(opened).error()));
    return true;
  }
  if (!are_open(waiting.streams, waiting.paths)) return false;
  waiting.done(std::move(waiting.streams));
  return true;
}

}  // namespace shim::io
