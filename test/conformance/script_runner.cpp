// Each command of a script, and when it counts as passed (the suite's interpreter/README,
// "Scripts").
#include "test/conformance/script_runner.hpp"

#include <sys/mman.h>

#include "base/file.hpp"
#include "engine/artifact/writer.hpp"
#include "engine/binary/decode.hpp"
#include "engine/validation/validate.hpp"
#include "test/conformance/spectest_host.hpp"

namespace conformance {

using engine::ErrorKind;
using engine::execution::CallResult;
using engine::execution::Instance;
using engine::execution::InstantiationFailure;
using engine::execution::LoadedModule;
using engine::execution::Value;

namespace {

constexpr std::size_t kMaxModule = std::size_t{64} << 20;

engine::Error system_error(const base::Error& error) {
  return {ErrorKind::System, error.message()};
}

/// Messages match when one begins with the other: scripts name indices that engines leave out, and
/// engines name the subject.
bool same_message(std::string_view ours, std::string_view wanted) {
  return ours.starts_with(wanted) || wanted.starts_with(ours);
}

base::Result<std::shared_ptr<LoadedModule>> load(std::span<const std::byte> artifact) {
  base::UniqueFd file(::memfd_create("artifact", MFD_CLOEXEC));
  if (!file) return base::fail_errno("memfd_create");
  TRY(base::write_all(file.get(), artifact, "artifact"));
  return LoadedModule::load(std::move(file), "artifact");
}

std::string describe(const std::vector<Value>& values) {
  std::string out;
  for (const Value& value : values) out += (out.empty() ? "" : ", ") + conformance::describe(value);
  return out.empty() ? "nothing" : out;
}

std::string describe(const InstantiationFailure& failure) {
  return failure.trap ? "trap: " + std::string(failure.trap->text()) : failure.error.message();
}

}  // namespace

base::Result<std::unique_ptr<ScriptRunner>> ScriptRunner::create(
    const engine::compiler::CompileOptions& options, Report report) {
  auto out = std::make_unique<ScriptRunner>(Token(), options, std::move(report));
  out->store_ = TRY(engine::execution::Store::create());
  TRY(define_spectest(*out->store_, out->linker_));
  return out;
}

Tally ScriptRunner::run(const Script& script) {
  Tally out;
  folder_ = script.folder;
  for (const Command& command : script.commands) {
    if (command.is_text) {
      ++out.text;
      continue;
    }
    const Outcome outcome = run_command(command);
    const bool is_assertion = command.type.starts_with("assert_");
    if (outcome) {
      ++out.failed;
      report_(command.line, command.type + ": " + *outcome);
    } else if (is_assertion) {
      ++out.passed;
    }
  }
  return out;
}

ScriptRunner::Outcome ScriptRunner::run_command(const Command& command) {
  if (command.type == "module") return run_module(command);
  if (command.type == "register") return run_register(command);
  if (command.type == "assert_return") return assert_return(command);
  if (command.type == "assert_trap") return assert_trap(command);
  if (command.type == "assert_exhaustion") return assert_trap(command);
  if (command.type == "assert_invalid") return assert_refused(command, ErrorKind::Invalid);
  if (command.type == "assert_malformed") return assert_refused(command, ErrorKind::Malformed);
  if (command.type == "assert_unlinkable" || command.type == "assert_uninstantiable") {
    return assert_not_instantiated(command);
  }
  if (command.type == "action") {
    const auto result = perform(command.action);
    if (!result) return result.error();
    if (!*result) return "trap: " + std::string(result->error().text());
    return std::nullopt;
  }
  return "unknown command";
}

engine::Result<std::shared_ptr<LoadedModule>> ScriptRunner::compile_file(
    const std::string& filename) {
  const auto bytes = base::read_file_bytes(folder_ + "/" + filename, kMaxModule);
  if (!bytes) return std::unexpected(system_error(bytes.error()));
  const engine::Module module = TRY(engine::binary::decode(*bytes));
  TRY(engine::validation::validate(module));
  const auto code = TRY(engine::compiler::compile(module, options_));
  engine::artifact::ArtifactKey key;
  key.module_digest = base::sha256(*bytes);
  key.compiler = engine::compiler::compiler_version();
  key.options = engine::compiler::options_fingerprint(options_);
  const auto artifact = engine::artifact::write_artifact(module, code, key);
  if (!artifact) return std::unexpected(system_error(artifact.error()));
  auto loaded = load(*artifact);
  if (!loaded) return std::unexpected(system_error(loaded.error()));
  return std::move(*loaded);
}

std::expected<Instance*, InstantiationFailure> ScriptRunner::instantiate(
    const std::string& filename) {
  auto module = compile_file(filename);
  if (!module) {
    return std::unexpected(InstantiationFailure{std::move(module).error(), std::nullopt});
  }
  auto instance = Instance::instantiate(*store_, *module, linker_);
  (*module)->close_file();
  return instance;
}

ScriptRunner::Outcome ScriptRunner::run_module(const Command& command) {
  const auto instance = instantiate(command.filename);
  last_ = instance ? *instance : nullptr;
  if (!command.name.empty()) named_[command.name] = last_;
  return instance ? std::nullopt : Outcome(describe(instance.error()));
}

std::expected<Instance*, std::string> ScriptRunner::instance_of(const std::string& name) {
  Instance* const instance = name.empty() ? last_ : named_[name];
  if (instance == nullptr) return std::unexpected("no module " + name);
  return instance;
}

ScriptRunner::Outcome ScriptRunner::run_register(const Command& command) {
  const auto instance = instance_of(command.name);
  if (!instance) return instance.error();
  linker_.define_instance(command.as, **instance);
  return std::nullopt;
}

std::expected<CallResult, std::string> ScriptRunner::perform(const Action& action) {
  Instance* const instance = TRY(instance_of(action.module));
  if (action.is_get) {
    const auto found = instance->find_export(action.field);
    const auto* global = found ? std::get_if<engine::execution::Global>(&*found) : nullptr;
    if (global == nullptr) return std::unexpected("no global " + action.field);
    return CallResult(std::vector<Value>{global->get()});
  }
  std::vector<Value> arguments;
  for (const Pattern& argument : action.arguments) {
    arguments.push_back({argument.type, bits_of(argument)});
  }
  auto result = instance->call(action.field, arguments);
  if (!result) return std::unexpected("no function " + action.field);
  return std::move(*result);
}

ScriptRunner::Outcome ScriptRunner::assert_return(const Command& command) {
  const auto result = perform(command.action);
  if (!result) return result.error();
  if (!*result) return command.action.field + ": trap: " + std::string(result->error().text());
  const std::vector<Value>& values = **result;
  bool same = values.size() == command.expected.size();
  for (std::size_t k = 0; same && k < values.size(); ++k) {
    same = matches(command.expected[k], values[k]);
  }
  return same ? std::nullopt : Outcome(command.action.field + ": returned " + describe(values));
}

ScriptRunner::Outcome ScriptRunner::assert_trap(const Command& command) {
  const auto result = perform(command.action);
  if (!result) return result.error();
  if (*result) return command.action.field + ": returned " + describe(**result);
  const std::string_view text = result->error().text();
  if (same_message(text, command.text)) return std::nullopt;
  return command.action.field + ": trap \"" + std::string(text) + "\" instead of \"" +
         command.text + "\"";
}

ScriptRunner::Outcome ScriptRunner::assert_refused(const Command& command, ErrorKind kind) {
  const auto module = compile_file(command.filename);
  if (module) return "accepted; expected: " + command.text;
  if (module.error().kind == kind) return std::nullopt;
  return "refused as " + module.error().message() + "; expected: " + command.text;
}

ScriptRunner::Outcome ScriptRunner::assert_not_instantiated(const Command& command) {
  const auto instance = instantiate(command.filename);
  if (instance) return "instantiated; expected: " + command.text;
  const InstantiationFailure& failure = instance.error();
  const bool wants_trap = command.type == "assert_uninstantiable";
  const std::string_view text = failure.trap ? failure.trap->text() : failure.error.text;
  const bool right_kind =
      wants_trap ? failure.trap.has_value() : failure.error.kind == ErrorKind::Unlinkable;
  if (right_kind && same_message(text, command.text)) return std::nullopt;
  return describe(failure) + "; expected: " + command.text;
}

}  // namespace conformance
