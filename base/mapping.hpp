// A mapping that is unmapped by its owner's end.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.hpp"

namespace base {

/// Owns one mmap(2) range; moves only.
class Mapping {
 public:
  Mapping() = default;
  Mapping(void* address, std::size_t size) : address_(address), size_(size) {}
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  std::byte* data() const { return static_cast<std::byte*>(address_); }
  std::size_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {data(), size_}; }
  explicit operator bool() const { return address_ != nullptr; }

  /// The whole of a file, private and read-only. An empty file gives an empty mapping. Whoever can
  /// truncate the file can make reads fault: map only files that are never rewritten.
  static Result<Mapping> of_file(int fd, std::size_t limit, std::string_view subject);
  /// `size` bytes of address space that nothing may touch (PROT_NONE, MAP_NORESERVE).
  static Result<Mapping> reserve(std::size_t size);

 private:
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace base
