// Two levels of names, each looked up by view.
#include "engine/execution/linker.hpp"

#include "engine/execution/instance.hpp"

namespace engine::execution {

void Linker::define(std::string_view module, std::string_view name, Extern value) {
  auto names = modules_.find(module);
  if (names == modules_.end()) names = modules_.emplace(std::string(module), Names()).first;
  names->second.insert_or_assign(std::string(name), std::move(value));
}

void Linker::define_instance(std::string_view module, const Instance& instance) {
  for (const auto& [name, value] : instance.exports()) define(module, name, value);
}

const Extern* Linker::find(std::string_view module, std::string_view name) const {
  const auto names = modules_.find(module);
  if (names == modules_.end()) return nullptr;
  const auto found = names->second.find(name);
  return found == names->second.end() ? nullptr : &found->second;
}

}  // namespace engine::execution
