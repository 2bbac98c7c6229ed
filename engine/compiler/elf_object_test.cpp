// A relocatable object by hand: read, torn, and with every byte changed.
#include "engine/compiler/elf_object.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace engine::compiler {
namespace {

/// Five sections: none, .text of four bytes, its relocation, one symbol beside the null one, names.
struct SampleObject {
  Elf64_Ehdr file{};
  std::array<Elf64_Shdr, 5> sections{};
  std::array<Elf64_Sym, 2> symbols{};
  Elf64_Rela relocation{};
  std::array<char, 8> names{"\0.t\0f1"};
  std::array<std::byte, 8> text{};
};

SampleObject sample() {
  SampleObject out;
  std::memcpy(out.file.e_ident, ELFMAG, SELFMAG);
  out.file.e_type = ET_REL;
  out.file.e_machine = EM_X86_64;
  out.file.e_shentsize = sizeof(Elf64_Shdr);
  out.file.e_shoff = offsetof(SampleObject, sections);
  out.file.e_shnum = 5;
  out.file.e_shstrndx = 4;
  const auto section = [&](std::size_t index, Elf64_Word type, std::size_t offset,
                           std::size_t size) {
    out.sections[index].sh_type = type;
    out.sections[index].sh_offset = offset;
    out.sections[index].sh_size = size;
  };
  section(1, SHT_PROGBITS, offsetof(SampleObject, text), 4);
  section(2, SHT_RELA, offsetof(SampleObject, relocation), sizeof(Elf64_Rela));
  section(3, SHT_SYMTAB, offsetof(SampleObject, symbols), sizeof(out.symbols));
  section(4, SHT_STRTAB, offsetof(SampleObject, names), sizeof(out.names));
  out.sections[1].sh_name = 1;
  out.sections[1].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  out.sections[1].sh_addralign = 16;
  out.sections[2].sh_info = 1;
  out.sections[3].sh_link = 4;
  out.symbols[1].st_name = 4;
  out.symbols[1].st_shndx = 1;
  out.symbols[1].st_value = 2;
  return out;
}

std::vector<std::byte> bytes_of(const SampleObject& object) {
  std::vector<std::byte> out(sizeof(object));
  std::memcpy(out.data(), &object, sizeof(object));
  return out;
}

bool lies_inside(const void* start, std::size_t size, std::span<const std::byte> file) {
  const auto* first = static_cast<const std::byte*>(start);
  return size == 0 || (first >= file.data() && first + size <= file.data() + file.size());
}

TEST(ElfObject, HasSectionsSymbolsAndRelocations) {
  const auto file = bytes_of(sample());
  const auto object = read_object(file);
  ASSERT_TRUE(object) << object.error().message();
  ASSERT_EQ(object->sections.size(), 5U);
  EXPECT_EQ(object->sections[1].name, ".t");
  EXPECT_TRUE(object->sections[1].is_text());
  EXPECT_EQ(object->sections[1].bytes.size(), 4U);
  EXPECT_EQ(object->sections[1].relocations.size(), 1U);
  ASSERT_EQ(object->symbols.size(), 2U);
  EXPECT_EQ(object->symbols[1].name, "f1");
  EXPECT_EQ(object->symbols[1].section, 1U);
}

TEST(ElfObject, IsRefusedWhenTornAnywhereInItsTables) {
  const auto file = bytes_of(sample());
  for (std::size_t size = 0; size < offsetof(SampleObject, text) + 4; ++size) {
    const std::vector<std::byte> torn(file.begin(),
                                      file.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(read_object(torn)) << "torn at " << size;
  }
}

TEST(ElfObject, EveryChangedByteGivesViewsIntoTheFileOrAnError) {
  auto file = bytes_of(sample());
  for (std::byte& byte : file) {
    const std::byte before = byte;
    for (const int flip : {0xff, 0x80, 0x40, 0x10, 0x02, 0x01}) {
      byte = before ^ static_cast<std::byte>(flip);
      const auto object = read_object(file);
      if (!object) continue;
      for (const ObjectSection& section : object->sections) {
        EXPECT_TRUE(lies_inside(section.bytes.data(), section.bytes.size(), file));
        EXPECT_TRUE(lies_inside(section.name.data(), section.name.size(), file));
      }
      for (const ObjectSymbol& symbol : object->symbols) {
        EXPECT_TRUE(lies_inside(symbol.name.data(), symbol.name.size(), file));
        EXPECT_LT(symbol.section, object->sections.size());
      }
    }
    byte = before;
  }
}

TEST(ElfObject, OffsetsAndSizesNearTheEndOfTheNumbersDoNotWrap) {
  constexpr std::uint64_t kHuge = ~std::uint64_t{0} - 7;
  for (std::size_t index = 1; index < 5; ++index) {
    SampleObject object = sample();
    object.sections[index].sh_offset = kHuge;
    EXPECT_FALSE(read_object(bytes_of(object)));
    object = sample();
    object.sections[index].sh_size = kHuge;
    EXPECT_FALSE(read_object(bytes_of(object)));
  }
  SampleObject object = sample();
  object.file.e_shoff = kHuge;
  EXPECT_FALSE(read_object(bytes_of(object)));
}

TEST(ElfObject, IndicesOfOtherSectionsMustExist) {
  SampleObject object = sample();
  object.sections[2].sh_info = 5;
  EXPECT_FALSE(read_object(bytes_of(object)));
  object = sample();
  object.sections[3].sh_link = 5;
  EXPECT_FALSE(read_object(bytes_of(object)));
  object = sample();
  object.file.e_shstrndx = 5;
  EXPECT_FALSE(read_object(bytes_of(object)));
}

}  // namespace
}  // namespace engine::compiler
