// The opcode table, and its inverse built at compile time.
#include "engine/structure/opcode.hpp"

#include <array>

namespace engine {
namespace {

// to_array: the deduction of std::array folds over the types, too deep for clang.
constexpr auto kInfos = std::to_array<OpcodeInfo>({
#define OPCODE(name, prefix, code, text, immediate, signature, access) \
  {text, signature, prefix, code, Immediate::immediate, access},
#include "engine/structure/opcode.def"
#undef OPCODE
});

constexpr std::uint16_t kNone = 0xffff;
constexpr std::uint8_t kNumericPrefix = 0xfc;
constexpr std::uint8_t kVectorPrefix = 0xfd;
constexpr std::uint8_t kAtomicPrefix = 0xfe;

constexpr std::array<std::uint16_t, 256> inverse_of(std::uint8_t prefix) {
  std::array<std::uint16_t, 256> out{};
  out.fill(kNone);
  for (std::size_t i = 0; i < kInfos.size(); ++i) {
    if (kInfos[i].prefix == prefix) out[kInfos[i].code] = static_cast<std::uint16_t>(i);
  }
  return out;
}

constexpr auto kPlain = inverse_of(0);
constexpr auto kNumeric = inverse_of(kNumericPrefix);
constexpr auto kVector = inverse_of(kVectorPrefix);
constexpr auto kAtomic = inverse_of(kAtomicPrefix);

}  // namespace

const OpcodeInfo& info(Opcode opcode) { return kInfos[static_cast<std::size_t>(opcode)]; }

std::optional<Opcode> find_opcode(std::uint8_t prefix, std::uint32_t code) {
  const auto* table = &kPlain;
  if (prefix == kNumericPrefix) table = &kNumeric;
  if (prefix == kVectorPrefix) table = &kVector;
  if (prefix == kAtomicPrefix) table = &kAtomic;
  if (code >= table->size() || (*table)[code] == kNone) return std::nullopt;
  return static_cast<Opcode>((*table)[code]);
}

}  // namespace engine
