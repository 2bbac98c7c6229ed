// Each record of engine/artifact/format.hpp from its counterpart in engine/structure/module.hpp.
#include "engine/artifact/metadata_writer.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <string>

#include "engine/artifact/format.hpp"

namespace engine::artifact {
namespace {

std::uint32_t narrow(std::size_t value) { return static_cast<std::uint32_t>(value); }

FlatLimits flat(const Limits& limits) { return {limits.min, limits.max.value_or(UINT64_MAX)}; }

FlatCode flat(const CodeRange& range) { return {range.offset, range.size}; }

class MetadataWriter {
 public:
  MetadataWriter(const Module& module, const CompiledCode& code, const ImagePlan& images)
      : module_(module), code_(code), images_(images) {}

  base::Result<Metadata> write();

 private:
  void add_types();
  void add_imports_and_exports();
  void add_functions();
  base::Result<void> add_tables_memories_globals();
  base::Result<void> add_elements();
  base::Result<void> add_data();
  Metadata assemble();

  Slice text(std::string_view text) {
    const Slice out{narrow(texts_.size()), narrow(text.size())};
    texts_.insert(texts_.end(), text.begin(), text.end());
    return out;
  }
  base::Result<Slice> constant(const ConstExpr& expression);
  base::Result<std::uint32_t> reference_slot(std::uint32_t function) const;

  const Module& module_;
  const CompiledCode& code_;
  const ImagePlan& images_;

  std::vector<FlatType> types_;
  std::vector<std::uint8_t> val_types_;
  std::vector<FlatImport> imports_;
  std::vector<FlatFunction> functions_;
  std::vector<FlatTable> tables_;
  std::vector<FlatMemory> memories_;
  std::vector<FlatGlobal> globals_;
  std::vector<FlatExport> exports_;
  std::vector<FlatElement> elements_;
  std::vector<std::uint32_t> item_slots_;
  std::vector<Slice> item_expressions_;
  std::vector<FlatData> data_;
  std::vector<FlatConstant> constants_;
  std::vector<char> texts_;
  std::vector<std::byte> data_bytes_;
};

base::Result<std::uint32_t> MetadataWriter::reference_slot(std::uint32_t function) const {
  const auto& all = module_.referenced_functions;
  const auto found = std::ranges::lower_bound(all, function);
  if (found == all.end() || *found != function) {
    return base::fail(base::ErrorKind::Invalid, "write artifact: function " +
                                                    std::to_string(function) +
                                                    " is referenced but not in the list");
  }
  return narrow(static_cast<std::size_t>(found - all.begin()));
}

/// The value opcodes carry their bits in `low` and `high`; nothing for any other opcode.
std::optional<ConstOp> const_op(Opcode opcode) {
  switch (opcode) {
    case Opcode::I32Const:
    case Opcode::I64Const:
    case Opcode::F32Const:
    case Opcode::F64Const:
    case Opcode::V128Const:
    case Opcode::RefNull:
      return ConstOp::Value;
    case Opcode::RefFunc:
      return ConstOp::RefFunc;
    case Opcode::GlobalGet:
      return ConstOp::GlobalGet;
    case Opcode::I32Add:
      return ConstOp::Add32;
    case Opcode::I32Sub:
      return ConstOp::Sub32;
    case Opcode::I32Mul:
      return ConstOp::Mul32;
    case Opcode::I64Add:
      return ConstOp::Add64;
    case Opcode::I64Sub:
      return ConstOp::Sub64;
    case Opcode::I64Mul:
      return ConstOp::Mul64;
    default:
      return std::nullopt;
  }
}

base::Result<Slice> MetadataWriter::constant(const ConstExpr& expression) {
  const Slice out{narrow(constants_.size()), narrow(expression.size())};
  for (const ConstInstruction& step : expression) {
    const auto op = const_op(step.opcode);
    if (!op) {
      return base::fail(base::ErrorKind::Invalid, "write artifact: no constant instruction");
    }
    FlatConstant flat_step{*op, step.index, step.low, step.high};
    if (step.opcode == Opcode::I32Const) flat_step.low &= 0xffffffff;
    if (step.opcode == Opcode::RefNull) flat_step = {ConstOp::Value, 0, 0, 0};
    if (*op == ConstOp::RefFunc) flat_step.index = TRY(reference_slot(step.index));
    constants_.push_back(flat_step);
  }
  return out;
}

void MetadataWriter::add_types() {
  for (std::size_t k = 0; k < module_.types.size(); ++k) {
    const FuncType& type = module_.types[k];
    types_.push_back({narrow(val_types_.size()), static_cast<std::uint16_t>(type.params.size()),
                      static_cast<std::uint16_t>(type.results.size()),
                      flat(code_.entry_trampolines[k]), flat(code_.host_trampolines[k])});
    for (const ValType param : type.params) val_types_.push_back(static_cast<std::uint8_t>(param));
    for (const ValType result : type.results) {
      val_types_.push_back(static_cast<std::uint8_t>(result));
    }
  }
}

void MetadataWriter::add_imports_and_exports() {
  for (const Import& one : module_.imports) {
    const Slice module = text(one.module);
    imports_.push_back({module, text(one.name), static_cast<std::uint32_t>(one.kind), one.index});
  }
  for (const Export& one : module_.exports) {
    exports_.push_back({text(one.name), static_cast<std::uint32_t>(one.kind), one.index});
  }
}

void MetadataWriter::add_functions() {
  for (std::size_t k = 0; k < module_.functions.size(); ++k) {
    const bool own = k >= module_.imported_functions;
    functions_.push_back(
        {module_.functions[k].type,
         own ? flat(code_.functions[k - module_.imported_functions]) : FlatCode{}});
  }
}

base::Result<void> MetadataWriter::add_tables_memories_globals() {
  for (const TableType& table : module_.tables) {
    tables_.push_back({flat(table.limits), static_cast<std::uint32_t>(table.element), 0});
  }
  for (std::size_t k = 0; k < module_.memories.size(); ++k) {
    const MemoryImage& image = images_.memories[k];
    const MemoryType& type = module_.memories[k];
    memories_.push_back({flat(type.limits), image.at, image.size, image.offset,
                         static_cast<std::uint32_t>(type.is_shared), 0});
  }
  for (const Global& global : module_.globals) {
    globals_.push_back({static_cast<std::uint32_t>(global.type.type),
                        static_cast<std::uint32_t>(global.type.is_mutable),
                        TRY(constant(global.init))});
  }
  return {};
}

base::Result<void> MetadataWriter::add_elements() {
  for (const ElementSegment& segment : module_.elements) {
    FlatElement out{};
    out.mode = static_cast<std::uint32_t>(segment.mode);
    out.table = segment.table;
    out.type = static_cast<std::uint32_t>(segment.type);
    out.offset = TRY(constant(segment.offset));
    if (segment.expressions.empty()) {
      out.items = {narrow(item_slots_.size()), narrow(segment.functions.size())};
      for (const std::uint32_t function : segment.functions) {
        item_slots_.push_back(function == kNullFunction ? kNone : TRY(reference_slot(function)));
      }
    } else {
      out.by_expression = 1;
      out.items = {narrow(item_expressions_.size()), narrow(segment.expressions.size())};
      for (const ConstExpr& item : segment.expressions) {
        item_expressions_.push_back(TRY(constant(item)));
      }
    }
    elements_.push_back(out);
  }
  return {};
}

base::Result<void> MetadataWriter::add_data() {
  for (std::size_t k = 0; k < module_.data.size(); ++k) {
    if (images_.in_image[k]) continue;
    const DataSegment& segment = module_.data[k];
    FlatData out{};
    out.mode = static_cast<std::uint32_t>(segment.mode);
    out.memory = segment.memory;
    out.offset = TRY(constant(segment.offset));
    out.segment = narrow(k);
    out.size = segment.data_size;
    out.data_offset = data_bytes_.size();
    const auto bytes = module_.bytes.subspan(segment.data_offset, segment.data_size);
    data_bytes_.insert(data_bytes_.end(), bytes.begin(), bytes.end());
    data_.push_back(out);
  }
  return {};
}

Metadata MetadataWriter::assemble() {
  Metadata out;
  MetadataHeader head{};
  const auto place = [&]<typename T>(const std::vector<T>& records, Array& where) {
    const std::size_t at = (out.metadata.size() + 7) / 8 * 8;
    where = {narrow(at), narrow(records.size())};
    out.metadata.resize(at + records.size() * sizeof(T));
    if (!records.empty()) {
      std::memcpy(out.metadata.data() + at, records.data(), records.size() * sizeof(T));
    }
  };
  head.module_name = text(module_.module_name);
  out.metadata.resize(sizeof(head));
  place(types_, head.types);
  place(val_types_, head.val_types);
  place(imports_, head.imports);
  place(functions_, head.functions);
  place(tables_, head.tables);
  place(memories_, head.memories);
  place(globals_, head.globals);
  place(exports_, head.exports);
  place(elements_, head.elements);
  place(item_slots_, head.item_slots);
  place(item_expressions_, head.item_expressions);
  place(data_, head.data);
  place(constants_, head.constants);
  place(module_.referenced_functions, head.references);
  place(texts_, head.texts);
  head.imported_functions = module_.imported_functions;
  head.imported_tables = module_.imported_tables;
  head.imported_memories = module_.imported_memories;
  head.imported_globals = module_.imported_globals;
  head.start = module_.start.value_or(kNone);
  std::memcpy(out.metadata.data(), &head, sizeof(head));
  out.data = std::move(data_bytes_);
  return out;
}

base::Result<Metadata> MetadataWriter::write() {
  add_types();
  add_imports_and_exports();
  add_functions();
  TRY(add_tables_memories_globals());
  TRY(add_elements());
  TRY(add_data());
  return assemble();
}

}  // namespace

base::Result<Metadata> write_metadata(const Module& module, const CompiledCode& code,
                                      const ImagePlan& images) {
  return MetadataWriter(module, code, images).write();
}

}  // namespace engine::artifact
