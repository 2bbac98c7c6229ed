// Runs one script of the core test suite through decoder, validator, compiler and execution.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/compiler/compile.hpp"
#include "engine/execution/instance.hpp"
#include "test/conformance/wast_script.hpp"

namespace conformance {

struct Tally {
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  /// assert_malformed of modules in the text format: the translator's own affair.
  std::uint64_t text = 0;
};

class ScriptRunner {
 private:
  struct Token {};

 public:
  /// `report` is told of each failure: line and why.
  using Report = std::function<void(std::uint64_t line, const std::string& why)>;

  ScriptRunner(Token /*only create has one*/, const engine::compiler::CompileOptions& options,
               Report report)
      : options_(options), report_(std::move(report)) {}

  static base::Result<std::unique_ptr<ScriptRunner>> create(
      const engine::compiler::CompileOptions& options, Report report);

  Tally run(const Script& script);

 private:
  /// Nothing for success, otherwise why not.
  using Outcome = std::optional<std::string>;

  Outcome run_command(const Command& command);
  Outcome run_module(const Command& command);
  Outcome run_register(const Command& command);
  Outcome assert_return(const Command& command);
  Outcome assert_trap(const Command& command);
  Outcome assert_refused(const Command& command, engine::ErrorKind kind);
  Outcome assert_not_instantiated(const Command& command);

  engine::Result<std::shared_ptr<engine::execution::LoadedModule>> compile_file(
      const std::string& filename);
  std::expected<engine::execution::Instance*, engine::execution::InstantiationFailure> instantiate(
      const std::string& filename);
  std::expected<engine::execution::Instance*, std::string> instance_of(const std::string& name);
  std::expected<engine::execution::CallResult, std::string> perform(const Action& action);

  engine::compiler::CompileOptions options_;
  Report report_;
  std::string folder_;
  std::unique_ptr<engine::execution::Store> store_;
  engine::execution::Linker linker_;
  engine::execution::Instance* last_ = nullptr;
  std::map<std::string, engine::execution::Instance*> named_;
};

}  // namespace conformance
