// Opens the streams of a process once somebody reads its output. A client opens its ends in the
// background, and on a busy machine that can be after a short process has ended. It would then wait
// for a writer for ever: fifo(7), an open for reading blocks until one comes, and none that has
// gone counts.
#pragma once

#include <chrono>
#include <functional>
#include <list>

#include "base/result.hpp"
#include "shim/io/streams.hpp"
#include "shim/loop/timer.hpp"

namespace shim::io {

class StreamOpener {
 public:
  using Done = std::function<void(base::Result<Streams>)>;
  static constexpr std::chrono::seconds kPatience{5};

  /// After `patience` a process goes on without a reader.
  explicit StreamOpener(loop::Loop& loop, std::chrono::milliseconds patience = kPatience)
      : patience_(patience), timer_(loop, [this] { look_again(); }) {}

  /// `done` is called before this returns when there is nothing to wait for, and else from the
  /// loop.
  void open(const StreamPaths& paths, Owner owner, Done done);

 private:
  using Clock = std::chrono::steady_clock;

  struct Waiting {
    StreamPaths paths;
    Owner owner;
    Streams streams;
    Done done;
    Clock::time_point end;
  };

  void look_again();
  /// True when it is over, whatever came of it.
  static bool try_to_end(Waiting& waiting);

  std::chrono::milliseconds patience_;
  std::list<Waiting> waiting_;
  loop::Timer timer_;
};

}  // namespace shim::io
