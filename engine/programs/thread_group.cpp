// One pthread a guest thread, with a store and so with a guest stack and a signal stack of its own.
#include "engine/programs/thread_group.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/file.hpp"
#include "engine/execution/import_match.hpp"

namespace engine::programs {
namespace {

using execution::Value;

constexpr int kTrapStatus = 134;
constexpr int kNotStarted = 1;
constexpr std::string_view kStartExport = "wasi_thread_start";
/// Errno again of preview 1, negative as all failures of thread-spawn.
constexpr std::int32_t kTryAgain = -6;
/// The guest has a stack of its own; on this one, instances are made.
constexpr std::size_t kHostStack = std::size_t{256} << 10;

bool is_start(const artifact::Artifact& artifact, const artifact::FlatExport& one) {
  if (one.kind != static_cast<std::uint32_t>(ExternKind::Func)) return false;
  if (artifact.text(one.name) != kStartExport) return false;
  const artifact::FlatType& type = artifact.types()[artifact.functions()[one.index].type];
  const auto is_i32 = [](std::uint8_t param) {
    return param == static_cast<std::uint8_t>(ValType::I32);
  };
  return type.params == 2 && type.results == 0 &&
         std::ranges::all_of(artifact.params(type), is_i32);
}

}  // namespace

struct ThreadGroup::Start {
  ThreadGroup* group;
  std::int32_t id;
  std::int32_t argument;
};

base::Result<void> ThreadGroup::define(execution::Linker& linker, execution::Store& store) {
  constexpr std::string_view kModule = "wasi";
  constexpr std::string_view kName = "thread-spawn";
  const artifact::Artifact& artifact = module_->artifact();
  linker_ = &linker;
  linker.define_function(kModule, kName, &spawn, this);
  for (const artifact::FlatImport& import : artifact.imports()) {
    const std::string_view module = artifact.text(import.module);
    const std::string_view name = artifact.text(import.name);
    const auto kind = static_cast<ExternKind>(import.kind);
    if (kind == ExternKind::Memory && artifact.memories()[import.index].is_shared != 0) {
      const MemoryType type = execution::memory_type(artifact.memories()[import.index]);
      linker.define(module, name, execution::Extern(TRY(store.new_memory(type))));
    }
    if (kind == ExternKind::Func && module == kModule && name == kName &&
        std::ranges::none_of(artifact.exports(),
                             [&](const auto& one) { return is_start(artifact, one); })) {
      return base::fail(base::ErrorKind::Invalid,
                        "spawns threads, but exports no function wasi_thread_start(i32, i32)");
    }
  }
  return {};
}

void ThreadGroup::end(int status, const std::string& text) {
  end_mutex_.lock();  // for ever
  static_cast<void>(base::write_all(2, text, "standard error"));
  ::_exit(status);
}

void ThreadGroup::end_with_trap(const execution::Trapped& trapped) {
  end(kTrapStatus, "Error: " + std::string(trapped.text()) + "\n" + trapped.backtrace());
}

std::int32_t ThreadGroup::take_id() {
  const std::lock_guard lock(ids_mutex_);
  if (ids_.size() >= kMaxThreads) return 0;
  do {
    last_id_ = last_id_ == kMaxId ? 1 : last_id_ + 1;
  } while (!ids_.insert(last_id_).second);
  return last_id_;
}

void ThreadGroup::release_id(std::int32_t id) {
  const std::lock_guard lock(ids_mutex_);
  ids_.erase(id);
}

std::int32_t ThreadGroup::spawn(VmHostFunction* self, std::int32_t argument) {
  auto& group = *static_cast<ThreadGroup*>(self->data);
  if (!group.is_open_) return kTryAgain;
  const std::int32_t id = group.take_id();
  if (id == 0) return kTryAgain;
  auto start = std::make_unique<Start>(Start{&group, id, argument});
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  ::pthread_attr_setstacksize(&attributes, kHostStack);
  pthread_t thread{};
  const int error = ::pthread_create(&thread, &attributes, &run, start.get());
  ::pthread_attr_destroy(&attributes);
  if (error != 0) {
    group.release_id(id);
    return kTryAgain;
  }
  static_cast<void>(start.release());  // the thread has it
  return id;
}

void* ThreadGroup::run(void* raw_start) {
  const std::unique_ptr<Start> start(static_cast<Start*>(raw_start));
  start->group->run_thread(start->id, start->argument);
  start->group->release_id(start->id);
  return nullptr;
}

void ThreadGroup::run_thread(std::int32_t id, std::int32_t argument) {
  const auto store = execution::Store::create();
  if (!store) end(kNotStarted, "wherry-exec: thread: " + store.error().message() + "\n");
  const auto instance = execution::Instance::instantiate(**store, module_, *linker_);
  if (!instance) {
    if (instance.error().trap) end_with_trap(*instance.error().trap);
    end(kNotStarted, "wherry-exec: thread: " + instance.error().error.message() + "\n");
  }
  const std::array arguments{Value::i32(static_cast<std::uint32_t>(id)),
                             Value::i32(static_cast<std::uint32_t>(argument))};
  const auto result = (*instance)->call(kStartExport, arguments);
  if (result && !*result) end_with_trap(result->error());
}

}  // namespace engine::programs
