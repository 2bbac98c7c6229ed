// See work_queue.hpp.
#include "engine/compiler/work_queue.hpp"

#include <thread>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace engine::compiler {

void WorkQueue::add(Task task) {
  const std::scoped_lock lock(mutex_);
  if (error_) return;
  waiting_.push_back(std::move(task));
  changed_.notify_one();
}

Result<void> WorkQueue::run(std::size_t threads) {
  std::vector<std::jthread> workers;
  for (std::size_t i = 1; i < threads; ++i) workers.emplace_back([this] { work(); });
  work();
  workers.clear();
  if (error_) return std::unexpected(std::move(*error_));
  return {};
}

void WorkQueue::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    // What runs may still add.
    changed_.wait(lock, [this] { return !waiting_.empty() || running_ == 0; });
    if (waiting_.empty()) break;
    const Task task = std::move(waiting_.front());
    waiting_.pop_front();
    ++running_;
    lock.unlock();
    auto result = task();
    lock.lock();
    --running_;
    if (!result) {
      if (!error_) error_ = std::move(result.error());
      waiting_.clear();
    }
    if (waiting_.empty() && running_ == 0) changed_.notify_all();
  }
}

}  // namespace engine::compiler
