// See chunk_module.hpp. Alias information is TBAA with one leaf for each region, never for a type:
// linear memory may be read as anything.
#include "engine/compiler/chunk_module.hpp"

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/MDBuilder.h>

namespace engine::compiler {

ChunkModule::ChunkModule(llvm::LLVMContext& llvm_context, const ModuleShape& module_shape,
                         std::string_view cpu)
    : context(llvm_context),
      module("chunk", llvm_context),
      shape(module_shape),
      wasm(*module_shape.module),
      i1(llvm::Type::getInt1Ty(context)),
      i8(llvm::Type::getInt8Ty(context)),
      i16(llvm::Type::getInt16Ty(context)),
      i32(llvm::Type::getInt32Ty(context)),
      i64(llvm::Type::getInt64Ty(context)),
      f32(llvm::Type::getFloatTy(context)),
      f64(llvm::Type::getDoubleTy(context)),
      v128(llvm::FixedVectorType::get(i64, 2)),
      pointer(llvm::PointerType::getUnqual(context)),
      alias_root_(llvm::MDBuilder(context).createTBAARoot("wasm")),
      debug_(module) {
  debug_file_ = debug_.createFile("module", ".");
  // Line directives only: .debug_line maps code to byte offsets, nothing else is wanted.
  debug_.createCompileUnit(llvm::dwarf::DW_LANG_C, debug_file_, "", true, "", 0, "",
                           llvm::DICompileUnit::DebugDirectivesOnly);
  debug_type_ = debug_.createSubroutineType(debug_.getOrCreateTypeArray({}));
  module.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  module.addModuleFlag(llvm::Module::Warning, "Dwarf Version", 4);
  module.setPICLevel(llvm::PICLevel::SmallPIC);

  llvm::AttrBuilder attributes(context);
  attributes.addAttribute(llvm::Attribute::NoUnwind);
  // Backtraces and node profilers walk frames.
  attributes.addAttribute("frame-pointer", "all");
  // A frame larger than a page must touch the guard page and not jump over it.
  attributes.addAttribute("probe-stack", "inline-asm");
  // No loop may become a call of memset: there is no libc to link with.
  attributes.addAttribute("no-builtins");
  attributes.addAttribute("target-cpu", llvm::StringRef(cpu.data(), cpu.size()));
  attributes_ = llvm::AttributeList::get(context, llvm::AttributeList::FunctionIndex, attributes);
}

llvm::Type* ChunkModule::value_type(ValType type) const {
  switch (type) {
    case ValType::I32:
      return i32;
    case ValType::F32:
      return f32;
    case ValType::F64:
      return f64;
    case ValType::V128:
      return v128;
    case ValType::I64:
    case ValType::FuncRef:
    case ValType::ExternRef:
      break;
  }
  return i64;
}

llvm::Type* ChunkModule::result_type(const FuncType& type) const {
  if (type.results.empty() || !results_in_registers(type)) return llvm::Type::getVoidTy(context);
  if (type.results.size() == 1) return value_type(type.results[0]);
  llvm::SmallVector<llvm::Type*, 8> fields;
  for (const ValType result : type.results) fields.push_back(value_type(result));
  return llvm::StructType::get(context, fields);
}

llvm::FunctionType* ChunkModule::function_type(const FuncType& type) const {
  llvm::SmallVector<llvm::Type*, 16> params{pointer};
  for (const ValType param : type.params) params.push_back(value_type(param));
  return llvm::FunctionType::get(result_type(type), params, false);
}

llvm::Function* ChunkModule::make_function(llvm::FunctionType* type, const std::string& name) {
  auto* out = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, module);
  out->setAttributes(attributes_);
  out->setVisibility(llvm::GlobalValue::HiddenVisibility);
  out->setDSOLocal(true);
  return out;
}

llvm::Function* ChunkModule::function(std::uint32_t index) {
  llvm::Function*& known = functions_[index];
  if (known) return known;
  known = make_function(function_type(wasm.type_of(index)), function_symbol(index));
  known->setCallingConv(llvm::CallingConv::Tail);
  known->addParamAttr(0, llvm::Attribute::NonNull);
  known->addParamAttr(0, llvm::Attribute::NoUndef);
  known->addParamAttr(0, llvm::Attribute::getWithAlignment(context, llvm::Align(16)));
  known->addParamAttr(0, llvm::Attribute::getWithDereferenceableBytes(context, shape.layout.size));
  return known;
}

llvm::DISubprogram* ChunkModule::make_subprogram(std::uint32_t function) {
  const std::string name = function_symbol(function);
  const auto body = static_cast<unsigned>(wasm.functions[function].body_offset);
  return debug_.createFunction(
      debug_file_, name, name, debug_file_, function, debug_type_, body, llvm::DINode::FlagZero,
      llvm::DISubprogram::SPFlagDefinition | llvm::DISubprogram::SPFlagOptimized);
}

llvm::MDNode* ChunkModule::tag(Region region, std::uint32_t index) {
  llvm::MDNode*& known = tags_[{region, index}];
  if (known) return known;
  llvm::MDBuilder builder(context);
  const std::string name =
      std::to_string(static_cast<unsigned>(region)) + "." + std::to_string(index);
  llvm::MDNode* leaf = builder.createTBAAScalarTypeNode(name, alias_root_);
  known = builder.createTBAAStructTagNode(leaf, leaf, 0);
  return known;
}

llvm::MDNode* ChunkModule::memory_tag(std::uint32_t memory) {
  if (memory < wasm.imported_memories) return tag(Region::ImportedMemories);
  return tag(Region::Memory, memory);
}

llvm::MDNode* ChunkModule::table_tag(std::uint32_t table) {
  if (table < wasm.imported_tables) return tag(Region::ImportedTables);
  return tag(Region::Table, table);
}

void ChunkModule::emit_trap(llvm::IRBuilder<>& builder, Trap trap) {
  auto* call = builder.CreateIntrinsic(llvm::Intrinsic::ubsantrap, {},
                                       {builder.getInt8(static_cast<std::uint8_t>(trap))});
  // Each trap keeps its own position.
  call->addFnAttr(llvm::Attribute::NoMerge);
  builder.CreateUnreachable();
}

void ChunkModule::finish() { debug_.finalize(); }

}  // namespace engine::compiler
