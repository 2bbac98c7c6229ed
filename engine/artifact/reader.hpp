// Reading an artifact: the file's structure checked once, then spans into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/mapping.hpp"
#include "base/result.hpp"
#include "engine/artifact/format.hpp"
#include "engine/artifact/vm_layout.hpp"

namespace engine::artifact {

/// A function that was active, and where it was: kNone when that is unknown.
struct CodeFrame {
  std::uint32_t function = kNone;
  std::uint32_t module_offset = kNone;
  friend bool operator==(const CodeFrame&, const CodeFrame&) = default;
};

/// Spans into bytes that outlive it. Everything that is reached through the metadata has been
/// checked: indices, slices and code ranges lie inside. Not checked: that constant expressions are
/// well typed, the order of positions, symbols, and of course the text. Sites are checked when they
/// are followed: a start touches none of them.
class Artifact {
 public:
  /// `file` must be aligned to 8 bytes. Invalid for a file that is torn or no artifact, Unsupported
  /// for one of another version. Does not ask for the CPU.
  static base::Result<Artifact> parse(std::span<const std::byte> file);

  const Header& header() const { return *header_; }
  std::string_view target_cpu() const;
  std::string_view compiler() const;

  std::span<const std::byte> part(Part part) const;
  const MetadataHeader& metadata() const { return *metadata_; }

  std::span<const FlatType> types() const { return array<FlatType>(metadata_->types); }
  std::span<const FlatImport> imports() const { return array<FlatImport>(metadata_->imports); }
  /// Imported functions first, as in all index spaces.
  std::span<const FlatFunction> functions() const {
    return array<FlatFunction>(metadata_->functions);
  }
  std::span<const FlatTable> tables() const { return array<FlatTable>(metadata_->tables); }
  std::span<const FlatMemory> memories() const { return array<FlatMemory>(metadata_->memories); }
  std::span<const FlatGlobal> globals() const { return array<FlatGlobal>(metadata_->globals); }
  std::span<const FlatExport> exports() const { return array<FlatExport>(metadata_->exports); }
  std::span<const FlatElement> elements() const { return array<FlatElement>(metadata_->elements); }
  std::span<const FlatData> data() const { return array<FlatData>(metadata_->data); }
  std::span<const std::uint32_t> references() const {
    return array<std::uint32_t>(metadata_->references);
  }

  /// ValType bytes.
  std::span<const std::uint8_t> params(const FlatType& type) const;
  std::span<const std::uint8_t> results(const FlatType& type) const;
  std::span<const FlatConstant> constants(Slice slice) const;
  std::span<const std::uint32_t> item_slots(const FlatElement& element) const;
  std::span<const Slice> item_expressions(const FlatElement& element) const;
  std::string_view text(Slice slice) const;
  std::span<const std::byte> bytes(const FlatData& data) const;
  /// The place in data() of a segment of the module; kNone when the image holds it.
  std::uint32_t find_data(std::uint32_t segment) const;

  ContextCounts context_counts() const;

  /// Own function whose code contains the text offset, as index in the function index space; kNone
  /// for trampolines and offsets outside.
  std::uint32_t function_at(std::uint64_t text_offset) const;
  /// From the name section or "wasm-function[index]"; empty for imports.
  std::string_view function_name(std::uint32_t function) const;
  /// Where the instruction that contains or ends at `text_offset` came from; kNone when unknown.
  std::uint32_t module_offset(std::uint64_t text_offset) const;
  /// The functions that the place stands for, innermost first: those that were inlined there, then
  /// the one whose code it is. Empty for trampolines and offsets outside. A site that is none ends
  /// the inlined ones.
  std::vector<CodeFrame> frames_at(std::uint64_t text_offset) const;

 private:
  Artifact() = default;

  std::uint32_t site_at(std::uint64_t text_offset) const;

  template <typename T>
  std::span<const T> array(Array where) const {
    // Safety: parse() has checked that the array lies in the metadata and is aligned to 8 bytes.
    return {reinterpret_cast<const T*>(part(Part::Metadata).data() + where.offset), where.count};
  }

  std::span<const std::byte> file_;
  const Header* header_ = nullptr;
  const MetadataHeader* metadata_ = nullptr;
};

/// The bytes that the authentication field covers, and the field; `file` as for parse, which must
/// have accepted it.
std::span<const std::byte> authenticated_bytes(std::span<const std::byte> file);
base::Sha256 authentication(std::span<const std::byte> file);
/// Writes the field into a file that write_artifact has made.
void set_authentication(std::span<std::byte> file, const base::Sha256& value);

/// Invalid when the part's bytes are not those of its digest in the header.
base::Result<void> verify_part(const Artifact& artifact, Part part);

/// Unsupported, with the names of what is missing, when this CPU cannot run the text.
base::Result<void> check_cpu(const Artifact& artifact);

}  // namespace engine::artifact
