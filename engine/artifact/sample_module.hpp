// For tests: a small module with a bit of everything, and machine code made by hand for it.
#pragma once

#include <cstring>
#include <string_view>
#include <vector>

#include "engine/artifact/compiled_code.hpp"
#include "engine/artifact/writer.hpp"
#include "engine/structure/module.hpp"

namespace engine::artifact {

inline ConstExpr i32_constant(std::uint32_t value) {
  ConstInstruction out;
  out.opcode = Opcode::I32Const;
  out.low = value;
  return {out};
}

/// Imports env.host (func), exports run (func 1) and memory; function 2 is called through the
/// table; "hello" lies at address 8.
inline Module sample_module() {
  static constexpr std::string_view kBytes = "hello, world";
  Module out;
  out.bytes = std::as_bytes(std::span(kBytes));
  out.types = {{{ValType::I32}, {ValType::I32}}, {{}, {}}};
  out.imports = {{"env", "host", ExternKind::Func, 0}};
  out.functions = {{0, 0, 0}, {0, 0, 0}, {1, 0, 0}};
  out.imported_functions = 1;
  out.tables = {{ValType::FuncRef, {4, 8}}};
  out.memories = {{{1, 3}}};
  out.globals = {{{ValType::I32, true}, i32_constant(7)}};
  out.exports = {{"run", ExternKind::Func, 1},
                 {"memory", ExternKind::Memory, 0},
                 {"global", ExternKind::Global, 0},
                 {"table", ExternKind::Table, 0}};
  ElementSegment element;
  element.offset = i32_constant(1);
  element.functions = {1, kNullFunction, 2};
  out.elements = {element};
  DataSegment hello;
  hello.offset = i32_constant(8);
  hello.data_size = 5;
  DataSegment passive;
  passive.mode = SegmentMode::Passive;
  passive.data_offset = 7;
  passive.data_size = 5;
  out.data = {hello, passive};
  out.referenced_functions = {1, 2};
  out.module_name = "sample";
  out.function_names = {{1, "run"}, {2, "bad\nname"}};
  return out;
}

/// Appends code, each piece at a multiple of 16.
class HandAssembler {
 public:
  CodeRange add(std::initializer_list<int> bytes) {
    while (text_.size() % 16 != 0) text_.push_back(std::byte{0xcc});
    const CodeRange out{static_cast<std::uint32_t>(text_.size()),
                        static_cast<std::uint32_t>(bytes.size())};
    for (const int byte : bytes) text_.push_back(static_cast<std::byte>(byte));
    return out;
  }
  std::vector<std::byte> text() const { return text_; }

 private:
  std::vector<std::byte> text_;
};

/// Every function returns at once.
inline CompiledCode sample_code() {
  CompiledCode out;
  HandAssembler code;
  const CodeRange ret = code.add({0xc3});
  out.functions = {ret, code.add({0x90, 0xc3})};
  out.entry_trampolines = {code.add({0xc3}), code.add({0xc3})};
  out.host_trampolines = {code.add({0xc3}), {}};
  out.text = code.text();
  out.rodata = std::vector<std::byte>(100, std::byte{0x5a});
  out.rodata_offset = 8192;
  out.positions = {{0, 0x100}, {16, 0x200}, {17, 0x201}};
  // At 17 function 1 was inlined into function 2, and 2 into 1.
  out.inlined = {{17, 1}, {18, kNoSite}};
  out.sites = {{1, 0x300, kNoSite}, {2, 0x400, 0}};
  out.target_cpu = "x86-64";
  return out;
}

inline ArtifactKey sample_key() {
  ArtifactKey out;
  out.module_digest = base::sha256(sample_module().bytes);
  out.compiler = "sample 1.0";
  out.options = "by hand";
  return out;
}

}  // namespace engine::artifact
