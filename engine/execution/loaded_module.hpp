// An artifact mapped for execution: the file read-only, its text executable. Nothing is copied or
// relocated, so all processes that run the module share its pages.
#pragma once

#include <memory>
#include <string_view>

#include "base/mapping.hpp"
#include "base/unique_fd.hpp"
#include "engine/artifact/reader.hpp"
#include "engine/execution/registry.hpp"

namespace engine::execution {

class LoadedModule {
 private:
  struct Token {};

 public:
  LoadedModule(Token /*only load has one*/, base::UniqueFd file, base::Mapping mapping,
               const artifact::Artifact& artifact)
      : file_(std::move(file)), mapping_(std::move(mapping)), artifact_(artifact) {}

  /// Refuses a file that is no whole artifact of this version, or is for another CPU. The caller
  /// vouches for the text (docs/formats/artifact.md) and that the file is never written again.
  static base::Result<std::shared_ptr<LoadedModule>> load(base::UniqueFd file,
                                                          std::string_view subject);

  const artifact::Artifact& artifact() const { return artifact_; }
  std::span<const std::byte> text() const { return artifact_.part(artifact::Part::Text); }
  const void* code(const artifact::FlatCode& code) const { return text().data() + code.offset; }

  /// Needed while instances are made; afterwards the guest's process has no use for it. Instances
  /// made later copy their memory's image instead of mapping it.
  void close_file() { file_.reset(); }
  /// -1 when closed.
  int file() const { return file_.get(); }

 private:
  base::UniqueFd file_;
  base::Mapping mapping_;
  artifact::Artifact artifact_;
  RegisteredRange registered_;
};

}  // namespace engine::execution
