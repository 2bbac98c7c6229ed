"""The defences of the WASI sandbox (docs/decisions/012-wasi-paths.md)."""

from edit import Edit

OPS, OPEN, RESOLUTION = (f"engine/wasi/path_{name}.cpp" for name in ("ops", "open", "resolution"))
DESCRIPTOR = "engine/wasi/descriptor.cpp"
LOCK = """  DescriptorRef closed;
  const std::lock_guard lock(state_->mutex);
  std::vector<DescriptorRef>& all = state_->descriptors;
  const auto is_open"""


def edit(name, tests, *changes):
    return Edit("wasi", name, "engine_wasi_test", changes, tests)


EDITS = [
    edit("paths resolve as the host's do", [
        "BeneathADirectory.DotDotAndAbsolutePathsAreRefused",
        "BeneathADirectory.DotDotThatComesBackAfterLeavingIsRefused",
        "BeneathADirectory.LinksThatLeaveAreRefused",
        "BeneathADirectory.SlashesAtTheEndDoNotOpenTheWayOut",
        "BeneathADirectory.NothingIsCreatedThroughALinkThatLeaves",
        "BeneathADirectory.NothingIsTruncatedThroughALinkThatLeaves",
        "BeneathADirectory.EntriesAreNotChangedThroughDirectoriesThatLeave",
        "BeneathADirectory.NothingIsLearntOfWhatALinkThatLeavesNames",
        "BeneathADirectory.ADerivedDirectoryIsASandboxOfItsOwn",
        "InARoot.AbsoluteLinksAndDotDotResolveInside",
        "ChangingTree.AFileThatBecomesALinkOutwardsIsNeverReadThrough",
        "ChangingTree.TruncationNeverReachesAnotherFileThanTheOneThatIsOpened",
        "ChangingTree.ADirectoryThatBecomesALinkOutwardsIsNeverWrittenThrough",
        "GuestWithThreads.APathThatIsExchangedWhileItIsOpenedLeadsNowhereElse"],
        ("base/open_in_root.cpp", "how.resolve = resolve | RESOLVE", "how.resolve = RESOLVE")),
    edit("magic links are followed", ["WithProcfs.MagicLinksAreRefused"],
         ("base/open_in_root.cpp", "resolve | RESOLVE_NO_MAGICLINKS", "resolve")),
    edit("without openat2, openat", ["WithoutOpenat2.PathsAreRefusedNotWalked"],
         ("base/open_in_root.cpp", "    if (fd >= 0) return static_cast<int>(fd);\n",
          "    if (fd < 0 && errno == ENOSYS) return ::openat(root, path, int(how.flags), how.mode);\n"
          "    if (fd >= 0) return static_cast<int>(fd);\n")),
    edit("a link's name keeps its slash", ["BeneathADirectory.SlashesDoNotMakeLinkAndReadlinkFollow"],
         (OPS, "from.name_without_slash()", "from.name")),
    edit("entries are changed by whole paths", ["BeneathADirectory.EntriesAreNotChangedThroughDirectoriesThatLeave"],
         (RESOLUTION, "slash == std::string_view::npos ? 0 : slash + 1", "slash * 0")),
    edit("hard links follow", ["BeneathADirectory.HardLinksDoNotFollow"],
         (OPS, "  if ((old_lookup & kLookupSymlinkFollow) != 0) return fail(Errno::Inval);\n", ""),
         (OPS, "to.directory, to.name.c_str(), 0));\n}\n\nResult<void> path_rename",
          "to.directory, to.name.c_str(), old_lookup != 0 ? AT_SYMLINK_FOLLOW : 0));\n}\n\nResult<void> path_rename")),
    edit("links that leave are made", ["BeneathADirectory.LinksThatLeaveAreNotMade"],
         (OPS, "(to.starts_with('/') || climbs_out(link, to))", "to.empty() && climbs_out(link, to)")),
    edit("a path ends at its NUL", ["BeneathADirectory.APathWithANulIsRefused"],
         ("engine/wasi/call.cpp", "path.find('\\0') != std::string::npos", "path.empty() && size > 0")),
    edit("a derived directory is a root", ["BeneathADirectory.ADerivedDirectoryIsASandboxOfItsOwn"],
         (OPEN, "descriptor->sandbox = Sandbox::Beneath", "descriptor->sandbox = Sandbox::InRoot")),
    edit("truncation needs no right", ["BeneathADirectory.TruncatingNeedsTheRightByPathOrByDescriptor"],
         (OPEN, "if (request.truncate && !may_truncate(*directory))", "if (!request.truncate && !may_truncate(*directory))")),
    edit("truncation is no writing", ["ReadOnly.OpeningForAnyKindOfChangeIsRefused"],
         (OPEN, "return truncate || (base", "return (base")),
    edit("creation is no writing", ["ReadOnly.OpeningForAnyKindOfChangeIsRefused"],
         (OPEN, "    if (directory.read_only) return fail(Errno::RoFs);\n", "")),
    edit("entries of a read-only directory", ["ReadOnly.EntriesCannotBeChanged", "TwoPermissions.NoNameCrossesThem"],
         (OPS, "  if (directory->read_only) return fail(Errno::RoFs);\n", "")),
    edit("read-only is not handed on", ["ReadOnly.WhatIsOpenedThroughItIsReadOnlyToo"],
         (OPEN, "descriptor->read_only = directory->read_only", "descriptor->read_only = false")),
    edit("procfs is as other file systems", [
        "WithProcfs.TheMemoryOfItsOwnProcessIsRefused", "WithProcfs.TheMemoryIsRefusedUnderOtherNamesToo",
        "WithProcfs.NothingOnProcfsIsWritten"],
        (RESOLUTION, "if (filesystem.f_type != PROC_SUPER_MAGIC) return {};", "return {};")),
    edit("other mounts are as the directory's own", [
        "WithProcfs.TheMemoryOfItsOwnProcessIsRefused", "WithProcfs.TheMemoryIsRefusedUnderOtherNamesToo",
        "WithProcfs.NothingOnProcfsIsWritten"], (OPEN, "0666, RESOLVE_NO_XDEV)", "0666, 0)")),
    edit("/dev/fd is the process's", ["WithProcfs.DevStdinIsTheGuestsOwn"],
         (OPEN, "if (directory.sandbox != Sandbox::InRoot) return", "if (directory.sandbox == Sandbox::InRoot) return")),
    edit("renumber keeps what it replaces", ["Files.RenumberClosesWhatTheTargetStoodFor"],
         (DESCRIPTOR, "  closed.swap(all[to]);\n", "  new DescriptorRef(all[to]);\n")),
    edit("renumber takes two steps", ["GuestWithThreads.ANumberThatIsGivenToAnotherFileIsNeverReadHalfWay"],
         (DESCRIPTOR, LOCK, LOCK.replace("  const std::lock_guard lock(state_->mutex);\n", "")),
         (DESCRIPTOR, "  closed.swap(all[to]);\n", "  closed.swap(all[to]);\n  ::usleep(100);\n")),
    edit("any number of buffers", ["Files.MoreBuffersThanTheLimitAreInvalid", "LargeGuest.ManyLargeBuffersAreNotCopied"],
         ("engine/wasi/guest_iovecs.cpp", "if (count > kMaxIovecs)", "if (count + 1 == 0)")),
    edit("buffers anywhere", ["Files.BuffersOutsideTheMemoryAreAFault"],
         ("engine/wasi/call.hpp", "if (at > memory_.size() || size > memory_.size() - at) return fail(Errno::Fault);\n"
          "    return memory_.subspan(at, size);", "return std::span(memory_.data() + at, size);")),
    edit("any number of subscriptions", ["Polling.NoneAndTooManySubscriptionsAreInvalid",
                                         "LargeGuest.SubscriptionsAreBounded"],
         ("engine/wasi/poll.cpp", "kMaxSubscriptions = 65536", "kMaxSubscriptions = UINT32_MAX")),
    edit("a listing as large as it is asked for", ["LargeGuest.AListingIsMadePieceByPiece"],
         ("engine/wasi/readdir.cpp", "batch.bytes.resize(DirectoryBatch::kSize)", "batch.bytes.resize(room)"),
         ("engine/wasi/readdir.cpp", "DirectoryBatch& batch) {\n", "DirectoryBatch& batch, std::size_t room) {\n"),
         ("engine/wasi/readdir.cpp", "read_batch(host, cookie, batch)", "read_batch(host, cookie, batch, room.left())")),
    edit("random bytes by way of the host", ["LargeGuest.RandomBytesGoStraightIntoItsMemory"],
         ("engine/wasi/random.cpp", "  while (!rest.empty()) {", "  std::string copy(rest.size(), 'x');\n"
          "  std::copy(copy.begin(), copy.end(), reinterpret_cast<char*>(rest.data()));\n  while (!rest.empty()) {")),
    edit("paths of any length", ["LargeGuest.PathsAreBounded"],
         ("engine/wasi/call.cpp", "  if (size >= PATH_MAX) return fail(Errno::NameTooLong);\n", "")),
]
