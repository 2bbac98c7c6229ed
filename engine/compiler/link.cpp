// See link.hpp. Relocations: x86-64 psABI 4.4.
#include "engine/compiler/link.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <string>
#include <unordered_map>

#include "base/result.hpp"
#include "engine/compiler/elf_object.hpp"
#include "engine/compiler/line_table.hpp"

namespace engine::compiler {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kMaxImage = std::uint64_t{1} << 31;  // reach of a 32-bit displacement
constexpr std::byte kPadding{0xcc};                          // int3

std::unexpected<Error> internal(std::string_view what, std::string_view name) {
  return fail(ErrorKind::System, "internal: link: " + std::string(what) + " " + std::string(name));
}

std::uint64_t aligned(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

bool is_discarded(const ObjectSection& section) {
  // Our frames have no unwinding information; debug sections are not allocated.
  return !(section.flags & SHF_ALLOC) || section.type == SHT_X86_64_UNWIND || section.bytes.empty();
}

class Linker {
 public:
  Linker(const Module& module, std::span<const ObjectCode> objects)
      : module_(module), inputs_(objects) {}

  Result<artifact::CompiledCode> run() {
    for (const ObjectCode& input : inputs_) objects_.push_back(TRY(read_object(input.bytes)));
    places_.resize(objects_.size());
    TRY(lay_out());
    TRY(define_symbols());
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      for (std::size_t s = 0; s < objects_[i].sections.size(); ++s) TRY(relocate(i, s));
    }
    for (std::size_t i = 0; i < objects_.size(); ++i) TRY(read_positions(i));
    fill_positions();
    return std::move(out_);
  }

 private:
  static constexpr std::uint64_t kNowhere = ~std::uint64_t{0};

  Result<void> lay_out() {
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      places_[i].assign(objects_[i].sections.size(), kNowhere);
      for (std::size_t s = 0; s < objects_[i].sections.size(); ++s) {
        const ObjectSection& section = objects_[i].sections[s];
        if (!is_discarded(section) && section.is_text()) places_[i][s] = append(out_.text, section);
      }
    }
    out_.rodata_offset = aligned(out_.text.size(), kPage);
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      for (std::size_t s = 0; s < objects_[i].sections.size(); ++s) {
        const ObjectSection& section = objects_[i].sections[s];
        if (is_discarded(section) || section.is_text()) continue;
        if (section.flags & (SHF_WRITE | SHF_TLS))
          return internal("writable section", section.name);
        places_[i][s] = out_.rodata_offset + append(out_.rodata, section);
      }
    }
    if (out_.rodata_offset + out_.rodata.size() >= kMaxImage) {
      return fail(ErrorKind::LimitExceeded, "machine code larger than 2 GiB");
    }
    return {};
  }

  static std::uint64_t append(std::vector<std::byte>& to, const ObjectSection& section) {
    const std::uint64_t place = aligned(to.size(), section.alignment);
    to.resize(place, kPadding);
    to.insert(to.end(), section.bytes.begin(), section.bytes.end());
    return place;
  }

  Result<void> define_symbols() {
    out_.functions.resize(module_.functions.size() - module_.imported_functions);
    out_.entry_trampolines.resize(module_.types.size());
    out_.host_trampolines.resize(module_.types.size());
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      for (const ObjectSymbol& symbol : objects_[i].symbols) {
        if (symbol.type != STT_FUNC || symbol.section == 0) continue;
        const std::uint64_t place = places_[i][symbol.section];
        if (place == kNowhere) return internal("function in a discarded section", symbol.name);
        if (!globals_.emplace(symbol.name, place + symbol.value).second) {
          return internal("function defined twice", symbol.name);
        }
        record_range(symbol.name, {static_cast<std::uint32_t>(place + symbol.value),
                                   static_cast<std::uint32_t>(symbol.size)});
      }
    }
    return {};
  }

  /// Clones that the optimizer made ("f12.specialized.1") are not in the tables.
  void record_range(std::string_view name, artifact::CodeRange range) {
    const auto numbered = [&](std::string_view prefix, std::vector<artifact::CodeRange>& table,
                              std::size_t first) {
      if (!name.starts_with(prefix)) return;
      std::size_t index = 0;
      const char* end = name.data() + name.size();
      const auto parsed = std::from_chars(name.data() + prefix.size(), end, index);
      if (parsed.ec != std::errc{} || parsed.ptr != end) return;
      if (index >= first && index - first < table.size()) table[index - first] = range;
    };
    numbered("f", out_.functions, module_.imported_functions);
    numbered("enter", out_.entry_trampolines, 0);
    numbered("host", out_.host_trampolines, 0);
  }

  Result<std::uint64_t> address_of(std::size_t object, std::uint32_t index) {
    if (index >= objects_[object].symbols.size()) return internal("no such symbol", "");
    const ObjectSymbol& symbol = objects_[object].symbols[index];
    if (symbol.section != 0) {
      const std::uint64_t place = places_[object][symbol.section];
      if (place == kNowhere) return internal("reference into a discarded section", symbol.name);
      return place + symbol.value;
    }
    const auto known = globals_.find(symbol.name);
    if (known == globals_.end()) return internal("undefined symbol", symbol.name);
    return known->second;
  }

  Result<void> relocate(std::size_t object, std::size_t section_index) {
    const ObjectSection& section = objects_[object].sections[section_index];
    const std::uint64_t start = places_[object][section_index];
    if (start == kNowhere) return {};
    const bool in_text = section.is_text();
    std::vector<std::byte>& bytes = in_text ? out_.text : out_.rodata;
    const std::uint64_t bias = in_text ? 0 : out_.rodata_offset;
    for (const Elf64_Rela& relocation : section.relocations) {
      const auto target =
          TRY(address_of(object, static_cast<std::uint32_t>(ELF64_R_SYM(relocation.r_info))));
      const std::uint64_t type = ELF64_R_TYPE(relocation.r_info);
      const std::uint64_t size = type == R_X86_64_PC64 ? 8 : 4;
      if (type != R_X86_64_PC32 && type != R_X86_64_PLT32 && type != R_X86_64_PC64) {
        return internal("relocation of kind", std::to_string(type));
      }
      if (relocation.r_offset > section.bytes.size() ||
          section.bytes.size() - relocation.r_offset < size) {
        return internal("relocation outside", section.name);
      }
      const std::uint64_t place = start + relocation.r_offset;
      const auto value = static_cast<std::int64_t>(target) + relocation.r_addend -
                         static_cast<std::int64_t>(place);
      if (size == 4 && (value > std::numeric_limits<std::int32_t>::max() ||
                        value < std::numeric_limits<std::int32_t>::min())) {
        return internal("relocation out of reach in", section.name);
      }
      std::memcpy(bytes.data() + (place - bias), &value, size);
    }
    return {};
  }

  struct Origin {
    std::uint32_t text_offset;
    std::uint32_t module_offset;
    std::uint32_t site;
  };

  Result<void> read_positions(std::size_t object) {
    const auto first_site = static_cast<std::uint32_t>(out_.sites.size());
    const auto moved = [&](std::uint32_t site) {
      return site == artifact::kNoSite ? site : first_site + site;
    };
    const InlineOrigins& inlining = inputs_[object].inlining;
    for (artifact::InlineSite site : inlining.sites) {
      site.site = moved(site.site);
      out_.sites.push_back(site);
    }
    for (const ObjectSection& section : objects_[object].sections) {
      if (section.name != ".debug_line") continue;
      std::unordered_map<std::uint64_t, std::uint64_t> starts;
      for (const Elf64_Rela& relocation : section.relocations) {
        if (ELF64_R_TYPE(relocation.r_info) != R_X86_64_64) continue;
        const auto address =
            TRY(address_of(object, static_cast<std::uint32_t>(ELF64_R_SYM(relocation.r_info))));
        starts[relocation.r_offset] = address + static_cast<std::uint64_t>(relocation.r_addend);
      }
      for (const LineRow& row : TRY(read_line_table(section.bytes))) {
        const auto start = starts.find(row.sequence);
        if (start == starts.end()) return internal("line table without an address", "");
        Origin origin{static_cast<std::uint32_t>(start->second + row.address),
                      row.ends_sequence ? 0 : row.line, artifact::kNoSite};
        if (origin.module_offset & kInlinedLine) {
          const std::uint32_t index = origin.module_offset & ~kInlinedLine;
          if (index >= inlining.origins.size()) return internal("line of no origin", "");
          origin.module_offset = inlining.origins[index].module_offset;
          origin.site = moved(inlining.origins[index].site);
        }
        origins_.push_back(origin);
      }
    }
    return {};
  }

  /// Sorted; of several entries for one place the last counts, and repetitions go.
  void fill_positions() {
    // By hand stable: clang warns of libstdc++ 12's stable_sort.
    std::vector<std::pair<std::uint32_t, std::size_t>> order;
    for (const Origin& origin : origins_) order.emplace_back(origin.text_offset, order.size());
    std::ranges::sort(order);
    std::uint32_t module_offset = 0;
    std::uint32_t site = artifact::kNoSite;
    for (std::size_t k = 0; k < order.size(); ++k) {
      const Origin& origin = origins_[order[k].second];
      if (k + 1 < order.size() && order[k + 1].first == origin.text_offset) continue;
      if (origin.module_offset != module_offset) {
        out_.positions.push_back({origin.text_offset, origin.module_offset});
        module_offset = origin.module_offset;
      }
      if (origin.site != site) {
        out_.inlined.push_back({origin.text_offset, origin.site});
        site = origin.site;
      }
    }
  }

  const Module& module_;
  std::span<const ObjectCode> inputs_;
  std::vector<ElfObject> objects_;
  std::vector<std::vector<std::uint64_t>> places_;  // by object and section, from the start of text
  std::unordered_map<std::string_view, std::uint64_t> globals_;
  std::vector<Origin> origins_;
  artifact::CompiledCode out_;
};

}  // namespace

Result<artifact::CompiledCode> link_objects(const Module& module,
                                            std::span<const ObjectCode> objects) {
  return Linker(module, objects).run();
}

}  // namespace engine::compiler
