// What is not in a body: types, imports, limits, globals, segments, exports, the start function
// (core spec 3.2, 3.4).
#include "engine/validation/validate.hpp"

#include <string_view>
#include <unordered_set>

#include "engine/structure/limits.hpp"

namespace engine::validation {
namespace {

std::unexpected<Error> invalid(std::string text) {
  return fail(ErrorKind::Invalid, std::move(text));
}

std::unexpected<Error> unknown(std::string_view what, std::uint64_t index) {
  return invalid("unknown " + std::string(what) + " " + std::to_string(index));
}

Result<void> check_limits(const Limits& limits) {
  if (limits.max && *limits.max < limits.min) {
    return invalid("size minimum must not be greater than maximum");
  }
  return {};
}

Result<void> check_memory(const MemoryType& type, const Features& features) {
  if (type.is_shared && !features.threads) {
    return fail(ErrorKind::Unsupported, "shared memory: threads are switched off");
  }
  if (type.limits.min > kMaxMemoryPages || type.limits.max.value_or(0) > kMaxMemoryPages) {
    return invalid("memory size must be at most 65536 pages (4GiB)");
  }
  if (type.is_shared && !type.limits.max) return invalid("shared memory must have maximum");
  return check_limits(type.limits);
}

/// The type of what `instruction` pushes; global.get sees the globals below `globals`.
Result<ValType> type_of_operand(const Module& module, const ConstInstruction& instruction,
                                std::size_t globals) {
  switch (instruction.opcode) {
    case Opcode::I32Const:
      return ValType::I32;
    case Opcode::I64Const:
      return ValType::I64;
    case Opcode::F32Const:
      return ValType::F32;
    case Opcode::F64Const:
      return ValType::F64;
    case Opcode::V128Const:
      return ValType::V128;
    case Opcode::RefNull:
      return instruction.ref_type;
    case Opcode::RefFunc:
      if (instruction.index >= module.functions.size()) {
        return unknown("function", instruction.index);
      }
      return ValType::FuncRef;
    default:
      break;
  }
  if (instruction.index >= globals) return unknown("global", instruction.index);
  const GlobalType& type = module.globals[instruction.index].type;
  if (type.is_mutable) return invalid("constant expression required");
  return type.type;
}

Result<void> check_const_expr(const Module& module, const ConstExpr& expression, ValType expected,
                              std::size_t globals) {
  std::vector<ValType> stack;
  for (const ConstInstruction& instruction : expression) {
    const std::string_view signature = info(instruction.opcode).signature;
    const bool is_binary = signature == "ii:i" || signature == "ll:l";
    if (!is_binary) {
      stack.push_back(TRY(type_of_operand(module, instruction, globals)));
      continue;
    }
    const ValType type = signature == "ii:i" ? ValType::I32 : ValType::I64;
    if (stack.size() < 2 || stack.back() != type || stack[stack.size() - 2] != type) {
      return invalid("type mismatch");
    }
    stack.pop_back();
  }
  if (stack.size() != 1 || stack.front() != expected) return invalid("type mismatch");
  return {};
}

Result<void> check_functions(const Module& module) {
  for (const Function& function : module.functions) {
    if (function.type >= module.types.size()) return unknown("type", function.type);
  }
  return {};
}

Result<void> check_globals(const Module& module) {
  for (std::size_t i = module.imported_globals; i < module.globals.size(); ++i) {
    // Earlier immutable globals may be read, imported or not (extended const).
    const Global& global = module.globals[i];
    TRY(check_const_expr(module, global.init, global.type.type, i));
  }
  return {};
}

Result<void> check_element_segment(const Module& module, const ElementSegment& segment) {
  if (segment.mode == SegmentMode::Active) {
    if (segment.table >= module.tables.size()) return unknown("table", segment.table);
    if (module.tables[segment.table].element != segment.type) return invalid("type mismatch");
    TRY(check_const_expr(module, segment.offset, ValType::I32, module.globals.size()));
  }
  for (const std::uint32_t function : segment.functions) {
    if (function != kNullFunction && function >= module.functions.size()) {
      return unknown("function", function);
    }
  }
  for (const ConstExpr& expression : segment.expressions) {
    TRY(check_const_expr(module, expression, segment.type, module.globals.size()));
  }
  return {};
}

Result<void> check_data_segment(const Module& module, const DataSegment& segment) {
  if (segment.mode != SegmentMode::Active) return {};
  if (segment.memory >= module.memories.size()) return unknown("memory", segment.memory);
  return check_const_expr(module, segment.offset, ValType::I32, module.globals.size());
}

Result<void> check_exports(const Module& module) {
  std::unordered_set<std::string_view> names;
  for (const Export& item : module.exports) {
    if (!names.insert(item.name).second) {
      return invalid("duplicate export name \"" + item.name + "\"");
    }
    switch (item.kind) {
      case ExternKind::Func:
        if (item.index >= module.functions.size()) return unknown("function", item.index);
        break;
      case ExternKind::Table:
        if (item.index >= module.tables.size()) return unknown("table", item.index);
        break;
      case ExternKind::Memory:
        if (item.index >= module.memories.size()) return unknown("memory", item.index);
        break;
      case ExternKind::Global:
        if (item.index >= module.globals.size()) return unknown("global", item.index);
        break;
    }
  }
  return {};
}

Result<void> check_start(const Module& module) {
  if (!module.start) return {};
  if (*module.start >= module.functions.size()) return unknown("function", *module.start);
  const FuncType& type = module.type_of(*module.start);
  if (!type.params.empty() || !type.results.empty()) return invalid("start function");
  return {};
}

}  // namespace

Result<void> validate(const Module& module, const Features& features) {
  TRY(check_functions(module));
  for (const TableType& table : module.tables) TRY(check_limits(table.limits));
  for (const MemoryType& memory : module.memories) TRY(check_memory(memory, features));
  TRY(check_globals(module));
  for (const ElementSegment& segment : module.elements) {
    TRY(check_element_segment(module, segment));
  }
  for (const DataSegment& segment : module.data) TRY(check_data_segment(module, segment));
  TRY(check_exports(module));
  TRY(check_start(module));
  std::uint64_t typed_operands =
      kTypedOperandsBase + kTypedOperandsPerByte * std::uint64_t{module.bytes.size()};
  for (auto i = module.imported_functions; i < module.functions.size(); ++i) {
    TRY(validate_function(module, i, features, typed_operands));
  }
  return {};
}

}  // namespace engine::validation
