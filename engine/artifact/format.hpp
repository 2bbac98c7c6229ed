// The records of an artifact as they lie in the file: docs/formats/artifact.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/sha256.hpp"

namespace engine::artifact {

inline constexpr std::array<char, 8> kMagic{'W', 'h', 'e', 'r', 'r', 'y', 'A', 'O'};
inline constexpr std::uint32_t kFormatVersion = 4;
/// Counts up with every change of engine/artifact/vm_layout.hpp or of the trap instruction.
inline constexpr std::uint32_t kAbiVersion = 2;

inline constexpr std::uint64_t kHeaderOffset = 64;
inline constexpr std::uint64_t kMetadataOffset = 1024;
inline constexpr std::uint64_t kPage = 4096;
inline constexpr std::uint64_t kMaxFileSize = std::uint64_t{4} << 30;
inline constexpr std::uint64_t kMaxTextSize = std::uint64_t{2} << 30;
inline constexpr std::uint32_t kNone = 0xffffffff;

enum class Part : std::uint8_t {
  Metadata,
  Image,
  Text,
  Rodata,
  Data,
  Positions,
  Inlined,
  Sites,
  Symbols,
  Strings,
  Elf,
};
inline constexpr std::size_t kParts = 11;

struct PartRecord {
  std::uint64_t offset;
  std::uint64_t size;
  base::Sha256 digest;
};

struct Header {
  std::array<char, 8> magic;
  std::uint32_t format_version;
  std::uint32_t abi_version;
  base::Sha256 module_digest;
  base::Sha256 key;
  std::uint64_t cpu_features;
  std::array<char, 32> target_cpu;
  std::array<char, 96> compiler;
  std::uint64_t bytes_o2;
  std::uint64_t bytes_o1;
  std::uint64_t file_size;
  std::array<PartRecord, kParts> parts;
  base::Sha256 authentication;
};
static_assert(sizeof(Header) == 800 && kHeaderOffset + sizeof(Header) <= kMetadataOffset);

/// A part of an array of the metadata, in elements; of bytes for texts.
struct Slice {
  std::uint32_t first;
  std::uint32_t count;
};

struct FlatCode {
  std::uint32_t offset;  ///< in the text
  std::uint32_t size;    ///< 0: there is none
};

struct FlatType {
  std::uint32_t first;  ///< in `val_types`: the parameters, then the results
  std::uint16_t params;
  std::uint16_t results;
  FlatCode entry_trampoline;
  FlatCode host_trampoline;
};

struct FlatImport {
  Slice module;  ///< in `texts`
  Slice name;
  std::uint32_t kind;   ///< ExternKind
  std::uint32_t index;  ///< in the index space of its kind
};

struct FlatExport {
  Slice name;
  std::uint32_t kind;
  std::uint32_t index;
};

struct FlatFunction {
  std::uint32_t type;
  FlatCode code;  ///< empty for imports
};

struct FlatLimits {
  std::uint64_t min;
  std::uint64_t max;  ///< UINT64_MAX: none
};

struct FlatTable {
  FlatLimits limits;
  std::uint32_t element;  ///< ValType
  std::uint32_t reserved;
};

struct FlatMemory {
  FlatLimits limits;
  std::uint64_t image_at;      ///< address in the memory, a multiple of kPage
  std::uint64_t image_size;    ///< 0: no image; a multiple of kPage
  std::uint64_t image_offset;  ///< in the image part
  std::uint32_t is_shared;     ///< 0 or 1; then it has a maximum
  std::uint32_t reserved;
};

struct FlatGlobal {
  std::uint32_t type;  ///< ValType
  std::uint32_t is_mutable;
  Slice init;  ///< in `constants`; empty for imports
};

enum class ConstOp : std::uint32_t {
  Value,
  RefFunc,
  GlobalGet,
  Add32,
  Sub32,
  Mul32,
  Add64,
  Sub64,
  Mul64
};

/// One step of a constant expression; ref.null is the value 0.
struct FlatConstant {
  ConstOp op;
  std::uint32_t index;  ///< RefFunc: slot in `references`; GlobalGet: global
  std::uint64_t low;
  std::uint64_t high;
};

/// Item k is `item_slots[items.first + k]`, a slot in `references` or kNone for null, unless
/// `by_expression`: then it is the value of `item_expressions[items.first + k]`.
struct FlatElement {
  std::uint32_t mode;  ///< SegmentMode
  std::uint32_t table;
  std::uint32_t type;  ///< ValType
  std::uint32_t by_expression;
  Slice offset;  ///< in `constants`
  Slice items;
};

/// Segments that the image holds have no record: they are dropped before any code could ask for
/// them, and there are programs with a hundred thousand.
struct FlatData {
  std::uint32_t mode;  ///< SegmentMode
  std::uint32_t memory;
  Slice offset;           ///< in `constants`
  std::uint32_t segment;  ///< index in the module; records are in this order
  std::uint32_t size;
  std::uint64_t data_offset;  ///< in the data part
};

struct FlatPosition {
  std::uint32_t text_offset;
  std::uint32_t module_offset;
};

struct FlatInlined {
  std::uint32_t text_offset;
  std::uint32_t site;  ///< kNone: nothing is inlined
};

struct FlatSite {
  std::uint32_t function;
  std::uint32_t module_offset;  ///< of the call
  std::uint32_t site;           ///< that the call lies in: an earlier one, or kNone
};

/// An array of the metadata: `offset` in bytes from the part's start, a multiple of 8.
struct Array {
  std::uint32_t offset;
  std::uint32_t count;
};

struct MetadataHeader {
  Array types;
  Array val_types;  ///< bytes
  Array imports;
  Array functions;
  Array tables;
  Array memories;
  Array globals;
  Array exports;
  Array elements;
  Array item_slots;        ///< std::uint32_t
  Array item_expressions;  ///< Slice of `constants`
  Array data;
  Array constants;
  Array references;  ///< std::uint32_t: Module::referenced_functions
  Array texts;       ///< bytes
  std::uint32_t imported_functions;
  std::uint32_t imported_tables;
  std::uint32_t imported_memories;
  std::uint32_t imported_globals;
  std::uint32_t start;  ///< function, or kNone
  std::uint32_t reserved;
  Slice module_name;
};

template <typename T>
concept Record = std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>;
static_assert(Record<PartRecord> && Record<Header> && Record<FlatType> && Record<FlatImport> &&
              Record<FlatExport> && Record<FlatFunction> && Record<FlatTable> &&
              Record<FlatMemory> && Record<FlatGlobal> && Record<FlatConstant> &&
              Record<FlatElement> && Record<FlatData> && Record<FlatPosition> &&
              Record<FlatInlined> && Record<FlatSite> && Record<MetadataHeader>);

}  // namespace engine::artifact
