// The functions of preview 1 (WASI preview1/witx/wasi_snapshot_preview1.witx), and how a linker
// gets at them. Parameters and their order are the specification's; what it calls results are
// addresses that come last.
#pragma once

#include <cstdint>
#include <type_traits>

#include "engine/wasi/call.hpp"

namespace engine::wasi {

using Fd = std::uint32_t;
using Size = std::uint32_t;

Result<void> args_get(Call& call, Address argv, Address buffer);
Result<void> args_sizes_get(Call& call, Address count, Address buffer_size);
Result<void> environ_get(Call& call, Address environ, Address buffer);
Result<void> environ_sizes_get(Call& call, Address count, Address buffer_size);

Result<void> clock_res_get(Call& call, std::uint32_t clock, Address resolution);
Result<void> clock_time_get(Call& call, std::uint32_t clock, std::uint64_t precision, Address time);

Result<void> fd_advise(Call& call, Fd fd, std::uint64_t offset, std::uint64_t length,
                       std::uint32_t advice);
Result<void> fd_allocate(Call& call, Fd fd, std::uint64_t offset, std::uint64_t length);
Result<void> fd_close(Call& call, Fd fd);
Result<void> fd_datasync(Call& call, Fd fd);
Result<void> fd_fdstat_get(Call& call, Fd fd, Address stat);
Result<void> fd_fdstat_set_flags(Call& call, Fd fd, std::uint32_t flags);
Result<void> fd_fdstat_set_rights(Call& call, Fd fd, Rights base, Rights inheriting);
Result<void> fd_filestat_get(Call& call, Fd fd, Address stat);
Result<void> fd_filestat_get_unstable(Call& call, Fd fd, Address stat);
Result<void> fd_filestat_set_size(Call& call, Fd fd, std::uint64_t size);
Result<void> fd_filestat_set_times(Call& call, Fd fd, std::uint64_t atim, std::uint64_t mtim,
                                   std::uint32_t flags);
Result<void> fd_pread(Call& call, Fd fd, Address iovs, Size count, std::uint64_t offset,
                      Address read);
Result<void> fd_prestat_get(Call& call, Fd fd, Address prestat);
Result<void> fd_prestat_dir_name(Call& call, Fd fd, Address path, Size path_size);
Result<void> fd_pwrite(Call& call, Fd fd, Address iovs, Size count, std::uint64_t offset,
                       Address written);
Result<void> fd_read(Call& call, Fd fd, Address iovs, Size count, Address read);
Result<void> fd_readdir(Call& call, Fd fd, Address buffer, Size size, std::uint64_t cookie,
                        Address used);
Result<void> fd_renumber(Call& call, Fd from, Fd to);
Result<void> fd_seek(Call& call, Fd fd, std::int64_t offset, std::uint32_t whence,
                     Address position);
Result<void> fd_seek_unstable(Call& call, Fd fd, std::int64_t offset, std::uint32_t whence,
                              Address position);
Result<void> fd_sync(Call& call, Fd fd);
Result<void> fd_tell(Call& call, Fd fd, Address position);
Result<void> fd_write(Call& call, Fd fd, Address iovs, Size count, Address written);

Result<void> path_create_directory(Call& call, Fd fd, Address path, Size path_size);
Result<void> path_filestat_get(Call& call, Fd fd, std::uint32_t lookup, Address path,
                               Size path_size, Address stat);
Result<void> path_filestat_get_unstable(Call& call, Fd fd, std::uint32_t lookup, Address path,
                                        Size path_size, Address stat);
Result<void> path_filestat_set_times(Call& call, Fd fd, std::uint32_t lookup, Address path,
                                     Size path_size, std::uint64_t atim, std::uint64_t mtim,
                                     std::uint32_t flags);
Result<void> path_link(Call& call, Fd old_fd, std::uint32_t old_lookup, Address old_path,
                       Size old_size, Fd new_fd, Address new_path, Size new_size);
Result<void> path_open(Call& call, Fd fd, std::uint32_t lookup, Address path, Size path_size,
                       std::uint32_t open_flags, Rights base, Rights inheriting,
                       std::uint32_t fd_flags, Address opened);
Result<void> path_readlink(Call& call, Fd fd, Address path, Size path_size, Address buffer,
                           Size buffer_size, Address used);
Result<void> path_remove_directory(Call& call, Fd fd, Address path, Size path_size);
Result<void> path_rename(Call& call, Fd fd, Address old_path, Size old_size, Fd new_fd,
                         Address new_path, Size new_size);
Result<void> path_symlink(Call& call, Address target, Size target_size, Fd fd, Address path,
                          Size path_size);
Result<void> path_unlink_file(Call& call, Fd fd, Address path, Size path_size);

Result<void> poll_oneoff(Call& call, Address subscriptions, Address events, Size count,
                         Address stored);
Result<void> poll_oneoff_unstable(Call& call, Address subscriptions, Address events, Size count,
                                  Address stored);

void proc_exit(Call& call, std::uint32_t code);
Result<void> proc_raise(Call& call, std::uint32_t signal);
Result<void> sched_yield(Call& call);
Result<void> random_get(Call& call, Address buffer, Size size);

Result<void> sock_accept(Call& call, Fd fd, std::uint32_t flags, Address accepted);
Result<void> sock_recv(Call& call, Fd fd, Address iovs, Size count, std::uint32_t flags,
                       Address received, Address flags_out);
Result<void> sock_send(Call& call, Fd fd, Address iovs, Size count, std::uint32_t flags,
                       Address sent);
Result<void> sock_shutdown(Call& call, Fd fd, std::uint32_t how);

// WasmEdge's socket extension (docs/formats/wasi-sockets.md). Where it has two forms, the older one
// ends in _v1 here; a guest's import is told apart by its type.
Result<void> sock_open(Call& call, std::uint32_t family, std::uint32_t type, Address opened);
Result<void> sock_bind(Call& call, Fd fd, Address address, std::uint32_t port);
Result<void> sock_listen(Call& call, Fd fd, std::uint32_t backlog);
Result<void> sock_connect(Call& call, Fd fd, Address address, std::uint32_t port);
Result<void> sock_accept_v1(Call& call, Fd fd, Address accepted);
Result<void> sock_recv_from(Call& call, Fd fd, Address iovs, Size count, Address address,
                            std::uint32_t flags, Address port, Address received, Address flags_out);
Result<void> sock_recv_from_v1(Call& call, Fd fd, Address iovs, Size count, Address address,
                               std::uint32_t flags, Address received, Address flags_out);
Result<void> sock_send_to(Call& call, Fd fd, Address iovs, Size count, Address address,
                          std::uint32_t port, std::uint32_t flags, Address sent);
Result<void> sock_getsockopt(Call& call, Fd fd, std::uint32_t level, std::uint32_t name,
                             Address value, Address size_or_place);
Result<void> sock_setsockopt(Call& call, Fd fd, std::uint32_t level, std::uint32_t name,
                             Address value, Size size);
Result<void> sock_getaddrinfo(Call& call, Address node, Size node_size, Address service,
                              Size service_size, Address hints, Address results, Size max_results,
                              Address stored);
Result<void> sock_getlocaladdr(Call& call, Fd fd, Address address, Address port);
Result<void> sock_getlocaladdr_v1(Call& call, Fd fd, Address address, Address family, Address port);
Result<void> sock_getpeeraddr(Call& call, Fd fd, Address address, Address port);
Result<void> sock_getpeeraddr_v1(Call& call, Fd fd, Address address, Address family, Address port);

/// A function above as compiled code calls it (engine/artifact/vm_layout.hpp, VmHostFunction):
/// signed integers in, the errno out.
template <auto kFunction>
struct HostEntry;

template <typename... Parameters, Result<void> (*kFunction)(Call&, Parameters...)>
struct HostEntry<kFunction> {
  static std::int32_t call(VmHostFunction* self, std::make_signed_t<Parameters>... parameters) {
    Call call(*self);
    const Result<void> result = kFunction(call, static_cast<Parameters>(parameters)...);
    return result ? 0 : static_cast<std::int32_t>(result.error());
  }
};

template <typename... Parameters, void (*kFunction)(Call&, Parameters...)>
struct HostEntry<kFunction> {
  static void call(VmHostFunction* self, std::make_signed_t<Parameters>... parameters) {
    Call call(*self);
    kFunction(call, static_cast<Parameters>(parameters)...);
  }
};

/// Calls visit(module, name, entry) for every function of both modules, where entry is a pointer of
/// the function's own type: int32_t (*)(VmHostFunction*, int32_t or int64_t...), or void for
/// proc_exit. Names come more than once, with different types. VmHostFunction::data is to be the
/// WasiContext, so for a linker:
///   for_each_function([&](auto module, auto name, auto entry) {
///     linker.add_function(module, name, entry, &context);
///   });
template <typename Visitor>
void for_each_function(Visitor&& visit) {
  constexpr const char* kPreview1 = "wasi_snapshot_preview1";
  constexpr const char* kUnstable = "wasi_unstable";
#define WASI_BOTH(name)                             \
  visit(kPreview1, #name, &HostEntry<&name>::call); \
  visit(kUnstable, #name, &HostEntry<&name>::call);
#define WASI_PREVIEW1(name) visit(kPreview1, #name, &HostEntry<&name>::call);
#define WASI_PREVIEW1_AS(name, function) visit(kPreview1, #name, &HostEntry<&function>::call);
#define WASI_UNSTABLE(name, function) visit(kUnstable, #name, &HostEntry<&function>::call);
#include "engine/wasi/functions.def"
}

}  // namespace engine::wasi
