// A typed value as hosts pass it in and get it back (core spec 4.2.1).
#pragma once

#include <bit>
#include <cstdint>

#include "engine/artifact/vm_layout.hpp"
#include "engine/structure/types.hpp"

namespace engine::execution {

/// Numbers lie in the low bits. A funcref is a VmFuncRef*, an externref any number of the host's;
/// both are null as 0.
struct Value {
  ValType type = ValType::I32;
  VmValue bits{};

  static Value i32(std::uint32_t value) { return {ValType::I32, {value, 0}}; }
  static Value i64(std::uint64_t value) { return {ValType::I64, {value, 0}}; }
  static Value f32(float value) { return {ValType::F32, {std::bit_cast<std::uint32_t>(value), 0}}; }
  static Value f64(double value) {
    return {ValType::F64, {std::bit_cast<std::uint64_t>(value), 0}};
  }

  std::uint32_t as_i32() const { return static_cast<std::uint32_t>(bits.low); }
  std::uint64_t as_i64() const { return bits.low; }
  float as_f32() const { return std::bit_cast<float>(as_i32()); }
  double as_f64() const { return std::bit_cast<double>(bits.low); }
};

}  // namespace engine::execution
