// For tests: the bytes of small modules, written section by section.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <vector>

namespace engine::binary {

using Bytes = std::vector<std::byte>;

/// "\0asm", version 1, then `sections` as they are given.
inline Bytes module_of(std::initializer_list<Bytes> sections) {
  Bytes out;
  for (const int value : {0, 0x61, 0x73, 0x6d, 1, 0, 0, 0}) out.push_back(std::byte(value));
  for (const Bytes& section : sections) out.insert(out.end(), section.begin(), section.end());
  return out;
}

inline Bytes bytes_of(std::initializer_list<int> values) {
  Bytes out;
  for (const int value : values) out.push_back(std::byte(value));
  return out;
}

/// A section with the size of its content before it, at most 127 bytes.
inline Bytes section_of(int id, std::initializer_list<int> content) {
  Bytes out = bytes_of({id, static_cast<int>(content.size())});
  for (const int value : content) out.push_back(std::byte(value));
  return out;
}

/// The code section of one body: the given locals and instructions, `end` among them.
inline Bytes code_of(std::initializer_list<int> body) {
  const int size = static_cast<int>(body.size());
  Bytes out = bytes_of({10, size + 2, 1, size});
  for (const int value : body) out.push_back(std::byte(value));
  return out;
}

}  // namespace engine::binary
