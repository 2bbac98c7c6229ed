// A module as the binary format describes it (core spec 2.5), before and after validation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/structure/opcode.hpp"
#include "engine/structure/types.hpp"

namespace engine {

/// One instruction of a constant expression, with extended const: *.const, ref.null, ref.func,
/// global.get, i32/i64 add, sub, mul.
struct ConstInstruction {
  Opcode opcode = Opcode::I32Const;
  std::uint32_t index = 0;  ///< ref.func, global.get
  std::uint64_t low = 0;    ///< constant's bits
  std::uint64_t high = 0;   ///< upper half of a v128
  ValType ref_type = ValType::FuncRef;
};
/// In order of evaluation on a stack, without `end`.
using ConstExpr = std::vector<ConstInstruction>;

struct Import {
  std::string module;
  std::string name;
  ExternKind kind = ExternKind::Func;
  std::uint32_t index = 0;  ///< in the index space of its kind
};

struct Export {
  std::string name;
  ExternKind kind = ExternKind::Func;
  std::uint32_t index = 0;
};

/// Imported functions come first and have no body.
struct Function {
  std::uint32_t type = 0;
  std::uint64_t body_offset = 0;  ///< of the locals' vector, in the module
  std::uint32_t body_size = 0;    ///< up to and including `end`
};

struct Global {
  GlobalType type;
  ConstExpr init;  ///< empty for imports
};

enum class SegmentMode : std::uint8_t { Active, Passive, Declarative };

inline constexpr std::uint32_t kNullFunction = 0xffffffff;

struct ElementSegment {
  SegmentMode mode = SegmentMode::Active;
  std::uint32_t table = 0;
  ConstExpr offset;
  ValType type = ValType::FuncRef;
  /// When every item is ref.func or ref.null: function indices, kNullFunction for null.
  std::vector<std::uint32_t> functions;
  /// Otherwise one expression an item, and `functions` is empty.
  std::vector<ConstExpr> expressions;
};

struct DataSegment {
  SegmentMode mode = SegmentMode::Active;
  std::uint32_t memory = 0;
  ConstExpr offset;
  std::uint64_t data_offset = 0;  ///< in the module
  std::uint32_t data_size = 0;
};

/// Index spaces hold imports first. Names and segments refer to `bytes`, which the owner of the
/// module keeps alive and unchanged.
struct Module {
  std::span<const std::byte> bytes;
  std::vector<FuncType> types;
  std::vector<Import> imports;
  std::vector<Function> functions;
  std::vector<TableType> tables;
  std::vector<MemoryType> memories;
  std::vector<Global> globals;
  std::vector<Export> exports;
  std::optional<std::uint32_t> start;
  std::vector<ElementSegment> elements;
  std::vector<DataSegment> data;
  std::optional<std::uint32_t> data_count;

  std::uint32_t imported_functions = 0;
  std::uint32_t imported_tables = 0;
  std::uint32_t imported_memories = 0;
  std::uint32_t imported_globals = 0;

  /// Functions whose reference can be taken: exported, in an element segment or a constant
  /// expression ("C.refs" of core spec 3.4.10). Sorted, without repetition. A function's place in
  /// this list is its slot in VmContext's function references.
  std::vector<std::uint32_t> referenced_functions;

  /// From the name section, where it is well formed; otherwise empty.
  std::string module_name;
  std::map<std::uint32_t, std::string> function_names;

  const FuncType& type_of(std::uint32_t function) const { return types[functions[function].type]; }
};

}  // namespace engine
