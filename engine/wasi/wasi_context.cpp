#include "engine/wasi/wasi_context.hpp"

#include <fcntl.h>

#include <utility>

namespace engine::wasi {
namespace {

using base::ErrorKind;

// execve(2)'s own order of magnitude; keeps every size a guest is told below 2^32.
constexpr std::size_t kMaxStringBytes = std::size_t{64} << 20;

base::Result<void> check_strings(const std::vector<std::string>& strings, std::string_view what) {
  std::size_t total = 0;
  for (const std::string& string : strings) {
    if (string.find('\0') != std::string::npos) {
      return base::fail(ErrorKind::Invalid, std::string(what) + " contains a NUL byte");
    }
    total += string.size() + 1;
  }
  if (total > kMaxStringBytes) {
    return base::fail(ErrorKind::LimitExceeded, std::string(what) + " is larger than 64 MiB");
  }
  return {};
}

Rights rights_of_access_mode(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) return 0;
  Rights out = rights::kAll;
  if ((flags & O_ACCMODE) == O_RDONLY) out &= ~rights::kWriting;
  if ((flags & O_ACCMODE) == O_WRONLY) out &= ~rights::kReading;
  return out;
}

base::Result<DescriptorRef> describe_given(base::UniqueFd fd, std::string_view what) {
  const Rights base = rights_of_access_mode(fd.get());
  DescriptorRef descriptor = undescribed(std::move(fd), base, rights::kAll);
  if (!describe(*descriptor)) return base::fail_errno("fstat", what);
  return descriptor;
}

base::Result<void> add(WasiContext& context, DescriptorRef descriptor) {
  if (!context.descriptors.add(std::move(descriptor))) {
    return base::fail(ErrorKind::LimitExceeded, "too many descriptors for a guest");
  }
  return {};
}

// The numbers of those that are not open; they are held until everything else has its number.
base::Result<std::vector<std::uint32_t>> add_stdio(WasiContext& context,
                                                   std::array<base::UniqueFd, 3> stdio) {
  constexpr std::array kNames = {"standard input", "standard output", "standard error"};
  std::vector<std::uint32_t> closed;
  for (std::uint32_t i = 0; i < stdio.size(); ++i) {
    auto descriptor = std::make_shared<Descriptor>();
    if (stdio[i]) {
      descriptor = TRY(describe_given(std::move(stdio[i]), kNames[i]));
    } else {
      closed.push_back(i);
    }
    TRY(add(context, std::move(descriptor)));
  }
  return closed;
}

base::Result<void> add_preopen(WasiContext& context, Preopen preopen) {
  DescriptorRef descriptor = TRY(describe_given(std::move(preopen.directory), preopen.guest_path));
  if (descriptor->filetype != Filetype::Directory) {
    return base::fail(ErrorKind::Invalid, preopen.guest_path + " is not a directory");
  }
  descriptor->base = rights::kDirectory;
  descriptor->sandbox = preopen.sandbox;
  descriptor->read_only = preopen.read_only;
  descriptor->preopen = std::move(preopen.guest_path);
  return add(context, std::move(descriptor));
}

}  // namespace

base::Result<WasiContext> make_context(WasiOptions options) {
  if (options.memory_of == nullptr) {
    return base::fail(ErrorKind::Internal, "wasi needs a way to the caller's memory");
  }
  TRY(check_strings(options.arguments, "the argument list"));
  TRY(check_strings(options.environment, "the environment"));
  WasiContext context;
  context.arguments = std::move(options.arguments);
  context.environment = std::move(options.environment);
  context.sockets = std::move(options.sockets);
  context.resolver = std::move(options.resolver);
  context.memory_of = options.memory_of;
  context.exit = options.exit;
  context.exit_data = options.exit_data;
  const std::vector<std::uint32_t> closed = TRY(add_stdio(context, std::move(options.stdio)));
  for (base::UniqueFd& fd : options.inherited) {
    DescriptorRef descriptor = TRY(describe_given(std::move(fd), "inherited descriptor"));
    TRY(add(context, std::move(descriptor)));
  }
  for (Preopen& preopen : options.preopens) TRY(add_preopen(context, std::move(preopen)));
  for (const std::uint32_t number : closed) static_cast<void>(context.descriptors.close(number));
  return context;
}

}  // namespace engine::wasi
