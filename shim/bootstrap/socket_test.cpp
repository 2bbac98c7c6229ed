#include "shim/bootstrap/socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/temp_dir.hpp"
#include "shim/bootstrap/answer.hpp"
#include "shim/bootstrap/info.hpp"
#include "shim/protocol/bootstrap.hpp"
#include "shim/protocol/codec.hpp"

namespace shim::bootstrap {
namespace {

std::string group_of(std::string_view config) {
  const base::TempDir bundle;
  const std::string path = bundle.path() / "config.json";
  if (!base::write_atomic(path, config, 0600)) return "cannot write";
  const auto group = grouping(bundle.path(), "the-id");
  return group ? *group : "failed";
}

TEST(Grouping, ComesFromAnnotationsElseFromTheId) {
  EXPECT_EQ(group_of("{}"), "the-id");
  EXPECT_EQ(group_of(R"({"annotations":{"x":"y"}})"), "the-id");
  EXPECT_EQ(group_of(R"({"annotations":{"io.kubernetes.cri.sandbox-id":"pod"}})"), "pod");
  EXPECT_EQ(group_of(R"({"annotations":{"io.kubernetes.cri.sandbox-id":"pod",)"
                     R"("io.containerd.runc.v2.group":"group"}})"),
            "group");
  EXPECT_EQ(group_of(R"({"annotations":{"io.containerd.runc.v2.group":7}})"), "the-id");
  EXPECT_EQ(group_of("{"), "failed");
}

TEST(Grouping, ABundleWithoutConfigurationIsASandboxs) {
  const base::TempDir bundle;
  EXPECT_EQ(grouping(bundle.path(), "c"), "c");
}

TEST(SocketPath, IsTheOneThatGosShimsWouldHave) {
  // printf '/run/containerd/containerd.sock/k8s.io/pod' | sha256sum
  EXPECT_EQ(socket_path("/run/containerd/s", "/run/containerd/containerd.sock", "k8s.io", "pod"),
            "/run/containerd/s/b9cab8e84f817f3c3bb561c7ea8dcbfba051d5d8f56ec2c3f204bc387d13f7d0");
  EXPECT_EQ(socket_path("/s", "/run//containerd/./containerd.sock", "k8s.io", "pod")->substr(3),
            socket_path("/s", "/run/containerd/containerd.sock", "k8s.io", "pod")->substr(3));
  EXPECT_TRUE(socket_path("/" + std::string(40, 'd'), "/a", "n", "g"));
  EXPECT_FALSE(socket_path("/" + std::string(41, 'd'), "/a", "n", "g"));
}

TEST(SweepSockets, TakesOnlyNamesThatNobodyHasBound) {
  const base::TempDir directory;
  const auto path = [&](char letter) { return directory.path() / std::string(64, letter); };
  const std::string other = directory.path() / "another-name";
  {
    ASSERT_TRUE(*claim_socket(path('d')));
  }
  {
    ASSERT_TRUE(*claim_socket(other));
  }
  const auto live = claim_socket(path('a')).value();
  // Bound, and not listening yet.
  const base::UniqueFd bound(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path('b').string().copy(name.sun_path, sizeof(name.sun_path) - 1);
  // Safety: the generic form of a socket address.
  ASSERT_EQ(::bind(bound.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  ASSERT_TRUE(sweep_sockets(path('c')));
  EXPECT_NE(::access(path('d').c_str(), F_OK), 0);
  for (const std::string& kept : {other, path('a').string(), path('b').string()}) {
    EXPECT_EQ(::access(kept.c_str(), F_OK), 0) << kept;
  }
}

TEST(ClaimSocket, TheFirstGetsItTheSecondLearnsThatItIsServed) {
  const base::TempDir directory;
  const std::string path = directory.path() / "new" / "s";
  const auto first = claim_socket(path);
  ASSERT_TRUE(first) << first.error().message();
  ASSERT_TRUE(*first);
  const auto second = claim_socket(path);
  ASSERT_TRUE(second);
  EXPECT_FALSE(*second);
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat((directory.path() / "new").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST(ClaimSocket, ADeadSocketIsReplaced) {
  const base::TempDir directory;
  const std::string path = directory.path() / "s";
  {
    const auto dead = claim_socket(path);
    ASSERT_TRUE(dead && *dead);
  }
  const auto next = claim_socket(path);
  ASSERT_TRUE(next);
  EXPECT_TRUE(*next);
  EXPECT_FALSE(retire_socket(path, [] { return true; }).value());
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  EXPECT_TRUE(retire_socket(path, [] { return false; }).value());
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(ClaimSocket, OfManyAtOnceExactlyOneWins) {
  const base::TempDir directory;
  for (int round = 0; round < 20; ++round) {
    const std::string path = directory.path() / std::to_string(round);
    {
      ASSERT_TRUE(claim_socket(path));
    }  // leaves a dead one behind
    int go[2];
    int keep[2];
    ASSERT_EQ(::pipe(go), 0);
    ASSERT_EQ(::pipe(keep), 0);
    std::vector<pid_t> children;
    for (int k = 0; k < 8; ++k) {
      const pid_t child = ::fork();
      if (child == 0) {
        char byte = 0;
        ::close(go[1]);
        ::close(keep[1]);
        if (::read(go[0], &byte, 1) != 0) ::_exit(9);
        const auto claimed = claim_socket(path);
        if (!claimed) ::_exit(8);
        if (!*claimed) ::_exit(0);
        if (::read(keep[0], &byte, 1) < 0) ::_exit(7);  // serves until all have tried
        ::_exit(1);
      }
      children.push_back(child);
    }
    ::close(go[0]);
    ::close(keep[0]);
    ::close(go[1]);
    // The losers end by themselves; then the winner is let go.
    int winners = 0;
    int others = 0;
    for (int k = 0; k < 7; ++k) {
      int status = 0;
      ASSERT_GT(::waitpid(-1, &status, 0), 0);
      others += status == 0 ? 1 : 0;
    }
    ::close(keep[1]);
    int status = 0;
    ASSERT_GT(::waitpid(-1, &status, 0), 0);
    winners = WIFEXITED(status) && WEXITSTATUS(status) == 1 ? 1 : 0;
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(others, 7);
  }
}

TEST(ClaimSocket, ANameThatDoesNotFitIsAnError) {
  const base::TempDir directory;
  const std::string path = directory.path() / std::string(110, 's');
  EXPECT_FALSE(claim_socket(path));
}

TEST(AddressFile, HoldsTheAddressAlone) {
  const base::TempDir bundle;
  ASSERT_TRUE(write_address_file(bundle.path(), "/run/s/x"));
  EXPECT_EQ(base::read_file(bundle.path() / "address", 100).value_or(""), "unix:///run/s/x");
}

TEST(RuntimeInfo, NamesTheRuntimeAndItsFeatures) {
  const auto info = protocol::decode<protocol::RuntimeInfo>(runtime_info("1.2.3"));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->name, "io.containerd.wherry.v2");
  EXPECT_EQ(info->version->version, "1.2.3");
  EXPECT_EQ(info->features->type_url,
            "types.containerd.io/opencontainers/runtime-spec/1/features/Features");
  // What CRI looks for: read-only mounts all the way down, and user namespaces.
  EXPECT_NE(info->features->value.find("\"rro\""), std::string::npos);
  EXPECT_NE(info->features->value.find("\"idmap\":{\"enabled\":true}"), std::string::npos);
}

}  // namespace
}  // namespace shim::bootstrap
