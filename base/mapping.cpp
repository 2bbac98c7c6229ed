#include "base/mapping.hpp"

#include <sys/mman.h>

#include <string>
#include <utility>

#include "base/file.hpp"

namespace base {

Mapping::Mapping(Mapping&& other) noexcept
    : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(size_, other.size_);
  return *this;
}

Mapping::~Mapping() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

Result<Mapping> Mapping::of_file(int fd, std::size_t limit, std::string_view subject) {
  const struct stat status = TRY(stat_fd(fd, subject));
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > limit) {
    return fail(ErrorKind::LimitExceeded, "map " + std::string(subject) + ": " +
                                              std::to_string(size) + " bytes, the limit is " +
                                              std::to_string(limit));
  }
  if (size == 0) return Mapping();
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (address == MAP_FAILED) return fail_errno("mmap", subject);
  return Mapping(address, size);
}

Result<Mapping> Mapping::reserve(std::size_t size) {
  void* address =
      ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) return fail_errno("mmap", std::to_string(size) + " bytes");
  return Mapping(address, size);
}

}  // namespace base
