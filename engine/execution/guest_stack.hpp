// The stack that guest code runs on, with a guard below it, and the alternate stack on which the
// signal handler runs when the guest has used it up.
#pragma once

#include <cstddef>
#include <span>

#include "base/mapping.hpp"
#include "base/result.hpp"

namespace engine::execution {

class GuestStack {
 public:
  static constexpr std::size_t kDefaultSize = std::size_t{8} << 20;
  static constexpr std::size_t kGuard = std::size_t{1} << 20;
  /// What a host function that was called from the guest finds at least.
  static constexpr std::size_t kHostReserve = std::size_t{256} << 10;

  /// `size` is rounded up to pages, and at least 1 MiB.
  static base::Result<GuestStack> create(std::size_t size);

  std::byte* top() const { return mapping_.data() + mapping_.size(); }
  std::byte* limit() const { return mapping_.data() + kGuard + kHostReserve; }
  std::span<const std::byte> guard() const { return {mapping_.data(), kGuard}; }
  /// Guard included.
  bool contains(const void* address) const;

 private:
  explicit GuestStack(base::Mapping mapping) : mapping_(std::move(mapping)) {}

  base::Mapping mapping_;
};

/// The calling thread's alternate signal stack, from here to the object's end; keeps one that the
/// thread has already.
class SignalStack {
 public:
  static base::Result<SignalStack> install();
  SignalStack(SignalStack&& other) noexcept = default;
  SignalStack& operator=(SignalStack&&) = delete;
  ~SignalStack();

 private:
  explicit SignalStack(base::Mapping mapping) : mapping_(std::move(mapping)) {}

  base::Mapping mapping_;
};

}  // namespace engine::execution
