// Puts the parts of an artifact together: docs/formats/artifact.md.
#include "engine/artifact/writer.hpp"

#include <elf.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/artifact/elf_view.hpp"
#include "engine/artifact/format.hpp"
#include "engine/artifact/image.hpp"
#include "engine/artifact/metadata_writer.hpp"

namespace engine::artifact {
namespace {

base::Result<void> check_code(const Module& module, const CompiledCode& code) {
  const auto fits = [&](const std::vector<CodeRange>& ranges) {
    return std::ranges::all_of(ranges, [&](const CodeRange& range) {
      return range.offset <= code.text.size() && range.size <= code.text.size() - range.offset;
    });
  };
  if (code.functions.size() != module.functions.size() - module.imported_functions ||
      code.entry_trampolines.size() != module.types.size() ||
      code.host_trampolines.size() != module.types.size() || !fits(code.functions) ||
      !fits(code.entry_trampolines) || !fits(code.host_trampolines)) {
    return base::fail(base::ErrorKind::Invalid, "write artifact: code does not fit the module");
  }
  if (!code.rodata.empty() &&
      (code.rodata_offset % kPage != 0 || code.rodata_offset < code.text.size())) {
    return base::fail(base::ErrorKind::Invalid, "write artifact: rodata overlaps the text");
  }
  if (code.text.size() > kMaxTextSize || code.rodata.size() > kMaxTextSize ||
      std::max<std::uint64_t>(code.rodata_offset, code.text.size()) + code.rodata.size() >
          kMaxTextSize) {
    return base::fail(base::ErrorKind::LimitExceeded, "write artifact: text exceeds 2 GiB");
  }
  return {};
}

Elf64_Ehdr elf_header() {
  Elf64_Ehdr out{};
  std::memcpy(out.e_ident, ELFMAG, SELFMAG);
  out.e_ident[EI_CLASS] = ELFCLASS64;
  out.e_ident[EI_DATA] = ELFDATA2LSB;
  out.e_ident[EI_VERSION] = EV_CURRENT;
  out.e_type = ET_DYN;
  out.e_machine = EM_X86_64;
  out.e_version = EV_CURRENT;
  out.e_ehsize = sizeof(out);
  return out;
}

template <std::size_t kSize>
void set_padded(std::array<char, kSize>& to, std::string_view text) {
  std::copy_n(text.begin(), std::min(text.size(), kSize - 1), to.begin());
}

class FileWriter {
 public:
  explicit FileWriter(std::size_t size_hint) {
    file_.reserve(size_hint);
    file_.resize(kMetadataOffset);
  }

  std::uint64_t align(std::uint64_t to) {
    file_.resize((file_.size() + to - 1) / to * to);
    return file_.size();
  }
  /// The part is padded with `fill` up to `size`.
  void add(Part part, std::uint64_t alignment, std::span<const std::byte> bytes,
           std::uint64_t size = 0, std::byte fill = {}) {
    PartRecord& record = parts_[static_cast<std::size_t>(part)];
    record.offset = align(alignment);
    file_.insert(file_.end(), bytes.begin(), bytes.end());
    if (size > bytes.size()) file_.resize(record.offset + size, fill);
    record.size = file_.size() - record.offset;
    record.digest = base::sha256(std::span(file_).subspan(record.offset));
  }
  const std::array<PartRecord, kParts>& parts() const { return parts_; }
  std::uint64_t offset_of(Part part) const { return parts_[static_cast<std::size_t>(part)].offset; }

  std::vector<std::byte> finish(const Elf64_Ehdr& elf, Header& header) {
    header.file_size = file_.size();
    header.parts = parts_;
    std::memcpy(file_.data(), &elf, sizeof(elf));
    std::memcpy(file_.data() + kHeaderOffset, &header, sizeof(header));
    return std::move(file_);
  }

 private:
  std::vector<std::byte> file_;
  std::array<PartRecord, kParts> parts_{};
};

/// The compiler's records have the members of the file's, in their order.
template <Record Flat, typename T>
std::vector<std::byte> flat(const std::vector<T>& items) {
  std::vector<std::byte> out(items.size() * sizeof(Flat));
  for (std::size_t k = 0; k < items.size(); ++k) {
    const auto record = std::bit_cast<Flat>(items[k]);
    std::memcpy(out.data() + k * sizeof(Flat), &record, sizeof(Flat));
  }
  return out;
}

std::uint64_t page_ceiling(std::uint64_t size) { return (size + kPage - 1) / kPage * kPage; }

}  // namespace

base::Sha256 digest_of(const ArtifactKey& key) {
  std::vector<std::byte> text;
  const auto append = [&text](const void* data, std::uint64_t size) {
    const auto put = [&text](const void* from, std::size_t count) {
      const auto* bytes = static_cast<const std::byte*>(from);
      text.insert(text.end(), bytes, bytes + count);
    };
    put(&size, sizeof(size));
    put(data, size);
  };
  constexpr std::string_view kPurpose = "wherry-artifact";
  append(kPurpose.data(), kPurpose.size());
  append(key.module_digest.data(), key.module_digest.size());
  append(&kFormatVersion, sizeof(kFormatVersion));
  append(&kAbiVersion, sizeof(kAbiVersion));
  append(key.compiler.data(), key.compiler.size());
  append(&key.cpu_features, sizeof(key.cpu_features));
  append(key.options.data(), key.options.size());
  return base::sha256(text);
}

base::Result<std::vector<std::byte>> write_artifact(const Module& module, const CompiledCode& code,
                                                    const ArtifactKey& key) {
  TRY(check_code(module, code));
  const ImagePlan images = plan_images(module);
  const Metadata metadata = TRY(write_metadata(module, code, images));

  FileWriter file(metadata.metadata.size() + images.bytes.size() + code.text.size() +
                  code.rodata.size() + code.positions.size() * sizeof(FlatPosition) +
                  code.inlined.size() * sizeof(FlatInlined) + code.sites.size() * sizeof(FlatSite));
  file.add(Part::Metadata, 8, metadata.metadata);
  file.add(Part::Image, kPage, images.bytes);
  // int3 up to where rodata lies, which keeps its distance from the text by that.
  const std::uint64_t text_size =
      code.rodata.empty() ? page_ceiling(code.text.size()) : code.rodata_offset;
  file.add(Part::Text, kPage, code.text, text_size, std::byte{0xcc});
  file.add(Part::Rodata, kPage, code.rodata, page_ceiling(code.rodata.size()));
  file.add(Part::Data, 8, metadata.data);
  file.add(Part::Positions, 8, flat<FlatPosition>(code.positions));
  file.add(Part::Inlined, 8, flat<FlatInlined>(code.inlined));
  file.add(Part::Sites, 8, flat<FlatSite>(code.sites));
  const SymbolTables symbols = write_symbols(module, code, file.offset_of(Part::Text));
  file.add(Part::Symbols, 8, symbols.symbols);
  file.add(Part::Strings, 8, symbols.strings);
  Elf64_Ehdr elf = elf_header();
  const std::uint64_t tables_at = file.align(8);
  file.add(Part::Elf, 8, write_elf_tables(file.parts(), tables_at, elf));

  Header header{};
  header.magic = kMagic;
  header.format_version = kFormatVersion;
  header.abi_version = kAbiVersion;
  header.module_digest = key.module_digest;
  header.key = digest_of(key);
  header.cpu_features = key.cpu_features | TRY(features_of_level(code.target_cpu));
  set_padded(header.target_cpu, code.target_cpu);
  set_padded(header.compiler, key.compiler);
  header.bytes_o2 = code.bytes_o2;
  header.bytes_o1 = code.bytes_o1;
  return file.finish(elf, header);
}

}  // namespace engine::artifact
