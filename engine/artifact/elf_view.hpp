// The ELF side of an artifact, for objdump, perf and gdb; nothing of it is read to run a module.
#pragma once

#include <elf.h>

#include <array>
#include <cstddef>
#include <vector>

#include "engine/artifact/compiled_code.hpp"
#include "engine/artifact/format.hpp"
#include "engine/structure/module.hpp"

namespace engine::artifact {

struct SymbolTables {
  std::vector<std::byte> symbols;
  std::vector<std::byte> strings;
};

/// `text_offset` is the text's place in the file, which is its virtual address.
SymbolTables write_symbols(const Module& module, const CompiledCode& code,
                           std::uint64_t text_offset);

/// Program headers, section headers and their names, to lie at `offset` in the file; sets what the
/// ELF header says of them.
std::vector<std::byte> write_elf_tables(const std::array<PartRecord, kParts>& parts,
                                        std::uint64_t offset, Elf64_Ehdr& header);

}  // namespace engine::artifact
