// The types of WebAssembly (core spec 2.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace engine {

/// Values are the binary format's (core spec 5.3).
enum class ValType : std::uint8_t {
  I32 = 0x7f,
  I64 = 0x7e,
  F32 = 0x7d,
  F64 = 0x7c,
  V128 = 0x7b,
  FuncRef = 0x70,
  ExternRef = 0x6f,
};

constexpr bool is_ref(ValType type) {
  return type == ValType::FuncRef || type == ValType::ExternRef;
}
constexpr bool is_num(ValType type) {
  return type == ValType::I32 || type == ValType::I64 || type == ValType::F32 ||
         type == ValType::F64;
}
constexpr std::string_view type_name(ValType type) {
  switch (type) {
    case ValType::I32:
      return "i32";
    case ValType::I64:
      return "i64";
    case ValType::F32:
      return "f32";
    case ValType::F64:
      return "f64";
    case ValType::V128:
      return "v128";
    case ValType::FuncRef:
      return "funcref";
    case ValType::ExternRef:
      return "externref";
  }
  return "?";
}

struct FuncType {
  std::vector<ValType> params;
  std::vector<ValType> results;
  friend bool operator==(const FuncType&, const FuncType&) = default;
};

/// In pages of 64 KiB for memories, in elements for tables.
struct Limits {
  std::uint64_t min = 0;
  std::optional<std::uint64_t> max;
  friend bool operator==(const Limits&, const Limits&) = default;
};

struct TableType {
  ValType element = ValType::FuncRef;
  Limits limits;
  friend bool operator==(const TableType&, const TableType&) = default;
};

struct MemoryType {
  Limits limits;
  bool is_shared = false;  ///< between threads; then it has a maximum
  friend bool operator==(const MemoryType&, const MemoryType&) = default;
};

struct GlobalType {
  ValType type = ValType::I32;
  bool is_mutable = false;
  friend bool operator==(const GlobalType&, const GlobalType&) = default;
};

enum class ExternKind : std::uint8_t { Func = 0, Table = 1, Memory = 2, Global = 3 };

inline constexpr std::uint64_t kPageSize = 65536;
inline constexpr std::uint64_t kMaxMemoryPages = 65536;

}  // namespace engine
