// What an instance does once it exists; how it comes to be is in instantiation.cpp.
#include "engine/execution/instance.hpp"

#include <algorithm>
#include <cstring>

#include "engine/execution/const_expr.hpp"
#include "engine/execution/import_match.hpp"

namespace engine::execution {

Instance::Instance(Token /*only instantiation has one*/, Store& store,
                   std::shared_ptr<const LoadedModule> module)
    : store_(&store),
      module_(std::move(module)),
      layout_(context_layout(module_->artifact().context_counts())),
      dropped_data_(module_->artifact().data().size()),
      dropped_elements_(module_->artifact().elements().size()) {}

VmFuncRef Instance::function(std::uint32_t index) const {
  const std::uint32_t imported = artifact().metadata().imported_functions;
  if (index < imported) return at<VmFuncRef>(layout_.imported_functions)[index];
  const artifact::FlatFunction& own = artifact().functions()[index];
  return {module_->code(own.code), context_, at<std::uint64_t>(layout_.type_ids)[own.type]};
}

Global Instance::global(std::uint32_t index) const {
  const std::uint32_t imported = artifact().metadata().imported_globals;
  const artifact::FlatGlobal& flat = artifact().globals()[index];
  const GlobalType type = global_type(flat);
  if (index < imported) return {type, at<VmValue*>(layout_.imported_globals)[index]};
  return {type, at<VmValue>(layout_.own_globals) + (index - imported)};
}

Extern Instance::extern_at(ExternKind kind, std::uint32_t index) const {
  switch (kind) {
    case ExternKind::Func:
      return function(index);
    case ExternKind::Table:
      return tables_[index];
    case ExternKind::Memory:
      return memories_[index];
    case ExternKind::Global:
      break;
  }
  return global(index);
}

std::optional<Extern> Instance::find_export(std::string_view name) const {
  for (const artifact::FlatExport& one : artifact().exports()) {
    if (artifact().text(one.name) == name) {
      return extern_at(static_cast<ExternKind>(one.kind), one.index);
    }
  }
  return std::nullopt;
}

std::vector<std::pair<std::string_view, Extern>> Instance::exports() const {
  std::vector<std::pair<std::string_view, Extern>> out;
  for (const artifact::FlatExport& one : artifact().exports()) {
    out.emplace_back(artifact().text(one.name),
                     extern_at(static_cast<ExternKind>(one.kind), one.index));
  }
  return out;
}

std::optional<CallResult> Instance::call(std::string_view name, std::span<const Value> arguments) {
  const auto found = find_export(name);
  const auto* function = found ? std::get_if<VmFuncRef>(&*found) : nullptr;
  if (function == nullptr) return std::nullopt;
  return store_->call(*function, arguments);
}

std::optional<VmValue> Instance::evaluate(artifact::Slice expression) const {
  return evaluate_const_expr(
      artifact().constants(expression),
      [&](std::uint32_t slot) {
        return reinterpret_cast<std::uint64_t>(at<VmFuncRef>(layout_.function_refs) + slot);
      },
      [&](std::uint32_t index) { return *global(index).value; });
}

std::optional<std::uint64_t> Instance::element_item(const artifact::FlatElement& element,
                                                    std::uint32_t item) const {
  if (element.by_expression != 0) {
    const auto value = evaluate(artifact().item_expressions(element)[item]);
    return value ? std::optional(value->low) : std::nullopt;
  }
  const std::uint32_t slot = artifact().item_slots(element)[item];
  if (slot == artifact::kNone) return 0;
  return reinterpret_cast<std::uint64_t>(at<VmFuncRef>(layout_.function_refs) + slot);
}

Trap Instance::memory_init(std::uint32_t memory, std::uint32_t segment, std::uint64_t to,
                           std::uint32_t from, std::uint32_t count) {
  const auto target = memories_[memory]->bytes();
  const std::uint32_t place = artifact().find_data(segment);
  std::span<const std::byte> source;
  if (place != artifact::kNone && !dropped_data_[place]) {
    source = artifact().bytes(artifact().data()[place]);
  }
  if (to > target.size() || count > target.size() - to || from > source.size() ||
      count > source.size() - from) {
    return Trap::MemoryOutOfBounds;
  }
  if (count != 0) std::memcpy(target.data() + to, source.data() + from, count);
  return Trap::None;
}

void Instance::drop_data(std::uint32_t segment) {
  const std::uint32_t place = artifact().find_data(segment);
  if (place != artifact::kNone) dropped_data_[place] = true;
}

Trap Instance::table_init(std::uint32_t table, std::uint32_t segment, std::uint64_t to,
                          std::uint32_t from, std::uint32_t count) {
  const auto target = tables_[table]->elements();
  const artifact::FlatElement& element = artifact().elements()[segment];
  const std::uint32_t size = dropped_elements_[segment] ? 0 : element.items.count;
  if (to > target.size() || count > target.size() - to || from > size || count > size - from) {
    return Trap::TableOutOfBounds;
  }
  for (std::uint32_t k = 0; k < count; ++k) {
    // A valid module's items always have a value.
    target[to + k] = element_item(element, from + k).value_or(0);
  }
  return Trap::None;
}

std::span<std::byte> guest_memory(const VmContext* context) {
  const Instance& instance = Instance::of(context);
  return instance.memory_count() == 0 ? std::span<std::byte>() : instance.memory(0).bytes();
}

}  // namespace engine::execution
