// For tests: modules written by hand, and a minimal instance to run their code in. What the runtime
// does with traps and imports is not here (engine/execution).
#pragma once

#include <sys/mman.h>

#include <cstring>
#include <memory>
#include <vector>

#include "engine/artifact/vm_layout.hpp"
#include "engine/compiler/compile.hpp"
#include "engine/structure/module.hpp"

namespace engine::compiler {

/// Owns the bytes that its module refers to.
class SampleModule {
 public:
  std::uint32_t add_type(std::vector<ValType> params, std::vector<ValType> results) {
    module_.types.push_back({std::move(params), std::move(results)});
    return static_cast<std::uint32_t>(module_.types.size() - 1);
  }
  /// `body`: locals' vector, instructions, end. Every function is referenced, so that it can be
  /// entered.
  std::uint32_t add_function(std::uint32_t type, std::vector<std::uint8_t> body,
                             bool referenced = true) {
    const auto index = static_cast<std::uint32_t>(module_.functions.size());
    module_.functions.push_back({type, bytes_.size(), static_cast<std::uint32_t>(body.size())});
    for (const std::uint8_t byte : body) bytes_.push_back(static_cast<std::byte>(byte));
    if (referenced) module_.referenced_functions.push_back(index);
    return index;
  }
  void add_memory() { module_.memories.push_back({{.min = 1, .max = std::nullopt}}); }
  void add_shared_memory() { module_.memories.push_back({{.min = 1, .max = 1}, true}); }
  void add_table() { module_.tables.push_back({}); }
  void add_global(ValType type) { module_.globals.push_back({{type, true}, {}}); }

  const Module& get() {
    module_.bytes = bytes_;
    return module_;
  }

 private:
  Module module_;
  std::vector<std::byte> bytes_;
};

/// One memory of one page, one table of four null elements.
class SampleInstance {
 public:
  static constexpr std::size_t kReservation = (std::size_t{8} << 30) + 65536;

  SampleInstance(const Module& module, const artifact::CompiledCode& code)
      : module_(module), code_(code) {
    const std::size_t size = code.rodata_offset + code.rodata.size() + 1;
    text_ = static_cast<std::byte*>(map(size, PROT_READ | PROT_WRITE));
    text_size_ = size;
    std::memcpy(text_, code.text.data(), code.text.size());
    if (!code.rodata.empty()) {
      std::memcpy(text_ + code.rodata_offset, code.rodata.data(), code.rodata.size());
    }
    mprotect(text_, size, PROT_READ | PROT_EXEC);
    memory_.base = static_cast<std::byte*>(map(kReservation, PROT_NONE));
    memory_.size = kPageSize;
    mprotect(memory_.base, kPageSize, PROT_READ | PROT_WRITE);
    table_ = {elements_, 4, 4};
    builtins_.memmove = &std::memmove;
    builtins_.memset = &std::memset;
    lay_out();
  }
  ~SampleInstance() {
    munmap(text_, text_size_);
    munmap(memory_.base, kReservation);
  }
  SampleInstance(const SampleInstance&) = delete;
  SampleInstance& operator=(const SampleInstance&) = delete;

  std::byte* memory() { return memory_.base; }
  const void* code_of(std::uint32_t function) const {
    return text_ + code_.functions[function].offset;
  }
  void set_element(std::size_t index, std::uint32_t function) {
    // Safety: the reference lives in the context, which outlives the call.
    elements_[index] = reinterpret_cast<std::uint64_t>(reference(function));
  }

  std::vector<std::uint64_t> call(std::uint32_t function, std::vector<std::uint64_t> arguments) {
    const FuncType& type = module_.type_of(function);
    std::vector<VmValue> values(std::max(type.params.size(), type.results.size()) + 1);
    for (std::size_t i = 0; i < arguments.size(); ++i) values[i].low = arguments[i];
    using Enter = void (*)(void*, const void*, VmValue*, VmStore*);
    const auto& trampoline = code_.entry_trampolines[module_.functions[function].type];
    // Safety: the trampoline has this signature (compiled_code.hpp).
    const auto enter = reinterpret_cast<Enter>(text_ + trampoline.offset);
    enter(context(), code_of(function), values.data(), &store_);
    std::vector<std::uint64_t> results;
    for (std::size_t i = 0; i < type.results.size(); ++i) results.push_back(values[i].low);
    return results;
  }

 private:
  static void* map(std::size_t size, int protection) {
    return mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  void* context() { return context_.data(); }
  template <typename T>
  void put(std::uint64_t offset, const T& value) {
    std::memcpy(reinterpret_cast<std::byte*>(context_.data()) + offset, &value, sizeof(T));
  }
  VmFuncRef* reference(std::uint32_t function) {
    return reinterpret_cast<VmFuncRef*>(reinterpret_cast<std::byte*>(context_.data()) +
                                        layout_.function_refs) +
           function;
  }
  void lay_out() {
    const auto count = [](std::size_t size) { return static_cast<std::uint32_t>(size); };
    layout_ = context_layout({.types = count(module_.types.size()),
                              .function_refs = count(module_.referenced_functions.size()),
                              .tables = count(module_.tables.size()),
                              .memories = count(module_.memories.size()),
                              .own_globals = count(module_.globals.size())});
    context_.resize(layout_.size / sizeof(VmValue) + 1);
    put(0, VmContext{nullptr, &store_, &builtins_, nullptr});
    if (!module_.memories.empty()) put(layout_.memory_bases, memory_.base);
    if (!module_.memories.empty()) put(layout_.memories, &memory_);
    if (!module_.tables.empty()) put(layout_.table_elements, table_.elements);
    if (!module_.tables.empty()) put(layout_.tables, &table_);
    for (std::uint64_t i = 0; i < module_.types.size(); ++i) put(layout_.type_ids + 8 * i, i);
    for (std::size_t i = 0; i < module_.referenced_functions.size(); ++i) {
      const std::uint32_t function = module_.referenced_functions[i];
      *reference(static_cast<std::uint32_t>(i)) = {code_of(function), context(),
                                                   module_.functions[function].type};
    }
  }

  const Module& module_;
  const artifact::CompiledCode& code_;
  ContextLayout layout_{};
  std::byte* text_ = nullptr;
  std::size_t text_size_ = 0;
  VmMemory memory_{};
  VmTable table_{};
  std::uint64_t elements_[4] = {};
  VmStore store_{};
  VmBuiltins builtins_{};
  std::vector<VmValue> context_;
};

}  // namespace engine::compiler
