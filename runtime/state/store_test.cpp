#include "runtime/state/store.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/temp_dir.hpp"
#include "runtime/state/process_id.hpp"

namespace runtime::state {
namespace {

using std::chrono::milliseconds;

class StoreTest : public ::testing::Test {
 protected:
  Record record(Phase phase) {
    Record out;
    out.id = "c1";
    out.phase = phase;
    out.creator = *identify(::getpid());
    return out;
  }
  // Record locks are per process, so a rival has to be one. Returns what `work` returns.
  static int in_another_process(const std::function<int()>& work) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(work());
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  }

  base::TempDir temp_;
  Store store_{temp_.path() / "root"};
};

TEST_F(StoreTest, AClaimedContainerHasNoRecordYet) {
  const auto entry = store_.claim("c1");

  ASSERT_TRUE(entry) << entry.error().message();
  EXPECT_EQ(store_.load("c1").error().message(), "container does not exist");
  EXPECT_EQ(*store_.list(), std::vector<std::string>{"c1"});
}

TEST_F(StoreTest, WhatWasSavedIsLoaded) {
  const auto entry = store_.claim("c1");
  ASSERT_TRUE(entry->save(record(Phase::Created)));
  ASSERT_TRUE(entry->save_config("{}"));

  EXPECT_EQ(store_.load("c1")->phase, Phase::Created);
  EXPECT_EQ(*store_.load_config("c1"), "{}");
}

TEST_F(StoreTest, AnIdIsTakenOnce) {
  {
    ASSERT_TRUE(store_.claim("c1")->save(record(Phase::Created)));
  }

  const auto again = store_.claim("c1");

  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind(), base::ErrorKind::AlreadyExists);
  EXPECT_EQ(again.error().message(), "container with given ID already exists");
}

TEST_F(StoreTest, AnIdIsTakenWhileItIsBeingCreated) {
  const auto entry = store_.claim("c1");

  EXPECT_EQ(in_another_process([&] {
              const auto rival = store_.claim("c1");
              return !rival && rival.error().kind() == base::ErrorKind::AlreadyExists ? 0 : 1;
            }),
            0);
}

TEST_F(StoreTest, ADeadCreatesIdIsFreeAgain) {
  ASSERT_EQ(in_another_process([&] {
              const auto entry = store_.claim("c1");
              return entry && entry->save(record(Phase::Creating)) ? 0 : 1;
            }),
            0);

  const auto entry = store_.claim("c1");

  ASSERT_TRUE(entry) << entry.error().message();
  EXPECT_EQ(store_.load("c1").error().kind(), base::ErrorKind::NotFound);
}

TEST_F(StoreTest, AChildOfTheHolderDoesNotKeepTheLock) {
  std::array<int, 2> ready{};
  std::array<int, 2> hold{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  ASSERT_EQ(::pipe(hold.data()), 0);
  const int status = in_another_process([&] {
    const auto entry = store_.claim("c1");
    if (::fork() != 0) return entry ? 0 : 1;
    ::close(hold[1]);
    char byte = 0;
    (void)!::write(ready[1], &byte, 1);
    (void)!::read(hold[0], &byte, 1);  // lives until the test is over
    ::_exit(0);
  });
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);

  EXPECT_EQ(status, 0);
  EXPECT_TRUE(store_.claim("c1"));

  for (const int fd : {ready[0], ready[1], hold[0], hold[1]}) ::close(fd);
}

TEST_F(StoreTest, LockWaitsAndThenSaysWhy) {
  const auto entry = store_.claim("c1");

  EXPECT_EQ(in_another_process([&] {
              const auto rival = store_.lock("c1", milliseconds(5));
              return rival.error().message() == "another command is changing container c1" ? 0 : 1;
            }),
            0);
}

TEST_F(StoreTest, AnEmptyDirectoryIsNoContainerAndGoes) {
  std::filesystem::create_directories(temp_.path() / "root/c1");

  EXPECT_EQ(store_.lock("c1", milliseconds(0)).error().kind(), base::ErrorKind::NotFound);

  EXPECT_FALSE(std::filesystem::exists(temp_.path() / "root/c1"));
}

TEST_F(StoreTest, ALockOfADeletedContainerIsNoLock) {
  auto entry = store_.claim("c1");
  const pid_t rival = ::fork();
  if (rival == 0) {
    const auto lock = store_.lock("c1", milliseconds(5000));
    ::_exit(!lock && lock.error().message() == "container does not exist" ? 0 : 1);
  }
  ::usleep(20000);

  ASSERT_TRUE(entry->remove());

  int status = 0;
  ::waitpid(rival, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(std::filesystem::exists(temp_.path() / "root/c1"));
}

TEST_F(StoreTest, RemoveTakesWhatAKilledWriteLeft) {
  auto entry = store_.claim("c1");
  std::ofstream(temp_.path() / "root/c1/state.json.tmp.1") << "half";

  EXPECT_TRUE(entry->remove());

  EXPECT_FALSE(std::filesystem::exists(temp_.path() / "root/c1"));
}

TEST_F(StoreTest, ANameChangesHandsWithoutAGap) {
  const auto claim_and_remove = [&] {
    for (int round = 0; round < 300; ++round) {
      auto entry = store_.claim("c1");
      if (!entry && entry.error().kind() != base::ErrorKind::AlreadyExists) return 1;
      if (!entry) continue;
      if (!entry->save(record(Phase::Created)) || !entry->load() || !entry->remove()) return 2;
    }
    return 0;
  };
  std::array<pid_t, 4> rivals{};
  for (pid_t& pid : rivals) {
    pid = ::fork();
    if (pid == 0) ::_exit(claim_and_remove());
  }
  for (const pid_t pid : rivals) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
}

TEST_F(StoreTest, OfManyCreatesOneWins) {
  std::array<pid_t, 8> rivals{};
  for (pid_t& pid : rivals) {
    pid = ::fork();
    if (pid == 0) {
      const auto entry = store_.claim("c1");
      const bool won = entry && entry->save(record(Phase::Created));
      ::_exit(won ? 0 : 1);
    }
  }
  int winners = 0;
  for (const pid_t pid : rivals) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    winners += status == 0 ? 1 : 0;
  }

  EXPECT_EQ(winners, 1);
}

TEST_F(StoreTest, StrangersInTheRootAreNotListed) {
  std::filesystem::create_directories(temp_.path() / "root/..x");
  std::filesystem::create_directories(temp_.path() / "root/a b");
  std::ofstream(temp_.path() / "root/file") << "x";

  EXPECT_EQ(*store_.list(), std::vector<std::string>{"..x"});
}

TEST_F(StoreTest, AMissingRootHoldsNoContainer) { EXPECT_TRUE(store_.list()->empty()); }

TEST(CheckId, FollowsTheRule) {
  for (const char* good : {"a", "A-1_b.c+d", "...", "-x"}) EXPECT_TRUE(check_id(good)) << good;
  for (const char* bad : {"", ".", "..", "a/b", "a b", "\xc3\xa9", "a\n"}) {
    EXPECT_FALSE(check_id(bad)) << bad;
  }
  EXPECT_FALSE(check_id(std::string(1025, 'a')));
}

TEST(DefaultRoot, IsTheUsersOwnOnlyWithoutRootRights) {
  EXPECT_EQ(default_root(true, "/run/user/0"), "/run/wherry");
  EXPECT_EQ(default_root(false, "/run/user/1000"), "/run/user/1000/wherry");
  EXPECT_EQ(default_root(false, nullptr), "/run/wherry");
}

}  // namespace
}  // namespace runtime::state
