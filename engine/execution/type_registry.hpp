// Canonical ids of function types: equal types have equal ids, so that call_indirect and imports
// compare one number.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/structure/types.hpp"

namespace engine::execution {

class TypeRegistry {
 public:
  /// Never 0. ValType bytes.
  std::uint64_t id(std::span<const std::uint8_t> params, std::span<const std::uint8_t> results);
  std::uint64_t id(const FuncType& type);
  const FuncType& type(std::uint64_t id) const { return entries_[id - 1].type; }

  /// Code by which the host calls functions of a type (CompiledCode::entry_trampolines); any
  /// module's will do. Null when no loaded module has one.
  const void* entry_trampoline(std::uint64_t id) const { return entries_[id - 1].trampoline; }
  void set_entry_trampoline(std::uint64_t id, const void* code) {
    entries_[id - 1].trampoline = code;
  }

 private:
  struct Entry {
    FuncType type;
    const void* trampoline = nullptr;
  };
  std::map<std::string, std::uint64_t, std::less<>> ids_;
  std::deque<Entry> entries_;
};

}  // namespace engine::execution
