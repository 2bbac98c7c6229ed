// Two levels of names, each looked up by view.
#include "engine/execution/linker.hpp"

#include "engine/execution/instance.hpp"

namespace engine::execution {

std::vector<Extern>& Linker::values(std::string_view module, std::string_view name) {
  auto names = modules_.find(module);
  if (names == modules_.end()) names = modules_.emplace(std::string(module), Names()).first;
  return names->second[std::string(name)];
}

void Linker::define(std::string_view module, std::string_view name, Extern value) {
  std::vector<Extern>& all = values(module, name);
  all.clear();
  all.push_back(std::move(value));
}

void Linker::add_function(std::string_view module, std::string_view name, HostFunction function) {
  values(module, name).emplace_back(std::move(function));
}

void Linker::define_instance(std::string_view module, const Instance& instance) {
  for (const auto& [name, value] : instance.exports()) define(module, name, value);
}

std::span<const Extern> Linker::find(std::string_view module, std::string_view name) const {
  const auto names = modules_.find(module);
  if (names == modules_.end()) return {};
  const auto found = names->second.find(name);
  if (found == names->second.end()) return {};
  return found->second;
}

}  // namespace engine::execution
