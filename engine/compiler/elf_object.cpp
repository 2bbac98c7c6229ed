// See elf_object.hpp.
#include "engine/compiler/elf_object.hpp"

#include <cstring>
#include <string>

#include "base/result.hpp"

namespace engine::compiler {
namespace {

std::unexpected<Error> broken(std::string_view what) {
  return fail(ErrorKind::System, "internal: object: " + std::string(what));
}

bool holds(std::span<const std::byte> bytes, std::uint64_t offset, std::uint64_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

template <typename T>
Result<std::vector<T>> read_table(std::span<const std::byte> bytes, std::uint64_t offset,
                                  std::uint64_t count) {
  if (count > bytes.size() / sizeof(T) || !holds(bytes, offset, count * sizeof(T))) {
    return broken("table outside the file");
  }
  std::vector<T> out(count);
  if (count > 0) std::memcpy(out.data(), bytes.data() + offset, count * sizeof(T));
  return out;
}

Result<std::string_view> read_name(std::span<const std::byte> strings, std::uint64_t offset) {
  if (offset >= strings.size()) return broken("name outside the string table");
  // Safety: char may alias anything; the range lies in `strings`.
  const char* start = reinterpret_cast<const char*>(strings.data()) + offset;
  const std::size_t length = strnlen(start, strings.size() - offset);
  return std::string_view(start, length);
}

Result<std::span<const std::byte>> section_bytes(std::span<const std::byte> file,
                                                 const Elf64_Shdr& header) {
  if (header.sh_type == SHT_NOBITS || header.sh_type == SHT_NULL) return file.subspan(0, 0);
  if (!holds(file, header.sh_offset, header.sh_size)) return broken("section outside the file");
  return file.subspan(header.sh_offset, header.sh_size);
}

Result<void> read_symbols(std::span<const std::byte> file, std::span<const Elf64_Shdr> headers,
                          const Elf64_Shdr& table, ElfObject& out) {
  if (table.sh_link >= headers.size()) return broken("symbol table without names");
  const auto strings = TRY(section_bytes(file, headers[table.sh_link]));
  const auto symbols =
      TRY(read_table<Elf64_Sym>(file, table.sh_offset, table.sh_size / sizeof(Elf64_Sym)));
  for (const Elf64_Sym& symbol : symbols) {
    ObjectSymbol& entry = out.symbols.emplace_back();
    entry.name = TRY(read_name(strings, symbol.st_name));
    entry.value = symbol.st_value;
    entry.size = symbol.st_size;
    entry.type = ELF64_ST_TYPE(symbol.st_info);
    if (symbol.st_shndx < headers.size()) entry.section = symbol.st_shndx;
  }
  return {};
}

}  // namespace

Result<ElfObject> read_object(std::span<const std::byte> bytes) {
  const auto file_header = TRY(read_table<Elf64_Ehdr>(bytes, 0, 1))[0];
  if (std::memcmp(file_header.e_ident, ELFMAG, SELFMAG) != 0 || file_header.e_type != ET_REL ||
      file_header.e_machine != EM_X86_64 || file_header.e_shentsize != sizeof(Elf64_Shdr)) {
    return broken("no x86-64 relocatable object");
  }
  // Above 65279 sections the count is elsewhere; chunks are far smaller.
  if (file_header.e_shnum == 0) return broken("no sections");
  const auto headers = TRY(read_table<Elf64_Shdr>(bytes, file_header.e_shoff, file_header.e_shnum));
  if (file_header.e_shstrndx >= headers.size()) return broken("no section names");
  const auto names = TRY(section_bytes(bytes, headers[file_header.e_shstrndx]));
  ElfObject out;
  out.sections.resize(headers.size());
  for (std::size_t i = 0; i < headers.size(); ++i) {
    ObjectSection& section = out.sections[i];
    section.name = TRY(read_name(names, headers[i].sh_name));
    section.type = headers[i].sh_type;
    section.flags = headers[i].sh_flags;
    section.alignment = std::max<std::uint64_t>(headers[i].sh_addralign, 1);
    section.bytes = TRY(section_bytes(bytes, headers[i]));
    if (headers[i].sh_type == SHT_SYMTAB) TRY(read_symbols(bytes, headers, headers[i], out));
  }
  for (const Elf64_Shdr& header : headers) {
    if (header.sh_type == SHT_REL) return broken("relocations without addends");
    if (header.sh_type != SHT_RELA) continue;
    if (header.sh_info >= out.sections.size()) return broken("relocations for no section");
    out.sections[header.sh_info].relocations =
        TRY(read_table<Elf64_Rela>(bytes, header.sh_offset, header.sh_size / sizeof(Elf64_Rela)));
  }
  return out;
}

}  // namespace engine::compiler
