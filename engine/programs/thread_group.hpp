// The threads of one guest, as the proposal wasi-threads has them: each is an instance of its own
// of the same module, and all share the memories that the module imports.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "base/result.hpp"
#include "engine/execution/instance.hpp"
#include "engine/execution/linker.hpp"
#include "engine/execution/loaded_module.hpp"
#include "engine/execution/store.hpp"

namespace engine::programs {

/// Lives as long as the process: threads are ended by nothing but its end.
class ThreadGroup {
 public:
  /// Threads at a time, besides the first; beyond it a guest's spawn fails.
  static constexpr std::size_t kMaxThreads = 4096;
  /// The proposal's range of ids is 1 to this.
  static constexpr std::int32_t kMaxId = (1 << 29) - 1;

  explicit ThreadGroup(std::shared_ptr<const execution::LoadedModule> module)
      : module_(std::move(module)) {}
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;
  ~ThreadGroup() = default;

  /// Defines wasi.thread-spawn, and each shared memory that the module imports, by the name that it
  /// has there. The memories belong to `store`. Both arguments outlive the group. Invalid for a
  /// module that spawns threads and lacks the export for their start.
  base::Result<void> define(execution::Linker& linker, execution::Store& store);

  /// From here on the guest may spawn: the first instance is there, the module's file is closed.
  void open() { is_open_ = true; }

  /// Ends the process with a text on standard error. Of several threads that come here at the same
  /// time one is heard.
  [[noreturn]] void end(int status, const std::string& text);
  [[noreturn]] void end_with_trap(const execution::Trapped& trapped);

 private:
  struct Start;

  static std::int32_t spawn(VmHostFunction* self, std::int32_t argument);
  static void* run(void* start);
  void run_thread(std::int32_t id, std::int32_t argument);
  std::int32_t take_id();
  void release_id(std::int32_t id);

  std::shared_ptr<const execution::LoadedModule> module_;
  const execution::Linker* linker_ = nullptr;
  bool is_open_ = false;
  std::mutex ids_mutex_;
  std::set<std::int32_t> ids_;
  std::int32_t last_id_ = 0;
  std::mutex end_mutex_;
};

}  // namespace engine::programs
