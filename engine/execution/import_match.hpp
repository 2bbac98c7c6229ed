// Does what is given fit what is imported (core spec 4.5.2, "import matching")?
#pragma once

#include "engine/artifact/format.hpp"
#include "engine/structure/types.hpp"

namespace engine::execution {

TableType table_type(const artifact::FlatTable& flat);
MemoryType memory_type(const artifact::FlatMemory& flat);
GlobalType global_type(const artifact::FlatGlobal& flat);

bool matches(const TableType& given, const artifact::FlatTable& wanted);
bool matches(const MemoryType& given, const artifact::FlatMemory& wanted);
bool matches(const GlobalType& given, const artifact::FlatGlobal& wanted);

}  // namespace engine::execution
