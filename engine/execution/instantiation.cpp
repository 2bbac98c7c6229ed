// Instantiation (core spec 4.5.4): link, allocate, initialise, start. Until everything is linked,
// nothing that others can see has changed.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "engine/execution/builtins.hpp"
#include "engine/execution/import_match.hpp"
#include "engine/execution/instance.hpp"
#include "engine/structure/module.hpp"

namespace engine::execution {

/// The steps, each of which yields nothing or the failure.
class Instantiation {
 public:
  using Outcome = std::expected<void, InstantiationFailure>;

  explicit Instantiation(Instance& instance)
      : instance_(instance), artifact_(instance.artifact()), layout_(instance.layout_) {}

  static std::unique_ptr<Instance> make_instance(Store& store,
                                                 std::shared_ptr<const LoadedModule> module) {
    return std::make_unique<Instance>(Instance::Token(), store, std::move(module));
  }
  Outcome allocate_context();
  Outcome link(const Linker& linker);
  Outcome allocate();
  Outcome initialise();
  Outcome start();

 private:
  static std::unexpected<InstantiationFailure> failed(ErrorKind kind, std::string text) {
    return std::unexpected(InstantiationFailure{{kind, std::move(text)}, std::nullopt});
  }
  static std::unexpected<InstantiationFailure> system(const base::Error& error) {
    return failed(ErrorKind::System, error.message());
  }
  static std::unexpected<InstantiationFailure> trapped(Trapped trap) {
    Error error{ErrorKind::System, std::string(trap.text())};
    return std::unexpected(InstantiationFailure{std::move(error), std::move(trap)});
  }

  bool link_one(const artifact::FlatImport& import, const Extern& value);
  bool link_function(std::uint32_t index, const Extern& value);
  Outcome apply_elements();
  Outcome map_image(std::uint32_t memory);
  Outcome apply_data();
  void add_memory(std::uint32_t index, Memory* memory);
  void add_table(std::uint32_t index, Table* table);
  template <typename T>
  T* at(std::uint64_t offset) const {
    return instance_.at<T>(offset);
  }
  std::optional<std::uint64_t> address(artifact::Slice expression) const {
    const auto value = instance_.evaluate(expression);
    return value ? std::optional(value->low & 0xffffffff) : std::nullopt;
  }

  Instance& instance_;
  const artifact::Artifact& artifact_;
  const ContextLayout& layout_;
};

Instantiation::Outcome Instantiation::allocate_context() {
  auto memory = base::Mapping::reserve(layout_.size);
  if (!memory) return system(memory.error());
  if (::mprotect(memory->data(), memory->size(), PROT_READ | PROT_WRITE) != 0) {
    return failed(ErrorKind::System, "mprotect context: " + base::errno_text(errno));
  }
  instance_.context_memory_ = std::move(*memory);
  // Safety: fresh zero pages; the context and its arrays are plain data.
  instance_.context_ = reinterpret_cast<VmContext*>(instance_.context_memory_.data());
  VmContext& context = *instance_.context_;
  context.stack_limit = instance_.store_->stack().limit();
  context.store = &instance_.store_->vm();
  context.builtins = &builtins();
  context.instance = &instance_;
  auto* ids = at<std::uint64_t>(layout_.type_ids);
  for (const artifact::FlatType& type : artifact_.types()) {
    *ids++ = instance_.store_->types().id(artifact_.params(type), artifact_.results(type));
  }
  return {};
}

Instantiation::Outcome Instantiation::link(const Linker& linker) {
  instance_.tables_.resize(artifact_.tables().size());
  instance_.memories_.resize(artifact_.memories().size());
  for (const artifact::FlatImport& import : artifact_.imports()) {
    const std::string_view module = artifact_.text(import.module);
    const std::string_view name = artifact_.text(import.name);
    const std::span<const Extern> values = linker.find(module, name);
    if (values.empty()) {
      return failed(ErrorKind::Unlinkable,
                    "unknown import: " + std::string(module) + "." + std::string(name));
    }
    if (std::ranges::none_of(values,
                             [&](const Extern& value) { return link_one(import, value); })) {
      return failed(ErrorKind::Unlinkable,
                    "incompatible import type: " + std::string(module) + "." + std::string(name));
    }
  }
  return {};
}

bool Instantiation::link_function(std::uint32_t index, const Extern& value) {
  const std::uint32_t type = artifact_.functions()[index].type;
  const std::uint64_t id = at<std::uint64_t>(layout_.type_ids)[type];
  VmFuncRef& slot = at<VmFuncRef>(layout_.imported_functions)[index];
  if (const auto* function = std::get_if<VmFuncRef>(&value)) {
    slot = *function;
    return function->type_id == id;
  }
  const auto* host = std::get_if<HostFunction>(&value);
  const artifact::FlatCode trampoline = artifact_.types()[type].host_trampoline;
  if (host == nullptr || trampoline.size == 0 || instance_.store_->types().id(host->type) != id) {
    return false;
  }
  VmHostFunction& object = instance_.host_functions_.emplace_back(
      VmHostFunction{host->function, host->data, instance_.context_});
  slot = {instance_.module_->code(trampoline), &object, id};
  return true;
}

bool Instantiation::link_one(const artifact::FlatImport& import, const Extern& value) {
  bool fits = false;
  switch (static_cast<ExternKind>(import.kind)) {
    case ExternKind::Func:
      fits = link_function(import.index, value);
      break;
    case ExternKind::Table:
      if (Table* const* table = std::get_if<Table*>(&value)) {
        fits = matches((*table)->type(), artifact_.tables()[import.index]);
        add_table(import.index, *table);
      }
      break;
    case ExternKind::Memory:
      if (Memory* const* memory = std::get_if<Memory*>(&value)) {
        fits = matches((*memory)->type(), artifact_.memories()[import.index]);
        add_memory(import.index, *memory);
      }
      break;
    case ExternKind::Global:
      if (const auto* global = std::get_if<Global>(&value)) {
        fits = matches(global->type, artifact_.globals()[import.index]);
        at<VmValue*>(layout_.imported_globals)[import.index] = global->value;
      }
      break;
  }
  return fits;
}

void Instantiation::add_memory(std::uint32_t index, Memory* memory) {
  instance_.memories_[index] = memory;
  at<VmMemory*>(layout_.memories)[index] = &memory->vm;
  at<std::byte*>(layout_.memory_bases)[index] = memory->vm.base;
}

void Instantiation::add_table(std::uint32_t index, Table* table) {
  instance_.tables_[index] = table;
  at<VmTable*>(layout_.tables)[index] = &table->vm;
  at<std::uint64_t*>(layout_.table_elements)[index] = table->vm.elements;
}

Instantiation::Outcome Instantiation::allocate() {
  Store& store = *instance_.store_;
  const auto* ids = at<std::uint64_t>(layout_.type_ids);
  for (std::size_t k = 0; k < artifact_.types().size(); ++k) {
    const artifact::FlatCode entry = artifact_.types()[k].entry_trampoline;
    if (entry.size != 0) store.types().set_entry_trampoline(ids[k], instance_.module_->code(entry));
  }
  for (std::uint32_t k = artifact_.metadata().imported_tables; k < artifact_.tables().size(); ++k) {
    const auto table = store.new_table(table_type(artifact_.tables()[k]));
    if (!table) return system(table.error());
    add_table(k, *table);
  }
  for (std::uint32_t k = artifact_.metadata().imported_memories; k < artifact_.memories().size();
       ++k) {
    const auto memory = store.new_memory(memory_type(artifact_.memories()[k]));
    if (!memory) return system(memory.error());
    add_memory(k, *memory);
  }
  auto* references = at<VmFuncRef>(layout_.function_refs);
  for (const std::uint32_t function : artifact_.references()) {
    *references++ = instance_.function(function);
  }
  const std::uint32_t imported = artifact_.metadata().imported_globals;
  for (std::uint32_t k = imported; k < artifact_.globals().size(); ++k) {
    const auto value = instance_.evaluate(artifact_.globals()[k].init);
    if (!value) return failed(ErrorKind::Invalid, "constant expression of a global");
    *instance_.global(k).value = *value;
  }
  return {};
}

Instantiation::Outcome Instantiation::initialise() {
  if (const auto outcome = apply_elements(); !outcome) return outcome;
  for (std::uint32_t k = 0; k < artifact_.memories().size(); ++k) {
    if (const auto outcome = map_image(k); !outcome) return outcome;
  }
  return apply_data();
}

Instantiation::Outcome Instantiation::apply_elements() {
  for (std::uint32_t k = 0; k < artifact_.elements().size(); ++k) {
    const artifact::FlatElement& element = artifact_.elements()[k];
    const auto mode = static_cast<SegmentMode>(element.mode);
    if (mode == SegmentMode::Passive) continue;
    if (mode == SegmentMode::Active) {
      const auto to = address(element.offset);
      if (!to) return failed(ErrorKind::Invalid, "constant expression of an element segment");
      const Trap trap = instance_.table_init(element.table, k, *to, 0, element.items.count);
      if (trap != Trap::None) return trapped({trap, {}, false});
    }
    instance_.drop_element(k);
  }
  return {};
}

Instantiation::Outcome Instantiation::map_image(std::uint32_t index) {
  const artifact::FlatMemory& flat = artifact_.memories()[index];
  if (flat.image_size == 0) return {};
  std::byte* to = instance_.memory(index).vm.base + flat.image_at;
  const auto image = artifact_.part(artifact::Part::Image).subspan(flat.image_offset);
  if (instance_.module_->file() < 0) {
    std::memcpy(to, image.data(), flat.image_size);
    return {};
  }
  const std::uint64_t offset =
      artifact_.header().parts[static_cast<std::size_t>(artifact::Part::Image)].offset +
      flat.image_offset;
  // Safety: replaces pages of the memory's own reservation (structure_check: inside its minimum).
  void* mapped = ::mmap(to, flat.image_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
                        instance_.module_->file(), static_cast<off_t>(offset));
  if (mapped == MAP_FAILED) {
    return failed(ErrorKind::System, "mmap memory image: " + base::errno_text(errno));
  }
  return {};
}

Instantiation::Outcome Instantiation::apply_data() {
  for (const artifact::FlatData& data : artifact_.data()) {
    if (static_cast<SegmentMode>(data.mode) == SegmentMode::Passive) continue;
    const auto to = address(data.offset);
    if (!to) return failed(ErrorKind::Invalid, "constant expression of a data segment");
    const Trap trap = instance_.memory_init(data.memory, data.segment, *to, 0, data.size);
    if (trap != Trap::None) return trapped({trap, {}, false});
    instance_.drop_data(data.segment);
  }
  return {};
}

Instantiation::Outcome Instantiation::start() {
  const std::uint32_t start = artifact_.metadata().start;
  if (start == artifact::kNone) return {};
  const VmFuncRef function = instance_.function(start);
  auto result = instance_.store_->call(function, {});
  if (!result) return trapped(std::move(result).error());
  return {};
}

std::expected<Instance*, InstantiationFailure> Instance::instantiate(
    Store& store, std::shared_ptr<const LoadedModule> module, const Linker& linker) {
  auto owned = Instantiation::make_instance(store, std::move(module));
  Instantiation steps(*owned);
  TRY(steps.allocate_context());
  TRY(steps.link(linker));
  // From here on the instance's functions can be in other instances' tables.
  Instance& instance = store.adopt(std::move(owned));
  TRY(steps.allocate());
  TRY(steps.initialise());
  TRY(steps.start());
  return &instance;
}

}  // namespace engine::execution
