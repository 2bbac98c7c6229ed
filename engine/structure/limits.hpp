// The most of everything that the engine takes: the implementation limits that the JavaScript API
// specification names, so that a module accepted by browsers is accepted here. Reaching one is an
// error of kind LimitExceeded, checked before anything is allocated.
#pragma once

#include <cstdint>

namespace engine {

inline constexpr std::uint64_t kMaxModuleSize = std::uint64_t{1} << 30;
inline constexpr std::uint32_t kMaxTypes = 1'000'000;
inline constexpr std::uint32_t kMaxFunctions = 1'000'000;
inline constexpr std::uint32_t kMaxImports = 1'000'000;
inline constexpr std::uint32_t kMaxExports = 1'000'000;
inline constexpr std::uint32_t kMaxGlobals = 1'000'000;
inline constexpr std::uint32_t kMaxDataSegments = 100'000;
inline constexpr std::uint32_t kMaxElementSegments = 10'000'000;
inline constexpr std::uint32_t kMaxTables = 100'000;
inline constexpr std::uint32_t kMaxMemories = 100;
inline constexpr std::uint32_t kMaxTableSize = 10'000'000;
inline constexpr std::uint32_t kMaxElements = 10'000'000;
inline constexpr std::uint32_t kMaxBodySize = 7'654'321;
inline constexpr std::uint32_t kMaxParams = 1'000;
inline constexpr std::uint32_t kMaxFunctionResults = 1'000;
inline constexpr std::uint32_t kMaxLocals = 50'000;
inline constexpr std::uint32_t kMaxLabels = 65'520;  ///< targets of one br_table
inline constexpr std::uint32_t kMaxNameLength = 100'000;
inline constexpr std::uint32_t kMaxConstExpr = 1'000;  ///< instructions of a constant expression

// Operands that checking the types of blocks, branches, calls and returns may look at. A hostile
// body asks for 1,000 with each two bytes; what compilers make looks at 0.03 for a byte.
inline constexpr std::uint64_t kTypedOperandsPerByte = 8;       ///< of the module
inline constexpr std::uint64_t kTypedOperandsBase = 1'000'000;  ///< and for any module

}  // namespace engine
