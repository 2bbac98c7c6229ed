// path_open. On its directory's own mount a file is opened at once, and looked at when a call needs
// to know what it is. Where the path leads to another mount, which may be a procfs, one that is to
// be changed or made is first opened with O_PATH, which touches nothing, and only then for use, if
// it is still the same.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <optional>

#include "base/result.hpp"
#include "engine/wasi/fd_flags.hpp"
#include "engine/wasi/functions.hpp"
#include "engine/wasi/path_resolution.hpp"

namespace engine::wasi {
namespace {

// How often somebody else may exchange the file between the two opens.
constexpr int kMaxTries = 16;

struct OpenRequest {
  bool follow = false;
  bool create = false;
  bool directory = false;
  bool exclusive = false;
  bool truncate = false;
  Rights base = 0;
  Rights inheriting = 0;
  int fd_flags = 0;

  // The right to set the size alone does not make a writer: Go asks for it whenever it reads.
  bool writing() const {
    return truncate || (base & rights::kWriting & ~rights::kFdFilestatSetSize) != 0;
  }
  bool reading() const { return (base & rights::kReading) != 0; }
  int access_mode() const {
    if (!writing()) return O_RDONLY;
    return reading() ? O_RDWR : O_WRONLY;
  }
  bool changing() const { return create || writing(); }
  int follow_flag() const { return follow ? 0 : O_NOFOLLOW; }
  int use_flags() const { return O_NOCTTY | access_mode() | fd_flags | follow_flag(); }
  // O_EXCL only if asked for: without it a link to nothing, inside, creates what it names.
  int create_flags() const { return (create ? O_CREAT : 0) | (create && exclusive ? O_EXCL : 0); }
  int directory_flag() const { return directory ? O_DIRECTORY : 0; }
};

Result<OpenRequest> parse_request(std::uint32_t lookup, std::uint32_t flags, Rights base,
                                  Rights inheriting, std::uint32_t fd_flags) {
  if ((flags & ~oflags::kAll) != 0) return fail(Errno::Inval);
  OpenRequest out;
  out.follow = (lookup & kLookupSymlinkFollow) != 0;
  out.create = (flags & oflags::kCreat) != 0;
  out.directory = (flags & oflags::kDirectory) != 0;
  out.exclusive = (flags & oflags::kExcl) != 0;
  out.truncate = (flags & oflags::kTrunc) != 0;
  if (out.directory && (out.create || out.truncate)) return fail(Errno::Inval);
  // Some guests set every bit of the word, those too that are no rights.
  out.base = base & rights::kAll;
  out.inheriting = inheriting & rights::kAll;
  out.fd_flags = TRY(host_fd_flags(fd_flags));
  if (!out.writing()) out.base &= ~rights::kFdFilestatSetSize;
  return out;
}

// "/dev/stdin" and "/dev/fd/7" are magic links in a real /dev; here they are the guest's own
// numbers.
std::optional<Fd> own_descriptor(const Descriptor& directory, std::string_view path) {
  if (directory.sandbox != Sandbox::InRoot) return std::nullopt;
  while (path.starts_with('/')) path.remove_prefix(1);
  if (path == "dev/stdin") return 0;
  if (path == "dev/stdout") return 1;
  if (path == "dev/stderr") return 2;
  constexpr std::string_view kPrefix = "dev/fd/";
  if (!path.starts_with(kPrefix)) return std::nullopt;
  path.remove_prefix(kPrefix.size());
  Fd number = 0;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), number);
  if (error != std::errc() || end != path.data() + path.size()) return std::nullopt;
  return number;
}

Result<DescriptorRef> duplicate(const Call& call, Fd number, const OpenRequest& request) {
  const DescriptorRef own = TRY(call.descriptors().get(number));
  base::UniqueFd fd(::fcntl(own->fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!fd) return fail_from_host();
  auto out = std::make_shared<Descriptor>();
  out->fd = std::move(fd);
  out->filetype = own->filetype;
  out->sandbox = own->sandbox;
  out->on_procfs = own->on_procfs;
  out->read_only = own->read_only;
  out->base = own->base & request.base;
  out->inheriting = own->inheriting & request.inheriting;
  return out;
}

bool same_file(const struct stat& left, const struct stat& right) {
  return left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

Result<base::UniqueFd> create_file(const Descriptor& directory, const std::string& path,
                                   const OpenRequest& request) {
  base::UniqueFd fd =
      TRY(open_path(directory, path, request.use_flags() | request.create_flags(), 0666));
  TRY(check_openable(fd.get(), request.writing()));
  return fd;
}

Result<base::UniqueFd> open_directory(int found, const OpenRequest& request) {
  if (request.changing()) return fail(Errno::IsDir);
  // "." of a descriptor is that directory itself: nothing can come between.
  base::UniqueFd fd(::openat(found, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd && errno == EACCES && (request.base & rights::kFdReaddir) == 0) {
    fd.reset(::openat(found, ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  if (!fd) return fail_from_host();
  return fd;
}

// Again when the file is not `found` any more.
Result<base::UniqueFd> open_found(const Descriptor& directory, const std::string& path,
                                  const OpenRequest& request, int found) {
  struct stat status{};
  if (::fstat(found, &status) != 0) return fail_from_host();
  if (S_ISLNK(status.st_mode)) return fail(Errno::Loop);
  if (S_ISDIR(status.st_mode)) return open_directory(found, request);
  TRY(check_openable(found, request.writing()));
  base::UniqueFd fd = TRY(open_path(directory, path, request.use_flags()));
  struct stat opened{};
  if (::fstat(fd.get(), &opened) != 0) return fail_from_host();
  if (!same_file(status, opened)) return fail(Errno::Again);
  return fd;
}

Result<base::UniqueFd> try_open(const Descriptor& directory, const std::string& path,
                                const OpenRequest& request) {
  const int look = O_PATH | request.follow_flag() | request.directory_flag();
  Result<base::UniqueFd> found = open_path(directory, path, look);
  if (!found) {
    if (found.error() != Errno::NoEnt || !request.create) return fail(found.error());
    if (directory.read_only) return fail(Errno::RoFs);
    return create_file(directory, path, request);
  }
  if (request.create && request.exclusive) return fail(Errno::Exist);
  return open_found(directory, path, request, found->get());
}

/// Looks before it opens what is to be changed.
Result<base::UniqueFd> open_anywhere(const Descriptor& directory, const std::string& path,
                                     const OpenRequest& request) {
  Result<base::UniqueFd> opened = fail(Errno::Acces);
  if (!request.changing()) {
    opened = open_path(directory, path, request.use_flags() | request.directory_flag());
    if (opened) TRY(check_openable(opened->get(), false));
  }
  // Acces also where O_PATH would do: a directory that nobody lists.
  if (opened || opened.error() != Errno::Acces) return opened;
  opened = fail(Errno::Again);
  for (int tries = 0; tries < kMaxTries && !opened && opened.error() == Errno::Again; ++tries) {
    opened = try_open(directory, path, request);
  }
  return opened;
}

Result<base::UniqueFd> open_host_file(const Descriptor& directory, const std::string& path,
                                      const OpenRequest& request) {
  // Below a read-only directory O_CREAT may open a file, but not make it.
  if (!directory.on_procfs && !(request.create && directory.read_only)) {
    const int flags = request.use_flags() | request.create_flags() | request.directory_flag();
    Result<base::UniqueFd> opened = open_path(directory, path, flags, 0666, RESOLVE_NO_XDEV);
    // Perm when the path leads to another mount, or out of the sandbox.
    if (opened || (opened.error() != Errno::Perm && opened.error() != Errno::Acces)) return opened;
  }
  return open_anywhere(directory, path, request);
}

// O_TRUNC, which would have emptied whatever file the path led to, is never passed on.
Result<void> empty(Descriptor& file) {
  TRY(describe(file));
  if (file.filetype != Filetype::RegularFile) return {};
  if (::ftruncate(file.fd.get(), 0) != 0) return fail_from_host();
  return {};
}

// Who may open a file so that its size can be set may as well set it at once. Go's os.Root asks for
// its directory without the first of these rights and truncates files through it.
bool may_truncate(const Descriptor& directory) {
  return (directory.base & rights::kPathFilestatSetSize) != 0 ||
         (directory.inheriting & rights::kFdFilestatSetSize) != 0;
}

}  // namespace

Result<void> path_open(Call& call, Fd fd, std::uint32_t lookup, Address path, Size path_size,
                       std::uint32_t open_flags, Rights base, Rights inheriting,
                       std::uint32_t fd_flags, Address opened) {
  const auto out = TRY(call.out<Fd>(opened));
  const OpenRequest request = TRY(parse_request(lookup, open_flags, base, inheriting, fd_flags));
  const Rights needed = rights::kPathOpen | (request.create ? rights::kPathCreateFile : 0);
  const DescriptorRef directory = TRY(call.descriptors().get_directory(fd, needed));
  if (request.truncate && !may_truncate(*directory)) return fail(Errno::NotCapable);
  if (((request.base | request.inheriting) & ~directory->inheriting) != 0) {
    return fail(Errno::NotCapable);
  }
  const std::string name = TRY(call.path(path, path_size));
  if (const std::optional<Fd> own = own_descriptor(*directory, name)) {
    DescriptorRef descriptor = TRY(duplicate(call, *own, request));
    out.set(TRY(call.descriptors().add(std::move(descriptor))));
    return {};
  }
  if (directory->read_only && request.writing()) return fail(Errno::RoFs);
  base::UniqueFd host = TRY(open_host_file(*directory, name, request));
  DescriptorRef descriptor = undescribed(std::move(host), request.base, request.inheriting);
  if (request.truncate) TRY(empty(*descriptor));
  // Not InRoot: an absolute link has no meaning relative to a directory within the root.
  descriptor->sandbox = Sandbox::Beneath;
  descriptor->read_only = directory->read_only;
  out.set(TRY(call.descriptors().add(std::move(descriptor))));
  return {};
}

}  // namespace engine::wasi
