// Tasks on worker threads, where a task may add others.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "engine/structure/error.hpp"

namespace engine::compiler {

/// Tasks start in the order in which they were added.
class WorkQueue {
 public:
  using Task = std::function<Result<void>()>;

  void add(Task task);  ///< also from within a task; after a failure it is dropped

  /// Returns when every task has ended, or, after the first failure, those that had begun.
  Result<void> run(std::size_t threads);

 private:
  void work();

  std::mutex mutex_;  // for what follows
  std::condition_variable changed_;
  std::deque<Task> waiting_;
  std::size_t running_ = 0;
  std::optional<Error> error_;
};

}  // namespace engine::compiler
