// What the compiler hands to the artifact's writer: machine code already linked, position
// independent, and the tables that describe it. All offsets are from the start of `text`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace engine::artifact {

struct CodeRange {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

/// Where the instruction that ends at or contains `text_offset` came from: the byte offset in the
/// module, 0 when unknown. An entry holds up to the next one. Sorted by text_offset.
struct CodePosition {
  std::uint32_t text_offset = 0;
  std::uint32_t module_offset = 0;
};

inline constexpr std::uint32_t kNoSite = 0xffffffff;

/// A call that was replaced by the body of its callee. `site` is the one in which the call itself
/// lies, with a lower index, or kNoSite.
struct InlineSite {
  std::uint32_t function = 0;       ///< the callee, in the function index space
  std::uint32_t module_offset = 0;  ///< of the call
  std::uint32_t site = kNoSite;
};

/// Which site the code from `text_offset` on belongs to, up to the next entry; kNoSite for none.
struct InlinedCode {
  std::uint32_t text_offset = 0;
  std::uint32_t site = kNoSite;
};

struct CompiledCode {
  std::vector<std::byte> text;
  /// Constants and jump tables, at `rodata_offset` from the start of text (a multiple of 4096, at
  /// or after the end of text); text reaches them relative to the instruction pointer.
  std::vector<std::byte> rodata;
  std::uint64_t rodata_offset = 0;

  /// One for each own function, in order of the function index space. Size 0 for a function that
  /// was inlined everywhere and whose reference cannot be taken.
  std::vector<CodeRange> functions;
  /// By type index; size 0 where none was made. C ABI:
  ///   void enter(void* context, const void* code, VmValue* values, VmStore* store)
  /// takes the parameters from values[0..], calls code, writes the results to values[0..]. `store`
  /// is the calling thread's: results that do not fit registers are fetched from there, since
  /// `context` need not be a VmContext. Made for the type of every function in
  /// Module::referenced_functions and of the start function.
  std::vector<CodeRange> entry_trampolines;
  /// By type index; the `code` of a host function's VmFuncRef (its context is a VmHostFunction).
  /// Made for the type of every imported function.
  std::vector<CodeRange> host_trampolines;

  std::vector<CodePosition> positions;
  std::vector<InlinedCode> inlined;  ///< sorted by text_offset
  std::vector<InlineSite> sites;

  /// What the code needs of the CPU, as LLVM names it: "x86-64-v3".
  std::string target_cpu;
  /// Bytes of wasm code at each optimisation level, for the user.
  std::uint64_t bytes_o2 = 0;
  std::uint64_t bytes_o1 = 0;
};

}  // namespace engine::artifact
