// The names that the runtime-spec gives to the values of its closed lists ("pid",
// "SCMP_ACT_ERRNO"), in both directions. Parser, writer and the features document share these
// tables.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "oci/spec.hpp"
#include "oci/state.hpp"

namespace oci {

template <typename E>
struct NamedValue {
  E value;
  std::string_view name;
};

template <typename E>
struct NameTable {
  std::string_view noun;  ///< what a value is called in an error: "namespace type"
  std::span<const NamedValue<E>> entries;
};

/// Every value of E with its name, in the spec's order. Declared below for each enum of the spec.
template <typename E>
NameTable<E> names();

template <>
NameTable<NamespaceType> names<NamespaceType>();
template <>
NameTable<DeviceType> names<DeviceType>();
template <>
NameTable<DeviceRuleType> names<DeviceRuleType>();
template <>
NameTable<RlimitType> names<RlimitType>();
template <>
NameTable<SchedulerPolicy> names<SchedulerPolicy>();
template <>
NameTable<SchedulerFlag> names<SchedulerFlag>();
template <>
NameTable<IoPriorityClass> names<IoPriorityClass>();
template <>
NameTable<MemoryPolicyMode> names<MemoryPolicyMode>();
template <>
NameTable<MemoryPolicyFlag> names<MemoryPolicyFlag>();
template <>
NameTable<PersonalityDomain> names<PersonalityDomain>();
template <>
NameTable<SeccompAction> names<SeccompAction>();
template <>
NameTable<SeccompOperator> names<SeccompOperator>();
template <>
NameTable<SeccompArch> names<SeccompArch>();
template <>
NameTable<SeccompFlag> names<SeccompFlag>();
template <>
NameTable<Status> names<Status>();

/// The spec's name of a value: `name_of(NamespaceType::Pid)` is "pid".
template <typename E>
std::string_view name_of(E value) {
  for (const NamedValue<E>& entry : names<E>().entries) {
    if (entry.value == value) return entry.name;
  }
  return {};
}

/// The value with exactly this name, if the spec has one.
template <typename E>
std::optional<E> from_name(std::string_view name) {
  for (const NamedValue<E>& entry : names<E>().entries) {
    if (entry.name == name) return entry.value;
  }
  return std::nullopt;
}

}  // namespace oci
