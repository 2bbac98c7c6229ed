// A C++ function that guests can import. Its signature is the wasm type: see VmHostFunction in
// engine/artifact/vm_layout.hpp for how compiled code calls it.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <type_traits>

#include "engine/artifact/vm_layout.hpp"
#include "engine/structure/trap.hpp"
#include "engine/structure/types.hpp"

namespace engine::execution {

/// `data` becomes VmHostFunction::data, and must outlive the store.
struct HostFunction {
  FuncType type;
  const void* function = nullptr;
  void* data = nullptr;
};

/// The wasm type that has T's place in the C ABI. References need HostFunction's own type.
template <typename T>
constexpr ValType val_type_of() {
  if constexpr (std::is_integral_v<T> && sizeof(T) == 4) {
    return ValType::I32;
  } else if constexpr (std::is_integral_v<T> && sizeof(T) == 8) {
    return ValType::I64;
  } else if constexpr (std::is_same_v<T, float>) {
    return ValType::F32;
  } else if constexpr (std::is_same_v<T, double>) {
    return ValType::F64;
  } else {
    static_assert(sizeof(T) == 16, "no wasm value");
    return ValType::V128;
  }
}

/// host_function(+[](VmHostFunction* self, std::uint32_t a) -> std::uint32_t { … }, &data)
template <typename Returned, typename... Parameters>
HostFunction host_function(Returned (*function)(VmHostFunction*, Parameters...),
                           void* data = nullptr) {
  HostFunction out;
  out.type.params = {val_type_of<Parameters>()...};
  if constexpr (!std::is_void_v<Returned>) out.type.results = {val_type_of<Returned>()};
  // Safety: only ever called with this signature, through the trampoline of this type.
  out.function = reinterpret_cast<const void*>(function);
  out.data = data;
  return out;
}

/// Lets the wasm caller trap once the host function that asks for it has returned.
inline void set_pending_trap(VmContext* caller, Trap trap) {
  caller->store->pending_trap = static_cast<std::uint32_t>(trap);
}

}  // namespace engine::execution
