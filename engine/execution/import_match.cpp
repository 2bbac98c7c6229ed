// Limits match when the given ones lie inside the wanted ones; globals match exactly.
#include "engine/execution/import_match.hpp"

namespace engine::execution {
namespace {

Limits limits(const artifact::FlatLimits& flat) {
  Limits out{flat.min, std::nullopt};
  if (flat.max != UINT64_MAX) out.max = flat.max;
  return out;
}

bool matches(const Limits& given, const Limits& wanted) {
  return given.min >= wanted.min && (!wanted.max || (given.max && *given.max <= *wanted.max));
}

}  // namespace

TableType table_type(const artifact::FlatTable& flat) {
  return {static_cast<ValType>(flat.element), limits(flat.limits)};
}

MemoryType memory_type(const artifact::FlatMemory& flat) {
  return {limits(flat.limits), flat.is_shared != 0};
}

GlobalType global_type(const artifact::FlatGlobal& flat) {
  return {static_cast<ValType>(flat.type), flat.is_mutable != 0};
}

bool matches(const TableType& given, const artifact::FlatTable& wanted) {
  const TableType type = table_type(wanted);
  return given.element == type.element && matches(given.limits, type.limits);
}

bool matches(const MemoryType& given, const artifact::FlatMemory& wanted) {
  const MemoryType type = memory_type(wanted);
  return given.is_shared == type.is_shared && matches(given.limits, type.limits);
}

bool matches(const GlobalType& given, const artifact::FlatGlobal& wanted) {
  return given == global_type(wanted);
}

}  // namespace engine::execution
