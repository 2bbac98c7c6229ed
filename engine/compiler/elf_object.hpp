// Reads the relocatable ELF64 objects that the code generator writes (gABI ch. 4): the parts that
// the linker needs, nothing else. Anything unexpected is an error: no object of ours has it.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/structure/error.hpp"

namespace engine::compiler {

struct ObjectSection {
  std::string_view name;
  std::uint32_t type = 0;
  std::uint64_t flags = 0;
  std::uint64_t alignment = 1;
  std::span<const std::byte> bytes;
  std::vector<Elf64_Rela> relocations;

  bool is_text() const { return (flags & SHF_ALLOC) && (flags & SHF_EXECINSTR); }
};

struct ObjectSymbol {
  std::string_view name;
  std::uint32_t section = 0;  ///< index into sections; 0 for undefined
  std::uint64_t value = 0;
  std::uint64_t size = 0;
  std::uint8_t type = 0;  ///< STT_*
};

/// Views into the object's bytes.
struct ElfObject {
  std::vector<ObjectSection> sections;
  std::vector<ObjectSymbol> symbols;
};

Result<ElfObject> read_object(std::span<const std::byte> bytes);

}  // namespace engine::compiler
