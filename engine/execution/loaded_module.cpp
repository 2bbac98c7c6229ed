// Maps an artifact: one mmap(2) of the file, one mprotect(2) of its text.
#include "engine/execution/loaded_module.hpp"

#include <sys/mman.h>

namespace engine::execution {

base::Result<std::shared_ptr<LoadedModule>> LoadedModule::load(base::UniqueFd file,
                                                               std::string_view subject) {
  base::Mapping mapping = TRY(base::Mapping::of_file(file.get(), artifact::kMaxFileSize, subject));
  const auto artifact =
      TRY(base::with_context(artifact::Artifact::parse(mapping.bytes()), subject));
  TRY(base::with_context(artifact::check_cpu(artifact), subject));
  auto out = std::make_shared<LoadedModule>(Token(), std::move(file), std::move(mapping), artifact);
  const auto text = out->text();
  if (text.empty()) return out;
  // Safety: W^X: the private mapping was never writable, and whoever passed the file vouches for
  // it.
  std::byte* start = out->mapping_.data() + (text.data() - out->mapping_.data());
  if (::mprotect(start, text.size(), PROT_READ | PROT_EXEC) != 0) {
    return base::fail_errno("mprotect", subject);
  }
  out->registered_ = RegisteredRange::add(RangeKind::Text, text);
  return out;
}

}  // namespace engine::execution
