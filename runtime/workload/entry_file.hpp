// Finding the file that args[0] names, inside a container's root and before any process lives
// there.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "oci/process.hpp"

namespace runtime::workload {

/// What execvp would take, resolved beneath `rootfs`: by PATH of the process's environment, or
/// relative to its cwd. Regular files only, opened for reading. Nothing where there is no such
/// file: whoever executes it then says so in runc's words.
base::Result<std::optional<base::UniqueFd>> open_entry_file(int rootfs, const oci::Process& process,
                                                            const std::string& name);

/// Whether the file's mode lets the process's user read it; wasm needs no x bit.
base::Result<bool> readable_by(int file, const oci::User& user);

}  // namespace runtime::workload
