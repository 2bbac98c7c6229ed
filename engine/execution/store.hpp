// The store (core spec 4.2.3): owner of all that guests can reach, with the stack they run on.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "engine/artifact/vm_layout.hpp"
#include "engine/execution/extern.hpp"
#include "engine/execution/guest_stack.hpp"
#include "engine/execution/trapped.hpp"
#include "engine/execution/type_registry.hpp"

namespace engine::execution {

class Instance;
class LoadedModule;

struct StoreOptions {
  std::size_t stack_size = GuestStack::kDefaultSize;
};

/// One a thread of guest code; used only by the thread that created it. Instances, also those whose
/// instantiation trapped, live until its end, since tables of others may hold their functions.
class Store {
 private:
  struct Token {};

 public:
  Store(Token /*only create has one*/, GuestStack stack, SignalStack signal_stack);
  /// Installs the process's trap handler, once, and the thread's signal stack.
  static base::Result<std::unique_ptr<Store>> create(const StoreOptions& options = {});
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store();

  base::Result<Memory*> new_memory(const MemoryType& type);
  base::Result<Table*> new_table(const TableType& type);
  Global new_global(const GlobalType& type, const VmValue& value);

  /// Runs a function on the guest's stack; within a host call it goes on on the same stack. The
  /// arguments must be of the function's type: HostFailure without frames otherwise.
  CallResult call(const VmFuncRef& function, std::span<const Value> arguments);
  const FuncType& type_of(const VmFuncRef& function) const { return types_.type(function.type_id); }

  VmStore& vm() { return vm_; }
  TypeRegistry& types() { return types_; }
  const GuestStack& stack() const { return stack_; }

  /// For instantiation.
  Instance& adopt(std::unique_ptr<Instance> instance);

 private:
  Trap enter(const void* trampoline, const VmFuncRef& function, VmValue* values);
  std::vector<Frame> resolve_frames() const;

  GuestStack stack_;
  SignalStack signal_stack_;
  TypeRegistry types_;
  std::deque<Memory> memories_;
  std::deque<Table> tables_;
  std::deque<VmValue> globals_;
  std::vector<std::unique_ptr<Instance>> instances_;
  RawBacktrace raw_backtrace_;
  VmStore vm_{};
};

}  // namespace engine::execution
