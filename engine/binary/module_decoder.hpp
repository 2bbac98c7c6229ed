// The decoder's parts: one function a section, filling one Module in the order of the file.
#pragma once

#include "engine/binary/reader.hpp"
#include "engine/structure/module.hpp"

namespace engine::binary {

/// A constant expression up to its `end`.
Result<ConstExpr> read_const_expr(Reader& reader);
Result<TableType> read_table_type(Reader& reader);
Result<MemoryType> read_memory_type(Reader& reader);
Result<GlobalType> read_global_type(Reader& reader);

Result<void> read_types(Reader& reader, Module& out);
Result<void> read_imports(Reader& reader, Module& out);
Result<void> read_functions(Reader& reader, Module& out);
Result<void> read_tables(Reader& reader, Module& out);
Result<void> read_memories(Reader& reader, Module& out);
Result<void> read_globals(Reader& reader, Module& out);
Result<void> read_exports(Reader& reader, Module& out);
Result<void> read_start(Reader& reader, Module& out);
Result<void> read_elements(Reader& reader, Module& out);
Result<void> read_data_count(Reader& reader, Module& out);
Result<void> read_code(Reader& reader, Module& out);
Result<void> read_data(Reader& reader, Module& out);
/// The name section; what is wrong in it is left out, never an error (core spec 7.4).
void read_names(Reader reader, Module& out);

}  // namespace engine::binary
