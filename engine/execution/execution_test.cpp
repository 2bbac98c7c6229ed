// Instances of a module whose machine code is made by hand: calls, traps, host functions, growth.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>

#include <cstring>

#include "base/file.hpp"
#include "engine/artifact/sample_module.hpp"
#include "engine/artifact/writer.hpp"
#include "engine/execution/instance.hpp"

namespace engine::execution {
namespace {

/// All of type (i32) -> i32; function k + 1 of the module is the k-th of these.
enum Guest : std::uint32_t { kLoad, kDivideByZero, kRecurse, kCallHost, kGuests };

Module hand_made_module() {
  Module out = artifact::sample_module();
  out.types = {{{ValType::I32}, {ValType::I32}}};
  out.functions = {{0, 0, 0}};
  out.referenced_functions.clear();
  out.function_names.clear();
  out.exports = {{"memory", ExternKind::Memory, 0},
                 {"table", ExternKind::Table, 0},
                 {"global", ExternKind::Global, 0}};
  constexpr std::string_view kNames[kGuests] = {"load", "divide", "recurse", "call_host"};
  for (std::uint32_t k = 0; k < kGuests; ++k) {
    out.functions.push_back({0, 0, 0});
    out.exports.push_back({std::string(kNames[k]), ExternKind::Func, k + 1});
    out.referenced_functions.push_back(k + 1);
    out.function_names[k + 1] = kNames[k];
  }
  return out;
}

/// The four bytes of a displacement.
std::array<int, 4> le32(std::uint64_t value) {
  return {static_cast<int>(value & 0xff), static_cast<int>(value >> 8 & 0xff),
          static_cast<int>(value >> 16 & 0xff), static_cast<int>(value >> 24 & 0xff)};
}

artifact::CompiledCode hand_made_code(const ContextLayout& layout) {
  artifact::CompiledCode out;
  artifact::HandAssembler code;
  const auto function = le32(layout.imported_functions);
  const auto context = le32(layout.imported_functions + 8);
  out.functions = {
      // push rbp; mov rbp, rsp; mov rax, [rdi + memory_bases]; mov eax, [rax + rsi]; pop rbp; ret
      code.add({0x55, 0x48, 0x89, 0xe5, 0x48, 0x8b, 0x47, static_cast<int>(layout.memory_bases),
                0x8b, 0x04, 0x30, 0x5d, 0xc3}),
      // push rbp; mov rbp, rsp; ud1 8(%eax), %eax
      code.add({0x55, 0x48, 0x89, 0xe5, 0x67, 0x0f, 0xb9, 0x40, 0x08}),
      // push rbp; mov rbp, rsp; call self; pop rbp; ret
      code.add({0x55, 0x48, 0x89, 0xe5, 0xe8, 0xf7, 0xff, 0xff, 0xff, 0x5d, 0xc3}),
      // push rbp; mov rbp, rsp; mov rax, [rdi + function]; mov rdi, [rdi + context]; call rax; ...
      code.add({0x55,        0x48,        0x89,        0xe5, 0x48, 0x8b, 0x87,       function[0],
                function[1], function[2], function[3], 0x48, 0x8b, 0xbf, context[0], context[1],
                context[2],  context[3],  0xff,        0xd0, 0x5d, 0xc3}),
  };
  // push rbp; mov rbp, rsp; push rbx; push rax; mov rbx, rdx; mov rax, rsi; mov esi, [rdx];
  // call rax; mov eax, eax; mov [rbx], rax; pop rcx; pop rbx; pop rbp; ret
  out.entry_trampolines = {
      code.add({0x55, 0x48, 0x89, 0xe5, 0x53, 0x50, 0x48, 0x89, 0xd3, 0x48, 0x89, 0xf0, 0x8b,
                0x32, 0xff, 0xd0, 0x89, 0xc0, 0x48, 0x89, 0x03, 0x59, 0x5b, 0x5d, 0xc3})};
  // push rbp; mov rbp, rsp; push rbx; push rax; mov rax, [rdi + 16]; cmp rsp, [rax]; jb +15;
  // mov rbx, [rax + 8]; call [rdi]; cmp dword [rbx], 0; jne +9; pop rcx; pop rbx; pop rbp; ret;
  // ud1 CallStackExhausted; ud1 HostFailure
  out.host_trampolines = {
      code.add({0x55, 0x48, 0x89, 0xe5, 0x53, 0x50, 0x48, 0x8b, 0x47, 0x10, 0x48, 0x3b, 0x20, 0x72,
                0x0f, 0x48, 0x8b, 0x58, 0x08, 0xff, 0x17, 0x83, 0x3b, 0x00, 0x75, 0x09, 0x59, 0x5b,
                0x5d, 0xc3, 0x67, 0x0f, 0xb9, 0x40, 0x0a, 0x67, 0x0f, 0xb9, 0x40, 0x0c})};
  out.text = code.text();
  for (const auto& range : out.functions) out.positions.push_back({range.offset, 0x100});
  out.target_cpu = "x86-64";
  return out;
}

std::shared_ptr<LoadedModule> load(const Module& module) {
  ContextCounts counts;
  counts.types = 1;
  counts.imported_functions = module.imported_functions;
  counts.function_refs = kGuests;
  counts.tables = 1;
  counts.memories = 1;
  counts.own_globals = 1;
  const auto file = artifact::write_artifact(module, hand_made_code(context_layout(counts)),
                                             artifact::sample_key())
                        .value();
  base::UniqueFd fd(::memfd_create("artifact", MFD_CLOEXEC));
  EXPECT_TRUE(base::write_all(fd.get(), file, "artifact"));
  return LoadedModule::load(std::move(fd), "artifact").value();
}

class Execution : public ::testing::Test {
 protected:
  using Host = std::uint32_t (*)(VmHostFunction*, std::uint32_t);

  Instance& instance(Host host, void* data = nullptr) {
    linker_.define_function("env", "host", host, data);
    return *Instance::instantiate(*store_, load(hand_made_module()), linker_).value();
  }
  static std::uint32_t plus_one(VmHostFunction*, std::uint32_t value) { return value + 1; }
  static Trap trap_of(const std::optional<CallResult>& result) {
    return result && !*result ? result->error().trap : Trap::None;
  }

  std::unique_ptr<Store> store_ = Store::create({.stack_size = 1 << 20}).value();
  Linker linker_;
};

std::vector<Value> i32(std::uint32_t value) { return {Value::i32(value)}; }

TEST_F(Execution, MemoryHoldsTheSegmentsOfTheImage) {
  const auto result = instance(plus_one).call("load", i32(8));
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((**result)[0].as_i32(), 0x6c6c6568U);  // "hell"
}

TEST_F(Execution, InstancesDoNotShareWhatTheyWriteToTheImage) {
  Instance& first = instance(plus_one);
  first.memory(0).bytes()[8] = std::byte{'J'};
  Instance& second = instance(plus_one);
  EXPECT_EQ(second.memory(0).bytes()[8], std::byte{'h'});
}

TEST_F(Execution, ImageIsCopiedOnceTheFileIsClosed) {
  linker_.define_function("env", "host", plus_one);
  const auto module = load(hand_made_module());
  module->close_file();
  Instance& one = *Instance::instantiate(*store_, module, linker_).value();
  EXPECT_EQ(one.memory(0).bytes()[8], std::byte{'h'});
}

TEST_F(Execution, AccessBeyondTheSizeTraps) {
  Instance& one = instance(plus_one);
  for (const std::uint32_t address : {65536U, 0x7fffffffU, 0xffffffffU}) {
    EXPECT_EQ(trap_of(one.call("load", i32(address))), Trap::MemoryOutOfBounds) << address;
  }
  EXPECT_TRUE(*one.call("load", i32(65532)));
}

TEST_F(Execution, GrownMemoryIsAccessible) {
  Instance& one = instance(plus_one);
  EXPECT_FALSE(one.memory(0).grow(3));
  EXPECT_TRUE(one.memory(0).grow(2));
  const auto result = one.call("load", i32(3 * 65536 - 4));
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((**result)[0].as_i32(), 0U);
  EXPECT_EQ(trap_of(one.call("load", i32(3 * 65536))), Trap::MemoryOutOfBounds);
}

TEST_F(Execution, ExplicitTrapHasItsCodeAndPlace) {
  const auto result = instance(plus_one).call("divide", i32(0));
  ASSERT_TRUE(result && !*result);
  EXPECT_EQ(result->error().text(), "integer divide by zero");
  EXPECT_EQ(result->error().backtrace(), "wasm backtrace:\n  0: 0x100 divide\n");
}

TEST_F(Execution, EndlessRecursionExhaustsTheStackAgainAndAgain) {
  Instance& one = instance(plus_one);
  for (int k = 0; k < 3; ++k) {
    const auto result = one.call("recurse", i32(0));
    ASSERT_EQ(trap_of(result), Trap::CallStackExhausted);
    EXPECT_TRUE(result->error().more_frames);
    EXPECT_EQ(result->error().frames[0].name, "recurse");
  }
}

TEST_F(Execution, HostFunctionsAreCalled) {
  const auto result = instance(plus_one).call("call_host", i32(41));
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((**result)[0].as_i32(), 42U);
}

TEST_F(Execution, HostFunctionsSeeTheCallersMemoryAndTheirData) {
  int seen = 0;
  const auto host = [](VmHostFunction* self, std::uint32_t at) -> std::uint32_t {
    ++*static_cast<int*>(self->data);
    return std::to_integer<std::uint32_t>(guest_memory(self->caller)[at]);
  };
  const auto result = instance(host, &seen).call("call_host", i32(8));
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((**result)[0].as_i32(), 'h');
  EXPECT_EQ(seen, 1);
}

TEST_F(Execution, HostFunctionsMakeTheirCallerTrap) {
  const auto host = [](VmHostFunction* self, std::uint32_t) -> std::uint32_t {
    set_pending_trap(self->caller, Trap::IntegerOverflow);
    return 0;
  };
  Instance& one = instance(host);
  const auto result = one.call("call_host", i32(8));
  ASSERT_EQ(trap_of(result), Trap::IntegerOverflow);
  EXPECT_EQ(result->error().frames.size(), 1U);
  EXPECT_EQ(store_->vm().pending_trap, 0U);
  EXPECT_TRUE(*one.call("load", i32(0)));
}

TEST_F(Execution, TrapInANestedCallEndsOnlyThatCall) {
  const auto host = [](VmHostFunction* self, std::uint32_t depth) -> std::uint32_t {
    Instance& one = Instance::of(self->caller);
    if (depth == 0) return *one.call("divide", {}) ? 1 : 2;
    const auto inner = one.call("call_host", i32(depth - 1));
    const auto trapped = one.call("load", i32(0xffffffff));
    return *inner && !*trapped ? (**inner)[0].as_i32() + 10 : 99;
  };
  const auto result = instance(host).call("call_host", i32(3));
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((**result)[0].as_i32(), 32U);
}

TEST_F(Execution, MutualRecursionWithTheHostExhaustsTheStack) {
  const auto host = [](VmHostFunction* self, std::uint32_t) -> std::uint32_t {
    const auto inner = Instance::of(self->caller).call("call_host", i32(0));
    if (!*inner) set_pending_trap(self->caller, inner->error().trap);
    return 0;
  };
  EXPECT_EQ(trap_of(instance(host).call("call_host", i32(0))), Trap::CallStackExhausted);
}

// Endless on purpose: the stack's guard must end it.
[[gnu::noinline]] std::uint32_t eat_stack(std::uint32_t depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  if (depth == UINT32_MAX) return 0;
  return eat_stack(depth + 1) + static_cast<std::uint32_t>(frame[0]);
}

TEST_F(Execution, OverflowInsideAHostCallIsATrap) {
  const auto host = [](VmHostFunction*, std::uint32_t) { return eat_stack(0); };
  Instance& one = instance(host);
  for (int k = 0; k < 2; ++k) {
    EXPECT_EQ(trap_of(one.call("call_host", i32(0))), Trap::CallStackExhausted);
  }
}

TEST_F(Execution, CallsWithOtherArgumentsThanTheTypesAreRefused) {
  Instance& one = instance(plus_one);
  EXPECT_EQ(trap_of(one.call("load", {})), Trap::HostFailure);
  const std::vector<Value> wide{Value::i64(0)};
  EXPECT_EQ(trap_of(one.call("load", wide)), Trap::HostFailure);
  EXPECT_FALSE(one.call("memory", i32(0)));
  EXPECT_FALSE(one.call("absent", i32(0)));
}

TEST_F(Execution, MissingAndUnfitImportsAreNamed) {
  const auto module = load(hand_made_module());
  const auto missing = Instance::instantiate(*store_, module, linker_);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().error.message(), "unlinkable: unknown import: env.host");
  linker_.define_function("env", "host", +[](VmHostFunction*, std::uint64_t) {});
  const auto unfit = Instance::instantiate(*store_, module, linker_);
  ASSERT_FALSE(unfit);
  EXPECT_EQ(unfit.error().error.message(), "unlinkable: incompatible import type: env.host");
}

TEST_F(Execution, OfFunctionsWithOneNameTheOneOfTheImportsTypeIsTaken) {
  linker_.add_function("env", "host", +[](VmHostFunction*, std::uint64_t) {});
  linker_.add_function(
      "env", "host", +[](VmHostFunction*, std::uint32_t value) { return value + 5; });
  const auto one = Instance::instantiate(*store_, load(hand_made_module()), linker_);
  ASSERT_TRUE(one);
  const auto result = (*one)->call("call_host", i32(2));
  ASSERT_TRUE(result && *result);
  EXPECT_EQ((**result)[0].as_i32(), 7U);
}

TEST_F(Execution, TablesHoldTheReferencesOfElementSegments) {
  Instance& one = instance(plus_one);
  const auto elements = one.table(0).elements();
  ASSERT_EQ(elements.size(), 4U);
  EXPECT_EQ(elements[0], 0U);
  const auto* reference = reinterpret_cast<const VmFuncRef*>(elements[1]);
  const auto result = store_->call(*reference, i32(8));
  ASSERT_TRUE(result);
  EXPECT_EQ((*result)[0].as_i32(), 0x6c6c6568U);
  EXPECT_TRUE(one.table(0).grow(4, elements[1]));
  EXPECT_FALSE(one.table(0).grow(1, 0));
  EXPECT_EQ(one.table(0).elements()[7], elements[1]);
}

TEST_F(Execution, ElementSegmentOutOfBoundsIsATrap) {
  Module module = hand_made_module();
  module.elements[0].offset = artifact::i32_constant(3);
  linker_.define_function("env", "host", plus_one);
  const auto result = Instance::instantiate(*store_, load(module), linker_);
  ASSERT_FALSE(result);
  ASSERT_TRUE(result.error().trap);
  EXPECT_EQ(result.error().trap->trap, Trap::TableOutOfBounds);
}

TEST_F(Execution, ArtifactForAnotherCpuIsNotLoaded) {
  auto code = artifact::sample_code();
  auto key = artifact::sample_key();
  key.cpu_features = std::uint64_t{1} << 62;
  const auto file = artifact::write_artifact(artifact::sample_module(), code, key).value();
  base::UniqueFd fd(::memfd_create("artifact", MFD_CLOEXEC));
  ASSERT_TRUE(base::write_all(fd.get(), file, "artifact"));
  const auto loaded = LoadedModule::load(std::move(fd), "a.wherry");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().message(), "a.wherry: artifact is for x86-64: this cpu lacks bit 62");
}

/// Dies of the signal, or of a sanitizer's handler that was there before ours.
using ForeignFault = Execution;

void write_to_nowhere() {
  // The compiler must not see that nothing can be there.
  volatile std::uintptr_t address = 64;
  *reinterpret_cast<volatile int*>(address) = 1;
}

TEST_F(ForeignFault, OfTheHostStillKills) { EXPECT_DEATH(write_to_nowhere(), ""); }

TEST_F(ForeignFault, OfAHostFunctionStillKills) {
  const auto host = [](VmHostFunction*, std::uint32_t) -> std::uint32_t {
    write_to_nowhere();
    return 0;
  };
  Instance& one = instance(host);
  EXPECT_DEATH((void)one.call("call_host", i32(0)), "");
}

TEST_F(ForeignFault, AskedForByKillStillKills) { EXPECT_DEATH(::raise(SIGSEGV), ""); }

}  // namespace
}  // namespace engine::execution
