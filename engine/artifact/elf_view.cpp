// ELF64 tables (System V ABI, gABI chapter 4) over the parts of an artifact.
#include "engine/artifact/elf_view.hpp"

#include <cstring>
#include <string>
#include <string_view>

namespace engine::artifact {
namespace {

template <typename T>
void append(std::vector<std::byte>& out, const T& record) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&record);
  out.insert(out.end(), bytes, bytes + sizeof(T));
}

void append_text(std::vector<std::byte>& out, std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  out.insert(out.end(), bytes, bytes + text.size());
  out.push_back(std::byte{0});
}

/// Names of guests go to terminals and tools: control characters become '?'.
std::string symbol_name(const Module& module, std::uint32_t function) {
  const auto named = module.function_names.find(function);
  if (named == module.function_names.end() || named->second.empty()) {
    return "wasm-function[" + std::to_string(function) + "]";
  }
  std::string out = named->second;
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

struct Section {
  std::string_view name;
  Part part;
  std::uint32_t type;
  std::uint64_t flags;
};

constexpr std::uint32_t kTextSection = 3;
constexpr std::uint32_t kStringsSection = 10;
constexpr std::uint32_t kSectionNames = 11;
constexpr std::array kSections{
    Section{".wasm.meta", Part::Metadata, SHT_PROGBITS, SHF_ALLOC},
    Section{".wasm.image", Part::Image, SHT_PROGBITS, SHF_ALLOC},
    Section{".text", Part::Text, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR},
    Section{".rodata", Part::Rodata, SHT_PROGBITS, SHF_ALLOC},
    Section{".wasm.data", Part::Data, SHT_PROGBITS, SHF_ALLOC},
    Section{".wasm.positions", Part::Positions, SHT_PROGBITS, SHF_ALLOC},
    Section{".wasm.inlined", Part::Inlined, SHT_PROGBITS, SHF_ALLOC},
    Section{".wasm.sites", Part::Sites, SHT_PROGBITS, SHF_ALLOC},
    Section{".symtab", Part::Symbols, SHT_SYMTAB, 0},
    Section{".strtab", Part::Strings, SHT_STRTAB, 0},
};

Elf64_Shdr section_header(const Section& section, const PartRecord& part, std::size_t name) {
  Elf64_Shdr out{};
  out.sh_name = static_cast<Elf64_Word>(name);
  out.sh_type = section.type;
  out.sh_flags = section.flags;
  out.sh_addr = (section.flags & SHF_ALLOC) != 0 ? part.offset : 0;
  out.sh_offset = part.offset;
  out.sh_size = part.size;
  out.sh_addralign = part.offset % kPage == 0 ? kPage : 8;
  if (section.type == SHT_SYMTAB) {
    out.sh_link = kStringsSection;
    out.sh_info = 1;
    out.sh_entsize = sizeof(Elf64_Sym);
  }
  return out;
}

}  // namespace

SymbolTables write_symbols(const Module& module, const CompiledCode& code,
                           std::uint64_t text_offset) {
  SymbolTables out;
  append(out.symbols, Elf64_Sym{});
  out.strings.push_back(std::byte{0});
  const auto add = [&](const std::string& name, const CodeRange& range) {
    Elf64_Sym symbol{};
    symbol.st_name = static_cast<Elf64_Word>(out.strings.size());
    symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    symbol.st_shndx = kTextSection;
    symbol.st_value = text_offset + range.offset;
    symbol.st_size = range.size;
    append(out.symbols, symbol);
    append_text(out.strings, name);
  };
  for (std::size_t k = 0; k < code.functions.size(); ++k) {
    const auto function = static_cast<std::uint32_t>(module.imported_functions + k);
    add(symbol_name(module, function), code.functions[k]);
  }
  const auto add_trampolines = [&](const std::vector<CodeRange>& all, const std::string& prefix) {
    for (std::size_t type = 0; type < all.size(); ++type) {
      if (all[type].size != 0) add(prefix + "[" + std::to_string(type) + "]", all[type]);
    }
  };
  add_trampolines(code.entry_trampolines, "wherry-entry");
  add_trampolines(code.host_trampolines, "wherry-host-call");
  return out;
}

std::vector<std::byte> write_elf_tables(const std::array<PartRecord, kParts>& parts,
                                        std::uint64_t offset, Elf64_Ehdr& header) {
  std::vector<std::byte> names{std::byte{0}};
  std::vector<Elf64_Shdr> sections(1);
  for (const Section& section : kSections) {
    const PartRecord& part = parts[static_cast<std::size_t>(section.part)];
    sections.push_back(section_header(section, part, names.size()));
    append_text(names, section.name);
  }
  const PartRecord& text = parts[static_cast<std::size_t>(Part::Text)];
  Elf64_Phdr whole{PT_LOAD, PF_R, 0, 0, 0, text.offset, text.offset, kPage};
  Elf64_Phdr code{PT_LOAD,     PF_R | PF_X, text.offset, text.offset,
                  text.offset, text.size,   text.size,   kPage};

  std::vector<std::byte> out;
  append(out, whole);
  append(out, code);
  header.e_phoff = offset;
  header.e_phnum = 2;
  header.e_phentsize = sizeof(Elf64_Phdr);

  Elf64_Shdr names_section{};
  names_section.sh_name = static_cast<Elf64_Word>(names.size());
  append_text(names, ".shstrtab");
  names_section.sh_type = SHT_STRTAB;
  names_section.sh_offset = offset + out.size();
  names_section.sh_size = names.size();
  names_section.sh_addralign = 1;
  sections.push_back(names_section);
  out.insert(out.end(), names.begin(), names.end());
  out.resize((out.size() + 7) / 8 * 8);

  header.e_shoff = offset + out.size();
  header.e_shnum = static_cast<Elf64_Half>(sections.size());
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shstrndx = kSectionNames;
  for (const Elf64_Shdr& section : sections) append(out, section);
  return out;
}

}  // namespace engine::artifact
