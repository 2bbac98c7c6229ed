// The shape of a module as all its chunks see it.
#include "engine/compiler/module_shape.hpp"

namespace engine::compiler {
namespace {

std::uint32_t count(std::size_t size) { return static_cast<std::uint32_t>(size); }

}  // namespace

ModuleShape module_shape(const Module& module) {
  ModuleShape out;
  out.module = &module;
  out.layout = context_layout({
      .types = count(module.types.size()),
      .imported_functions = module.imported_functions,
      .function_refs = count(module.referenced_functions.size()),
      .tables = count(module.tables.size()),
      .memories = count(module.memories.size()),
      .imported_globals = module.imported_globals,
      .own_globals = count(module.globals.size()) - module.imported_globals,
  });
  out.reference_slots.resize(module.functions.size());
  out.visible.resize(module.functions.size());
  std::uint32_t slot = 0;
  for (const std::uint32_t function : module.referenced_functions) {
    out.reference_slots[function] = slot++;
    out.visible[function] = true;
  }
  if (module.start) out.visible[*module.start] = true;
  return out;
}

bool results_in_registers(const FuncType& type) {
  std::size_t integers = 0;
  std::size_t floats = 0;
  for (const ValType result : type.results) {
    const bool is_float =
        result == ValType::F32 || result == ValType::F64 || result == ValType::V128;
    ++(is_float ? floats : integers);
  }
  return engine::results_in_registers(integers, floats);
}

std::string function_symbol(std::uint32_t function) { return "f" + std::to_string(function); }
std::string entry_symbol(std::uint32_t type) { return "enter" + std::to_string(type); }
std::string host_symbol(std::uint32_t type) { return "host" + std::to_string(type); }

}  // namespace engine::compiler
