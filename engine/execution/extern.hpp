// What can be imported and exported (core spec 4.2.11): functions, tables, memories, globals. The
// objects belong to the store and live as long as it.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <variant>

#include "base/mapping.hpp"
#include "base/result.hpp"
#include "engine/artifact/vm_layout.hpp"
#include "engine/execution/host_function.hpp"
#include "engine/execution/registry.hpp"
#include "engine/execution/value.hpp"
#include "engine/execution/wait_queue.hpp"

namespace engine::execution {

/// A linear memory. Its address never changes: 8 GiB and a page of 64 KiB are reserved, so that no
/// 32-bit index with a 32-bit offset leaves the reservation; what lies beyond the size faults. A
/// shared one may be used by all threads of the process, each with a store and instances of its
/// own.
class Memory {
 public:
  static base::Result<Memory> create(const MemoryType& type);

  VmMemory vm{};

  /// With the present size as minimum, as imports are matched (core spec 4.5.2).
  MemoryType type() const;
  std::uint64_t pages() const { return size() / kPageSize; }
  /// The old size in pages; nothing, and nothing changes, beyond the maximum or when the system
  /// refuses.
  std::optional<std::uint64_t> grow(std::uint64_t pages);
  std::span<std::byte> bytes() const { return {vm.base, size()}; }
  /// Of a shared memory only.
  WaitQueue& waiters() const { return sharing_->waiters; }

 private:
  struct Sharing {
    std::mutex growth;
    WaitQueue waiters;
  };

  Memory() = default;
  std::uint64_t size() const;

  std::optional<std::uint64_t> max_;
  base::Mapping reservation_;
  RegisteredRange registered_;
  std::unique_ptr<Sharing> sharing_;  ///< null when not shared
};

/// A table of 8-byte elements; its address never changes.
class Table {
 public:
  /// A table grows to at most this many elements, whatever its type says.
  static constexpr std::uint64_t kMaxElements = 10'000'000;

  /// LimitExceeded for a minimum above kMaxElements. All elements are null.
  static base::Result<Table> create(const TableType& type);

  VmTable vm{};

  TableType type() const;
  /// False, and nothing changes, beyond the maximum.
  bool grow(std::uint64_t count, std::uint64_t value);
  std::span<std::uint64_t> elements() const { return {vm.elements, vm.size}; }

 private:
  Table() = default;

  ValType element_ = ValType::FuncRef;
  std::optional<std::uint64_t> max_;
  base::Mapping reservation_;
};

struct Global {
  GlobalType type;
  VmValue* value = nullptr;

  Value get() const { return {type.type, *value}; }
};

using Extern = std::variant<HostFunction, VmFuncRef, Table*, Memory*, Global>;

}  // namespace engine::execution
