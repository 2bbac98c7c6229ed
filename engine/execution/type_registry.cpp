// Ids count up from 1 in order of first sight; the key is parameters and results with a separator
// that is no ValType.
#include "engine/execution/type_registry.hpp"

namespace engine::execution {

std::uint64_t TypeRegistry::id(std::span<const std::uint8_t> params,
                               std::span<const std::uint8_t> results) {
  std::string key(params.begin(), params.end());
  key += '\0';
  key.append(results.begin(), results.end());
  const auto known = ids_.find(key);
  if (known != ids_.end()) return known->second;
  Entry& entry = entries_.emplace_back();
  for (const std::uint8_t type : params) entry.type.params.push_back(static_cast<ValType>(type));
  for (const std::uint8_t type : results) entry.type.results.push_back(static_cast<ValType>(type));
  return ids_.emplace(std::move(key), entries_.size()).first->second;
}

std::uint64_t TypeRegistry::id(const FuncType& type) {
  const auto bytes = [](const std::vector<ValType>& types) {
    std::vector<std::uint8_t> out;
    for (const ValType one : types) out.push_back(static_cast<std::uint8_t>(one));
    return out;
  };
  return id(bytes(type.params), bytes(type.results));
}

}  // namespace engine::execution
