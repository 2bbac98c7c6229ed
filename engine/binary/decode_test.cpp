#include "engine/binary/decode.hpp"

#include <gtest/gtest.h>

#include "engine/binary/module_bytes.hpp"
#include "engine/structure/limits.hpp"

namespace engine::binary {
namespace {

std::string verdict(const Bytes& bytes) {
  const auto module = decode(bytes);
  return module ? "decoded" : module.error().message();
}
std::string verdict(std::initializer_list<Bytes> sections) { return verdict(module_of(sections)); }

// type [] -> [], one function of it
const Bytes kType = section_of(1, {1, 0x60, 0, 0});
const Bytes kFunction = section_of(3, {1, 0});

TEST(Decode, TakesAModuleWithoutSections) { EXPECT_EQ(verdict(module_of({})), "decoded"); }

TEST(Decode, RefusesAWrongMagic) {
  EXPECT_EQ(verdict(bytes_of({})), "malformed: magic header not detected (at byte 0x0)");
  EXPECT_EQ(verdict(bytes_of({0x7f, 'E', 'L', 'F', 1, 0, 0, 0})),
            "malformed: magic header not detected (at byte 0x0)");
}

TEST(Decode, RefusesAnotherVersion) {
  EXPECT_EQ(verdict(bytes_of({0, 'a', 's', 'm', 2, 0, 0, 0})),
            "malformed: unknown binary version (at byte 0x4)");
  EXPECT_EQ(verdict(bytes_of({0, 'a', 's', 'm', 1, 0})),
            "malformed: unknown binary version (at byte 0x4)");
}

TEST(Decode, SaysThatAComponentIsNone) {
  EXPECT_EQ(verdict(bytes_of({0, 'a', 's', 'm', 0x0d, 0, 1, 0})),
            "unsupported: components are not supported, only core modules (at byte 0x4)");
}

TEST(Decode, RefusesASectionLongerThanTheModule) {
  EXPECT_EQ(verdict({bytes_of({1, 2, 0})}), "malformed: length out of bounds (at byte 0xa)");
}

TEST(Decode, RefusesASectionWithBytesLeft) {
  EXPECT_EQ(verdict({section_of(1, {0, 0})}), "malformed: section size mismatch (at byte 0xb)");
}

TEST(Decode, RefusesAnUnknownSection) {
  EXPECT_EQ(verdict({section_of(13, {})}), "malformed: malformed section id 13 (at byte 0xa)");
}

TEST(Decode, RefusesASectionTwice) {
  EXPECT_EQ(verdict({section_of(1, {0}), section_of(1, {0})}),
            "malformed: unexpected content after last section (at byte 0xd)");
}

TEST(Decode, RefusesSectionsOutOfOrder) {
  EXPECT_EQ(verdict({section_of(3, {0}), section_of(1, {0})}),
            "malformed: unexpected content after last section (at byte 0xd)");
  // The data count stands before the code, in spite of its number.
  EXPECT_EQ(verdict({section_of(10, {0}), section_of(12, {0})}),
            "malformed: unexpected content after last section (at byte 0xd)");
  EXPECT_EQ(verdict({section_of(12, {0}), section_of(10, {0})}), "decoded");
}

TEST(Decode, TakesCustomSectionsAnywhereAndOften) {
  const Bytes custom = section_of(0, {1, 'x', 0xff});
  EXPECT_EQ(verdict({custom, custom, kType, custom, section_of(3, {0}), custom}), "decoded");
}

TEST(Decode, RefusesACustomSectionWithoutName) {
  EXPECT_EQ(verdict({section_of(0, {})}), "malformed: unexpected end (at byte 0xa)");
  EXPECT_EQ(verdict({section_of(0, {2, 'x'})}), "malformed: length out of bounds (at byte 0xb)");
  EXPECT_EQ(verdict({section_of(0, {1, 0xff})}),
            "malformed: malformed UTF-8 encoding (at byte 0xc)");
}

TEST(Decode, RefusesATypeThatIsNoFunctionType) {
  EXPECT_EQ(verdict({section_of(1, {1, 0x5f, 0, 0})}),
            "malformed: malformed function type (at byte 0xc)");
}

TEST(Decode, RefusesAnUnknownImportKind) {
  EXPECT_EQ(verdict({section_of(2, {1, 0, 0, 4, 0})}),
            "malformed: malformed import kind (at byte 0xe)");
}

TEST(Decode, RefusesAnImportNameThatIsNotUtf8) {
  EXPECT_EQ(verdict({section_of(2, {1, 1, 0xc0, 0, 0})}),
            "malformed: malformed UTF-8 encoding (at byte 0xd)");
}

TEST(Decode, RefusesUnknownFlagsOfLimits) {
  EXPECT_EQ(verdict({section_of(5, {1, 4, 1})}), "malformed: malformed limits flags (at byte 0xc)");
  // A table cannot be shared.
  EXPECT_EQ(verdict({section_of(4, {1, 0x70, 3, 1, 2})}),
            "malformed: malformed limits flags (at byte 0xd)");
}

TEST(Decode, RefusesATableOfNumbers) {
  EXPECT_EQ(verdict({section_of(4, {1, 0x7f, 0, 1})}),
            "malformed: malformed reference type (at byte 0xc)");
}

TEST(Decode, RefusesAnUnknownMutability) {
  EXPECT_EQ(verdict({section_of(6, {1, 0x7f, 2, 0x41, 0, 0x0b})}),
            "malformed: malformed mutability (at byte 0xd)");
}

TEST(Decode, RefusesAnInitializerThatIsNotConstant) {
  EXPECT_EQ(verdict({section_of(6, {1, 0x7f, 0, 0x41, 0, 0x45, 0x0b})}),
            "invalid: constant expression required (at byte 0xf)");
}

TEST(Decode, RefusesAnInitializerWithoutEnd) {
  EXPECT_EQ(verdict({section_of(6, {1, 0x7f, 0, 0x41, 0})}),
            "malformed: unexpected end (at byte 0xf)");
}

TEST(Decode, RefusesAnUnknownExportKind) {
  EXPECT_EQ(verdict({section_of(7, {1, 1, 'x', 4, 0})}),
            "malformed: malformed export kind (at byte 0xe)");
}

TEST(Decode, RefusesAnUnknownElementSegment) {
  EXPECT_EQ(verdict({section_of(9, {1, 8, 0})}),
            "malformed: malformed elements segment kind (at byte 0xc)");
  EXPECT_EQ(verdict({section_of(9, {1, 1, 1, 0})}),
            "malformed: malformed element kind (at byte 0xd)");
}

TEST(Decode, RefusesAnUnknownDataSegment) {
  EXPECT_EQ(verdict({section_of(11, {1, 3, 0})}),
            "malformed: malformed data segment kind (at byte 0xc)");
}

TEST(Decode, RefusesDataLongerThanItsSection) {
  EXPECT_EQ(verdict({section_of(11, {1, 1, 2, 'a'})}), "malformed: unexpected end (at byte 0xd)");
}

TEST(Decode, RefusesFunctionsWithoutBodies) {
  EXPECT_EQ(verdict({kType, kFunction}),
            "malformed: function and code section have inconsistent lengths (at byte 0x12)");
}

TEST(Decode, RefusesBodiesWithoutFunctions) {
  EXPECT_EQ(verdict({kType, code_of({0, 0x0b})}),
            "malformed: function and code section have inconsistent lengths (at byte 0x11)");
}

TEST(Decode, RefusesAnEmptyBody) {
  EXPECT_EQ(verdict({kType, kFunction, section_of(10, {1, 0})}),
            "malformed: unexpected end (at byte 0x15)");
  EXPECT_EQ(verdict({kType, kFunction, section_of(10, {1, 0, 0})}),
            "malformed: unexpected end of section or function (at byte 0x16)");
}

TEST(Decode, RefusesABodyLongerThanTheSection) {
  EXPECT_EQ(verdict({kType, kFunction, section_of(10, {1, 3, 0, 0x0b})}),
            "malformed: unexpected end (at byte 0x16)");
}

TEST(Decode, RefusesADataCountThatIsNotTheCount) {
  EXPECT_EQ(verdict({section_of(12, {1})}),
            "malformed: data count and data section have inconsistent lengths (at byte 0xb)");
  EXPECT_EQ(verdict({section_of(12, {0}), section_of(11, {1, 1, 0})}),
            "malformed: data count and data section have inconsistent lengths (at byte 0x10)");
}

TEST(Decode, CountsImportedMemoriesAmongTheMemories) {
  Bytes imports = bytes_of({2, 0xfa, 0x03, 101});  // 506 bytes, 101 imports
  for (int i = 0; i < 101; ++i) {
    for (const int value : {0, 0, 2, 0, 1}) imports.push_back(std::byte(value));
  }
  EXPECT_EQ(verdict({imports}), "limit exceeded: 101 memories, the limit is 100");
}

TEST(Decode, PutsImportsFirstInTheirIndexSpaces) {
  const Bytes bytes =
      module_of({kType, section_of(2, {2, 1, 'm', 1, 'f', 0, 0, 1, 'm', 1, 'g', 3, 0x7e, 1}),
                 kFunction, section_of(6, {1, 0x7f, 0, 0x41, 5, 0x0b}), code_of({0, 0x0b})});
  const auto module = decode(bytes);
  ASSERT_TRUE(module) << module.error().message();
  EXPECT_EQ(module->imported_functions, 1U);
  EXPECT_EQ(module->functions.size(), 2U);
  EXPECT_EQ(module->functions[0].body_size, 0U);
  EXPECT_EQ(module->functions[1].body_size, 2U);
  EXPECT_EQ(module->imported_globals, 1U);
  EXPECT_EQ(module->globals[0].type.type, ValType::I64);
  EXPECT_EQ(module->globals[1].init.front().low, 5U);
}

TEST(Decode, CollectsReferencesFromExportsGlobalsAndElements) {
  const Bytes bytes =
      module_of({kType, section_of(2, {4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
                 section_of(6, {1, 0x70, 0, 0xd2, 2, 0x0b}), section_of(7, {1, 1, 'x', 0, 3}),
                 section_of(9, {1, 3, 0, 2, 0, 3})});
  const auto module = decode(bytes);
  ASSERT_TRUE(module) << module.error().message();
  EXPECT_EQ(module->referenced_functions, (std::vector<std::uint32_t>{0, 2, 3}));
}

TEST(Decode, KeepsElementsAsExpressionsWhereOneIsMoreThanAFunction) {
  // declarative, funcref: ref.func 0, ref.null func, global.get 0
  const Bytes bytes =
      module_of({section_of(9, {1, 7, 0x70, 3, 0xd2, 0, 0x0b, 0xd0, 0x70, 0x0b, 0x23, 0, 0x0b})});
  const auto module = decode(bytes);
  ASSERT_TRUE(module) << module.error().message();
  const ElementSegment& segment = module->elements.front();
  EXPECT_TRUE(segment.functions.empty());
  ASSERT_EQ(segment.expressions.size(), 3U);
  EXPECT_EQ(segment.expressions[0].front().opcode, Opcode::RefFunc);
  EXPECT_EQ(segment.expressions[1].front().opcode, Opcode::RefNull);
  EXPECT_EQ(segment.expressions[2].front().opcode, Opcode::GlobalGet);
}

TEST(NameSection, GivesModuleAndFunctionNames) {
  const Bytes bytes = module_of(
      {section_of(0, {4, 'n', 'a', 'm', 'e', 0, 2, 1, 'm', 1, 7, 2, 0, 1, 'f', 5, 1, 'g'})});
  const auto module = decode(bytes);
  ASSERT_TRUE(module) << module.error().message();
  EXPECT_EQ(module->module_name, "m");
  EXPECT_EQ(module->function_names, (std::map<std::uint32_t, std::string>{{0, "f"}, {5, "g"}}));
}

TEST(NameSection, IsNoReasonToRefuseAModule) {
  // The second name runs beyond its subsection: the first one stays.
  const Bytes bytes =
      module_of({section_of(0, {4, 'n', 'a', 'm', 'e', 1, 7, 2, 0, 1, 'f', 5, 9, 'g'})});
  const auto module = decode(bytes);
  ASSERT_TRUE(module) << module.error().message();
  EXPECT_EQ(module->function_names, (std::map<std::uint32_t, std::string>{{0, "f"}}));
}

}  // namespace
}  // namespace engine::binary
