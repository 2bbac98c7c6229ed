// Spans into an artifact, once structure_check has found it sound.
#include "engine/artifact/reader.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "engine/artifact/cpu.hpp"
#include "engine/artifact/structure_check.hpp"

namespace engine::artifact {
namespace {

template <std::size_t kSize>
std::string_view padded_text(const std::array<char, kSize>& text) {
  return {text.data(), ::strnlen(text.data(), kSize)};
}

std::string_view bytes_as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A part as an array of T; what does not fill a T at the end is left out.
template <typename T>
std::span<const T> records(std::span<const std::byte> part) {
  // Safety: parts are aligned to 8 bytes (structure_check).
  return {reinterpret_cast<const T*>(part.data()), part.size() / sizeof(T)};
}

/// The entry that holds at the offset, in a table sorted by text_offset.
template <typename T>
const T* last_before(std::span<const T> table, std::uint64_t text_offset) {
  const auto after = std::upper_bound(
      table.begin(), table.end(), text_offset,
      [](std::uint64_t offset, const T& entry) { return offset < entry.text_offset; });
  return after == table.begin() ? nullptr : &*std::prev(after);
}

/// The first bytes of a module are no instruction: 0 says that the optimizer lost the origin.
constexpr std::uint32_t known_offset(std::uint32_t offset) { return offset == 0 ? kNone : offset; }

constexpr std::string_view kPartNames[kParts] = {"metadata", "image",     "text",    "rodata",
                                                 "data",     "positions", "inlined", "sites",
                                                 "symbols",  "strings",   "elf"};

}  // namespace

base::Result<Artifact> Artifact::parse(std::span<const std::byte> file) {
  Artifact out;
  out.file_ = file;
  TRY(base::with_context(check_header(file), "read artifact"));
  // Safety: check_header has found both records inside, and the caller aligned the file.
  out.header_ = reinterpret_cast<const Header*>(file.data() + kHeaderOffset);
  out.metadata_ = reinterpret_cast<const MetadataHeader*>(file.data() + kMetadataOffset);
  TRY(base::with_context(check_metadata(*out.header_, out.part(Part::Metadata)), "read artifact"));
  return out;
}

std::string_view Artifact::target_cpu() const { return padded_text(header_->target_cpu); }
std::string_view Artifact::compiler() const { return padded_text(header_->compiler); }

std::span<const std::byte> Artifact::part(Part part) const {
  const PartRecord& record = header_->parts[static_cast<std::size_t>(part)];
  return file_.subspan(record.offset, record.size);
}

std::span<const std::uint8_t> Artifact::params(const FlatType& type) const {
  return array<std::uint8_t>(metadata_->val_types).subspan(type.first, type.params);
}

std::span<const std::uint8_t> Artifact::results(const FlatType& type) const {
  return array<std::uint8_t>(metadata_->val_types)
      .subspan(std::size_t{type.first} + type.params, type.results);
}

std::span<const FlatConstant> Artifact::constants(Slice slice) const {
  return array<FlatConstant>(metadata_->constants).subspan(slice.first, slice.count);
}

std::span<const std::uint32_t> Artifact::item_slots(const FlatElement& element) const {
  if (element.by_expression != 0) return {};
  return array<std::uint32_t>(metadata_->item_slots)
      .subspan(element.items.first, element.items.count);
}

std::span<const Slice> Artifact::item_expressions(const FlatElement& element) const {
  if (element.by_expression == 0) return {};
  return array<Slice>(metadata_->item_expressions)
      .subspan(element.items.first, element.items.count);
}

std::string_view Artifact::text(Slice slice) const {
  return bytes_as_text(
      std::as_bytes(array<std::uint8_t>(metadata_->texts).subspan(slice.first, slice.count)));
}

std::span<const std::byte> Artifact::bytes(const FlatData& data) const {
  return part(Part::Data).subspan(data.data_offset, data.size);
}

std::uint32_t Artifact::find_data(std::uint32_t segment) const {
  const auto all = data();
  const auto found = std::ranges::lower_bound(all, segment, {}, &FlatData::segment);
  if (found == all.end() || found->segment != segment) return kNone;
  return static_cast<std::uint32_t>(found - all.begin());
}

ContextCounts Artifact::context_counts() const {
  ContextCounts out;
  out.types = metadata_->types.count;
  out.imported_functions = metadata_->imported_functions;
  out.function_refs = metadata_->references.count;
  out.tables = metadata_->tables.count;
  out.memories = metadata_->memories.count;
  out.imported_globals = metadata_->imported_globals;
  out.own_globals = metadata_->globals.count - metadata_->imported_globals;
  return out;
}

std::uint32_t Artifact::function_at(std::uint64_t text_offset) const {
  // The compiler does not order functions by index, so this is a search; it serves backtraces.
  const auto all = functions();
  const auto found = std::find_if(all.begin(), all.end(), [&](const FlatFunction& function) {
    return text_offset >= function.code.offset &&
           text_offset - function.code.offset < function.code.size;
  });
  return found == all.end() ? kNone : static_cast<std::uint32_t>(found - all.begin());
}

std::string_view Artifact::function_name(std::uint32_t function) const {
  const auto symbols = records<Elf64_Sym>(part(Part::Symbols));
  const auto strings = part(Part::Strings);
  if (function < metadata_->imported_functions) return {};
  const std::uint64_t symbol = std::uint64_t{function} - metadata_->imported_functions + 1;
  if (symbol >= symbols.size() || symbols[symbol].st_name >= strings.size()) return {};
  const std::string_view rest = bytes_as_text(strings.subspan(symbols[symbol].st_name));
  return rest.substr(0, rest.find('\0'));
}

std::uint32_t Artifact::module_offset(std::uint64_t text_offset) const {
  const auto* entry = last_before(records<FlatPosition>(part(Part::Positions)), text_offset);
  return entry == nullptr ? kNone : known_offset(entry->module_offset);
}

std::uint32_t Artifact::site_at(std::uint64_t text_offset) const {
  const auto* entry = last_before(records<FlatInlined>(part(Part::Inlined)), text_offset);
  return entry == nullptr ? kNone : entry->site;
}

std::vector<CodeFrame> Artifact::frames_at(std::uint64_t text_offset) const {
  std::vector<CodeFrame> out;
  const std::uint32_t owner = function_at(text_offset);
  if (owner == kNone) return out;
  const auto sites = records<FlatSite>(part(Part::Sites));
  std::uint32_t offset = module_offset(text_offset);
  std::uint64_t end = sites.size();  // each site comes before the one that led to it
  for (std::uint32_t at = site_at(text_offset); at < end;) {
    const FlatSite& site = sites[at];
    if (site.function < metadata_->imported_functions || site.function >= functions().size()) break;
    out.push_back({site.function, offset});
    offset = known_offset(site.module_offset);
    end = at;
    at = site.site;
  }
  out.push_back({owner, offset});
  return out;
}

std::span<const std::byte> authenticated_bytes(std::span<const std::byte> file) {
  return file.first(kHeaderOffset + offsetof(Header, authentication));
}

base::Sha256 authentication(std::span<const std::byte> file) {
  base::Sha256 out;
  std::memcpy(out.data(), file.data() + authenticated_bytes(file).size(), out.size());
  return out;
}

void set_authentication(std::span<std::byte> file, const base::Sha256& value) {
  std::memcpy(file.data() + authenticated_bytes(file).size(), value.data(), value.size());
}

base::Result<void> verify_part(const Artifact& artifact, Part part) {
  const auto index = static_cast<std::size_t>(part);
  if (base::sha256(artifact.part(part)) != artifact.header().parts[index].digest) {
    return base::fail(base::ErrorKind::Invalid, "artifact: the " + std::string(kPartNames[index]) +
                                                    " is not what was written");
  }
  return {};
}

base::Result<void> check_cpu(const Artifact& artifact) {
  const CpuFeatures missing = artifact.header().cpu_features & ~host_features();
  if (missing == 0) return {};
  return base::fail(base::ErrorKind::Unsupported, "artifact is for " +
                                                      std::string(artifact.target_cpu()) +
                                                      ": this cpu lacks " + feature_names(missing));
}

}  // namespace engine::artifact
