// One call of a WASI function: the context, and the caller's memory with checked access. Structures
// are copied in and out, so that a guest thread that changes them meanwhile changes nothing
// checked.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

#include "engine/artifact/vm_layout.hpp"
#include "engine/wasi/errno.hpp"
#include "engine/wasi/wasi_context.hpp"

namespace engine::wasi {

/// An address in the caller's memory 0.
using Address = std::uint32_t;

/// Room for one T in guest memory, found to be there before the work is done whose result it takes.
template <typename T>
class Out {
 public:
  explicit Out(std::byte* at) : at_(at) {}
  void set(const T& value) const { std::memcpy(at_, &value, sizeof(T)); }

 private:
  std::byte* at_;
};

/// Copies out of guest memory, where another thread may write at the same time: only once, so that
/// what is checked is what is used. Without the fence the optimiser could read the source again.
inline void copy_in(void* to, const std::byte* from, std::size_t size) {
  std::memcpy(to, from, size);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

class Call {
 public:
  explicit Call(const VmHostFunction& self)
      : self_(self),
        context_(static_cast<WasiContext*>(self.data)),
        memory_(context_->memory_of(self.caller)) {}

  WasiContext& context() const { return *context_; }
  DescriptorTable& descriptors() const { return context_->descriptors; }
  VmStore& store() const { return *self_.caller->store; }

  /// Fault when any part lies outside of the memory. It stays there for as long as the call lasts:
  /// memories neither move nor shrink.
  Result<std::span<std::byte>> bytes(Address at, std::uint64_t size) const {
    if (at > memory_.size() || size > memory_.size() - at) return fail(Errno::Fault);
    return memory_.subspan(at, size);
  }

  template <typename T>
  Result<T> read(Address at) const {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto from = bytes(at, sizeof(T));
    if (!from) return fail(from.error());
    T value;
    copy_in(&value, from->data(), sizeof(T));
    return value;
  }

  template <typename T>
  Result<Out<T>> out(Address at) const {
    static_assert(std::has_unique_object_representations_v<T>, "padding would leak host memory");
    const auto to = bytes(at, sizeof(T));
    if (!to) return fail(to.error());
    return Out<T>(to->data());
  }

  /// A path: NameTooLong from PATH_MAX on, Inval with a NUL in it.
  Result<std::string> path(Address at, std::uint32_t size) const;

 private:
  const VmHostFunction& self_;
  WasiContext* context_;
  std::span<std::byte> memory_;
};

}  // namespace engine::wasi
