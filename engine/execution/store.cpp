// Calls into guests, and what comes back of them.
#include "engine/execution/store.hpp"

#include <algorithm>
#include <array>

#include "engine/execution/activation.hpp"
#include "engine/execution/instance.hpp"
#include "engine/execution/trap_handler.hpp"

namespace engine::execution {

Store::Store(Token /*only create has one*/, GuestStack stack, SignalStack signal_stack)
    : stack_(std::move(stack)), signal_stack_(std::move(signal_stack)) {}

Store::~Store() = default;

base::Result<std::unique_ptr<Store>> Store::create(const StoreOptions& options) {
  TRY(install_trap_handler());
  GuestStack stack = TRY(GuestStack::create(options.stack_size));
  SignalStack signal_stack = TRY(SignalStack::install());
  return std::make_unique<Store>(Token(), std::move(stack), std::move(signal_stack));
}

base::Result<Memory*> Store::new_memory(const MemoryType& type) {
  return &memories_.emplace_back(TRY(Memory::create(type)));
}

base::Result<Table*> Store::new_table(const TableType& type) {
  return &tables_.emplace_back(TRY(Table::create(type)));
}

Global Store::new_global(const GlobalType& type, const VmValue& value) {
  return {type, &globals_.emplace_back(value)};
}

Instance& Store::adopt(std::unique_ptr<Instance> instance) {
  return *instances_.emplace_back(std::move(instance));
}

CallResult Store::call(const VmFuncRef& function, std::span<const Value> arguments) {
  const FuncType& type = type_of(function);
  const void* trampoline = types_.entry_trampoline(function.type_id);
  const bool fits = std::ranges::equal(arguments, type.params, {}, &Value::type);
  if (!fits || trampoline == nullptr) return std::unexpected(Trapped{Trap::HostFailure, {}, false});

  std::vector<VmValue> values(std::max({type.params.size(), type.results.size(), std::size_t{1}}));
  std::ranges::transform(arguments, values.begin(), &Value::bits);
  const Trap trap = enter(trampoline, function, values.data());
  if (trap != Trap::None) {
    return std::unexpected(Trapped{trap, resolve_frames(), raw_backtrace_.more});
  }
  std::vector<Value> results;
  results.reserve(type.results.size());
  for (std::size_t k = 0; k < type.results.size(); ++k) {
    results.push_back({type.results[k], values[k]});
  }
  return results;
}

Trap Store::enter(const void* trampoline, const VmFuncRef& function, VmValue* values) {
  raw_backtrace_.count = 0;
  raw_backtrace_.more = false;
  const auto* here = static_cast<const std::byte*>(__builtin_frame_address(0));
  const bool nested = stack_.contains(here);
  if (nested && here < stack_.limit()) return Trap::CallStackExhausted;

  Activation activation;
  activation.outer = current_activation();
  activation.store = &vm_;
  activation.stack = &stack_;
  activation.backtrace = &raw_backtrace_;
  current_activation() = &activation;
  wherry_enter_guest(&activation, function.context, function.code, values, trampoline,
                     nested ? nullptr : stack_.top());
  current_activation() = activation.outer;
  return activation.trap;
}

std::vector<Frame> Store::resolve_frames() const {
  std::vector<Frame> out;
  const auto addresses = std::span(raw_backtrace_.addresses).first(raw_backtrace_.count);
  for (std::size_t k = 0; k < addresses.size(); ++k) {
    // A return address belongs to the call before it.
    const std::uintptr_t address = addresses[k] - (k == 0 ? 0 : 1);
    const auto owner = std::ranges::find_if(instances_, [&](const auto& instance) {
      const auto text = instance->module().text();
      return address - reinterpret_cast<std::uintptr_t>(text.data()) < text.size();
    });
    if (owner == instances_.end()) continue;
    const LoadedModule& module = (*owner)->module();
    const std::uint64_t offset = address - reinterpret_cast<std::uintptr_t>(module.text().data());
    for (const artifact::CodeFrame& frame : module.artifact().frames_at(offset)) {
      out.push_back({frame.function, std::string(module.artifact().function_name(frame.function)),
                     frame.module_offset});
    }
  }
  return out;
}

}  // namespace engine::execution
