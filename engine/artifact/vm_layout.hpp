// Every structure that compiled code touches, and how compiled code is called. The compiler emits
// these offsets, the runtime lays out these objects; they meet here and nowhere else.
//
// Calling convention of wasm functions: LLVM's `tailcc`, first parameter the callee's context (a
// VmContext of a wasm function, a VmHostFunction of a host function), then the parameters by value
// (i32, i64, f32, f64, <2 x i64> for v128, ptr-sized i64 for references; null is 0).
// Results come back in registers when there are at most three of integer or reference type and at
// most four of float or vector type (one result: the value itself; several: a struct); otherwise
// the function returns void and writes result k to VmStore::results[k].
#pragma once

#include <cstddef>
#include <cstdint>

namespace engine {

struct VmContext;

/// What a funcref points to. `type_id` is the process-wide canonical id of the function's type.
struct VmFuncRef {
  const void* code;
  void* context;
  std::uint64_t type_id;
};

/// A memory that never moves: `base` is the start of a reservation of at least 8 GiB + 64 KiB for a
/// 32-bit memory, of which `size` bytes are accessible. While threads share it, `size` is read and
/// written atomically, and only grows.
struct VmMemory {
  std::byte* base;
  std::uint64_t size;
  std::uint64_t max_pages;
};

/// Elements are VmFuncRef* or host references, 8 bytes each; the array never moves.
struct VmTable {
  std::uint64_t* elements;
  std::uint64_t size;
  std::uint64_t max;
};

struct alignas(16) VmValue {
  std::uint64_t low;
  std::uint64_t high;
};

inline constexpr std::size_t kMaxResults = 1000;

/// One a thread of guest code. `pending_trap` (an engine::Trap) is set by a host function that
/// wants its caller to trap when it returns; the host trampoline checks it after each call.
struct VmStore {
  std::uint32_t pending_trap;
  std::uint32_t reserved;
  VmValue results[kMaxResults];
};

/// A host function: `function` has the C ABI of
///   R function(VmHostFunction* self, parameters...)
/// where v128 is __m128i, references are uint64_t, R is the only result, or void when there are
/// none or several (then they are written to caller->store->results). `caller` is the instance
/// whose import this is.
struct VmHostFunction {
  const void* function;
  void* data;
  VmContext* caller;
};

/// Functions of the runtime that compiled code calls, C ABI. Those that return a Trap code return 0
/// for success; the caller traps with the code otherwise. Sizes and indices of 32-bit memories and
/// tables are zero-extended.
struct VmBuiltins {
  /// Old size in pages, or -1.
  std::uint64_t (*memory_grow)(VmContext*, std::uint32_t memory, std::uint64_t pages);
  std::uint32_t (*memory_init)(VmContext*, std::uint32_t memory, std::uint32_t segment,
                               std::uint64_t to, std::uint32_t from, std::uint32_t count);
  void (*data_drop)(VmContext*, std::uint32_t segment);
  /// Old size in elements, or -1.
  std::uint64_t (*table_grow)(VmContext*, std::uint32_t table, std::uint64_t count,
                              std::uint64_t value);
  std::uint32_t (*table_fill)(VmContext*, std::uint32_t table, std::uint64_t at,
                              std::uint64_t value, std::uint64_t count);
  std::uint32_t (*table_copy)(VmContext*, std::uint32_t to_table, std::uint32_t from_table,
                              std::uint64_t to, std::uint64_t from, std::uint64_t count);
  std::uint32_t (*table_init)(VmContext*, std::uint32_t table, std::uint32_t segment,
                              std::uint64_t to, std::uint32_t from, std::uint32_t count);
  void (*elem_drop)(VmContext*, std::uint32_t segment);
  /// libc's: ranges are checked by the compiled code before.
  void* (*memmove)(void* to, const void* from, std::size_t count);
  void* (*memset)(void* to, int value, std::size_t count);
  /// On shared memories; the code has checked that the address is aligned and in bounds. How many
  /// were woken.
  std::uint32_t (*memory_notify)(VmContext*, std::uint32_t memory, std::uint64_t at,
                                 std::uint32_t count);
  /// 0 when notified, 1 when the memory holds another value, 2 when `timeout` nanoseconds have
  /// passed (never, when negative).
  std::uint32_t (*memory_wait32)(VmContext*, std::uint32_t memory, std::uint64_t at,
                                 std::uint32_t expected, std::int64_t timeout);
  std::uint32_t (*memory_wait64)(VmContext*, std::uint32_t memory, std::uint64_t at,
                                 std::uint64_t expected, std::int64_t timeout);
};

/// The fixed head of an instance's context; the arrays of ContextLayout follow it. All fields but
/// those of own globals are written before the first guest instruction and never again: compiled
/// code loads them as invariant.
struct VmContext {
  /// Host calls need the stack pointer to be at or above this address; below it the host trampoline
  /// traps with CallStackExhausted. Guest frames themselves are stopped by the stack's guard pages.
  std::byte* stack_limit;
  VmStore* store;
  const VmBuiltins* builtins;
  void* instance;  ///< the runtime's own object
};

/// How many of each a module has; the counts of whole index spaces include imports.
struct ContextCounts {
  std::uint32_t types = 0;
  std::uint32_t imported_functions = 0;
  std::uint32_t function_refs = 0;  ///< Module::referenced_functions
  std::uint32_t tables = 0;
  std::uint32_t memories = 0;
  std::uint32_t imported_globals = 0;
  std::uint32_t own_globals = 0;
};

/// Byte offsets from the start of the VmContext to its arrays:
///   memory_bases      std::byte*        [memories]
///   memories          VmMemory*         [memories]
///   table_elements    std::uint64_t*    [tables]
///   tables            VmTable*          [tables]
///   imported_functions VmFuncRef        [imported_functions]
///   imported_globals  VmValue*          [imported_globals]
///   type_ids          std::uint64_t     [types]
///   function_refs     VmFuncRef         [function_refs]
///   own_globals       VmValue           [own_globals]   (16-byte aligned, last)
struct ContextLayout {
  std::uint64_t memory_bases;
  std::uint64_t memories;
  std::uint64_t table_elements;
  std::uint64_t tables;
  std::uint64_t imported_functions;
  std::uint64_t imported_globals;
  std::uint64_t type_ids;
  std::uint64_t function_refs;
  std::uint64_t own_globals;
  std::uint64_t size;
};

constexpr ContextLayout context_layout(const ContextCounts& counts) {
  ContextLayout out{};
  std::uint64_t at = sizeof(VmContext);
  const auto place = [&at](std::uint64_t count, std::uint64_t size) {
    const std::uint64_t here = at;
    at += count * size;
    return here;
  };
  out.memory_bases = place(counts.memories, sizeof(void*));
  out.memories = place(counts.memories, sizeof(void*));
  out.table_elements = place(counts.tables, sizeof(void*));
  out.tables = place(counts.tables, sizeof(void*));
  out.imported_functions = place(counts.imported_functions, sizeof(VmFuncRef));
  out.imported_globals = place(counts.imported_globals, sizeof(void*));
  out.type_ids = place(counts.types, sizeof(std::uint64_t));
  out.function_refs = place(counts.function_refs, sizeof(VmFuncRef));
  at = (at + alignof(VmValue) - 1) / alignof(VmValue) * alignof(VmValue);
  out.own_globals = place(counts.own_globals, sizeof(VmValue));
  out.size = at;
  return out;
}

static_assert(sizeof(VmFuncRef) == 24 && offsetof(VmFuncRef, type_id) == 16);
static_assert(sizeof(VmContext) == 32 && sizeof(VmValue) == 16);
static_assert(offsetof(VmStore, results) == 16);

/// The results of a signature stay in registers; see the head of this file.
constexpr bool results_in_registers(std::size_t integers, std::size_t floats) {
  return integers <= 3 && floats <= 4;
}

}  // namespace engine
