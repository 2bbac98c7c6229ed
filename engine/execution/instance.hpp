// A module instance (core spec 4.2.5): a context that compiled code works on, and its exports.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/artifact/vm_layout.hpp"
#include "engine/execution/linker.hpp"
#include "engine/execution/loaded_module.hpp"
#include "engine/execution/store.hpp"
#include "engine/structure/error.hpp"

namespace engine::execution {

/// `trap` is set when a segment or the start function trapped; `error` otherwise says which import
/// does not fit (Unlinkable) or what the system refused.
struct InstantiationFailure {
  Error error;
  std::optional<Trapped> trap;
};

class Instance {
 private:
  struct Token {};

 public:
  Instance(Token /*only instantiation has one*/, Store& store,
           std::shared_ptr<const LoadedModule> module);

  /// Links, allocates, initialises and runs the start function (core spec 4.5.4). The store owns
  /// the instance.
  static std::expected<Instance*, InstantiationFailure> instantiate(
      Store& store, std::shared_ptr<const LoadedModule> module, const Linker& linker);

  /// The instance whose context a host function is given.
  static Instance& of(const VmContext* context) {
    return *static_cast<Instance*>(context->instance);
  }

  std::optional<Extern> find_export(std::string_view name) const;
  /// In the module's order.
  std::vector<std::pair<std::string_view, Extern>> exports() const;
  /// Nothing when the instance exports no function of that name.
  std::optional<CallResult> call(std::string_view name, std::span<const Value> arguments);

  Store& store() const { return *store_; }
  VmContext* context() const { return context_; }
  const LoadedModule& module() const { return *module_; }
  /// Index spaces; the index must be in range.
  Memory& memory(std::uint32_t index) const { return *memories_[index]; }
  Table& table(std::uint32_t index) const { return *tables_[index]; }
  std::size_t memory_count() const { return memories_.size(); }

  /// The bulk operations of compiled code (VmBuiltins); Trap::None or the trap.
  Trap memory_init(std::uint32_t memory, std::uint32_t segment, std::uint64_t to,
                   std::uint32_t from, std::uint32_t count);
  Trap table_init(std::uint32_t table, std::uint32_t segment, std::uint64_t to, std::uint32_t from,
                  std::uint32_t count);
  void drop_data(std::uint32_t segment);
  void drop_element(std::uint32_t segment) { dropped_elements_[segment] = true; }

 private:
  friend class Instantiation;

  const artifact::Artifact& artifact() const { return module_->artifact(); }
  template <typename T>
  T* at(std::uint64_t offset) const {
    // Safety: offsets come from context_layout, which is how the context was laid out.
    return reinterpret_cast<T*>(reinterpret_cast<std::byte*>(context_) + offset);
  }
  Global global(std::uint32_t index) const;
  Extern extern_at(ExternKind kind, std::uint32_t index) const;
  VmFuncRef function(std::uint32_t index) const;
  std::optional<VmValue> evaluate(artifact::Slice expression) const;
  std::optional<std::uint64_t> element_item(const artifact::FlatElement& element,
                                            std::uint32_t item) const;

  Store* store_;
  std::shared_ptr<const LoadedModule> module_;
  ContextLayout layout_;
  base::Mapping context_memory_;
  VmContext* context_ = nullptr;
  std::vector<Memory*> memories_;
  std::vector<Table*> tables_;
  std::deque<VmHostFunction> host_functions_;
  std::vector<bool> dropped_data_;  ///< by place in Artifact::data()
  std::vector<bool> dropped_elements_;
};

/// Memory 0 of the instance, as long as nothing grows it; empty when it has none. For host
/// functions.
std::span<std::byte> guest_memory(const VmContext* context);

}  // namespace engine::execution
