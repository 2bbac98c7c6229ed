// Reservations of memories and tables (mmap(2), mprotect(2)).
#include "engine/execution/extern.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>

namespace engine::execution {
namespace {

/// Base (32 bits) plus static offset (32 bits) plus the access itself.
constexpr std::size_t kMemoryReservation = (std::size_t{8} << 30) + kPageSize;

}  // namespace

base::Result<Memory> Memory::create(const MemoryType& type) {
  Memory out;
  out.max_ = type.limits.max;
  if (type.is_shared) out.sharing_ = std::make_unique<Sharing>();
  out.reservation_ = TRY(base::with_context(base::Mapping::reserve(kMemoryReservation), "memory"));
  out.vm.base = out.reservation_.data();
  out.vm.max_pages = std::min(type.limits.max.value_or(kMaxMemoryPages), kMaxMemoryPages);
  out.registered_ = RegisteredRange::add(RangeKind::Memory, out.reservation_.bytes());
  if (!out.grow(type.limits.min)) {
    return base::fail(base::ErrorKind::LimitExceeded,
                      "memory of " + std::to_string(type.limits.min) + " pages");
  }
  return out;
}

MemoryType Memory::type() const { return {{pages(), max_}, sharing_ != nullptr}; }

std::uint64_t Memory::size() const {
  // atomic_ref takes no const object before C++26.
  return std::atomic_ref(const_cast<std::uint64_t&>(vm.size)).load();
}

std::optional<std::uint64_t> Memory::grow(std::uint64_t count) {
  const auto lock = sharing_ ? std::unique_lock(sharing_->growth) : std::unique_lock<std::mutex>();
  const std::uint64_t before = pages();
  if (count > vm.max_pages || before > vm.max_pages - count) return std::nullopt;
  if (count == 0) return before;
  std::byte* const end = vm.base + before * kPageSize;
  if (::mprotect(end, count * kPageSize, PROT_READ | PROT_WRITE) != 0) return std::nullopt;
  // Whoever sees the new size may use the pages.
  std::atomic_ref(vm.size).store((before + count) * kPageSize);
  return before;
}

base::Result<Table> Table::create(const TableType& type) {
  Table out;
  out.element_ = type.element;
  out.max_ = type.limits.max;
  out.vm.max = std::min(type.limits.max.value_or(kMaxElements), kMaxElements);
  if (type.limits.min > out.vm.max) {
    return base::fail(base::ErrorKind::LimitExceeded,
                      "table of " + std::to_string(type.limits.min) + " elements");
  }
  const std::size_t bytes = std::max<std::size_t>(out.vm.max, 1) * sizeof(std::uint64_t);
  out.reservation_ = TRY(base::with_context(base::Mapping::reserve(bytes), "table"));
  if (::mprotect(out.reservation_.data(), bytes, PROT_READ | PROT_WRITE) != 0) {
    return base::fail_errno("mprotect", "table");
  }
  // Safety: fresh zero pages, aligned for everything.
  out.vm.elements = reinterpret_cast<std::uint64_t*>(out.reservation_.data());
  out.vm.size = type.limits.min;
  return out;
}

TableType Table::type() const { return {element_, {vm.size, max_}}; }

bool Table::grow(std::uint64_t count, std::uint64_t value) {
  if (count > vm.max || vm.size > vm.max - count) return false;
  // Elements beyond the size were never written, so they are null.
  if (value != 0) std::fill_n(vm.elements + vm.size, count, value);
  vm.size += count;
  return true;
}

}  // namespace engine::execution
