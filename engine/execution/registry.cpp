// Slots in chunks that are linked but never freed, so that a signal handler can walk them at any
// moment. A slot is taken and given back with one atomic store each.
#include "engine/execution/registry.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <utility>

namespace engine::execution {

struct Slot {
  std::atomic<std::uint8_t> kind{0};  ///< 0: free
  std::atomic<std::uintptr_t> start{0};
  std::atomic<std::size_t> size{0};
};

namespace {

constexpr std::uint8_t kFree = 0;
constexpr std::uint8_t kBeingFilled = 0xff;

struct Chunk {
  std::array<Slot, 32> slots;
  std::atomic<Chunk*> next{nullptr};
};

/// A signal handler has no other way to its data than a global.
constinit Chunk first_chunk;

Slot& take_slot() {
  for (Chunk* chunk = &first_chunk;;) {
    for (Slot& slot : chunk->slots) {
      std::uint8_t expected = kFree;
      if (slot.kind.compare_exchange_strong(expected, kBeingFilled)) return slot;
    }
    Chunk* next = chunk->next.load();
    if (next == nullptr) {
      auto fresh = std::make_unique<Chunk>();
      if (chunk->next.compare_exchange_strong(next, fresh.get())) next = fresh.release();
    }
    chunk = next;
  }
}

}  // namespace

RegisteredRange RegisteredRange::add(RangeKind kind, std::span<const std::byte> range) {
  Slot& slot = take_slot();
  slot.start.store(reinterpret_cast<std::uintptr_t>(range.data()));
  slot.size.store(range.size());
  slot.kind.store(static_cast<std::uint8_t>(kind));
  RegisteredRange out;
  out.slot_ = &slot;
  return out;
}

RegisteredRange::RegisteredRange(RegisteredRange&& other) noexcept
    : slot_(std::exchange(other.slot_, nullptr)) {}

RegisteredRange& RegisteredRange::operator=(RegisteredRange&& other) noexcept {
  std::swap(slot_, other.slot_);
  return *this;
}

RegisteredRange::~RegisteredRange() {
  if (slot_ != nullptr) slot_->kind.store(kFree);
}

std::span<const std::byte> find_range(RangeKind kind, std::uintptr_t address) {
  for (const Chunk* chunk = &first_chunk; chunk != nullptr; chunk = chunk->next.load()) {
    for (const Slot& slot : chunk->slots) {
      if (slot.kind.load() != static_cast<std::uint8_t>(kind)) continue;
      const std::uintptr_t start = slot.start.load();
      const std::size_t size = slot.size.load();
      // Safety: a range that is registered is mapped; one that another thread takes out at this
      // moment is not that of the code which runs on this one.
      if (address - start < size) return {reinterpret_cast<const std::byte*>(start), size};
    }
  }
  return {};
}

}  // namespace engine::execution
