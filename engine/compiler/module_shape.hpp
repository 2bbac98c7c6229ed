// What every chunk of a module shares: the instance's layout and the place of each function.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/artifact/vm_layout.hpp"
#include "engine/structure/module.hpp"

namespace engine::compiler {

struct ModuleShape {
  const Module* module = nullptr;
  ContextLayout layout{};
  /// By function index: the slot in the context's function references, if there is one.
  std::vector<std::optional<std::uint32_t>> reference_slots;
  /// By function index: true when other chunks call it or its reference can be taken.
  std::vector<bool> visible;
};

ModuleShape module_shape(const Module& module);

/// How the results of a type come back (vm_layout.hpp).
bool results_in_registers(const FuncType& type);

/// "f12": the symbol of a function in the objects between compiler and linker.
std::string function_symbol(std::uint32_t function);
std::string entry_symbol(std::uint32_t type);
std::string host_symbol(std::uint32_t type);

}  // namespace engine::compiler
