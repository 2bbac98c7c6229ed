// Telling a WebAssembly module from other files by its first bytes (core spec 5.5.16).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace runtime::workload {

enum class FileKind : std::uint8_t {
  Other,      ///< ELF, a script, anything the kernel is asked about
  Module,     ///< "\0asm", version 1
  Component,  ///< "\0asm", layer 1
};

/// Reads the first eight bytes; shorter files are Other.
base::Result<FileKind> kind_of_file(int fd, std::string_view subject);

}  // namespace runtime::workload
