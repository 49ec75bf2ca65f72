#include "core/worker/machine_load.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/fake_timers.h"

namespace chimera::core {
namespace {

using std::chrono::milliseconds;

class MachineLoadTest : public ::testing::Test {
 protected:
  MachineLoadTest() {
    std::filesystem::remove_all(root_);
    write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\n");
    write("proc/stat", "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 2 3\n");
  }
  ~MachineLoadTest() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    const auto file = std::filesystem::path(root_) / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  const std::string root_ =
      ::testing::TempDir() + ::testing::UnitTest::GetInstance()->current_test_info()->name() + "/";
  testing::FakeTimers timers_;
  testing::FakeClock clock_{timers_};
  MachineLoad load_{clock_, root_};
};

TEST_F(MachineLoadTest, OfTheMachineWithoutACgroup) {
  EXPECT_DOUBLE_EQ(load_.load().memory, 0.75);
  EXPECT_EQ(load_.load().cpu, 0);
  timers_.advance(milliseconds(100));
  write("proc/stat", "cpu  130 0 130 840 0 0 0 0 0 0\n");
  EXPECT_DOUBLE_EQ(load_.load().cpu, 0.6);
}

TEST_F(MachineLoadTest, OfTheCgroupWhereItHasLimits) {
  write("sys/fs/cgroup/memory.max", "2000\n");
  write("sys/fs/cgroup/memory.stat", "file 900\nanon 500\n");
  write("sys/fs/cgroup/cpu.max", "50000 100000\n");  // Half a core.
  write("sys/fs/cgroup/cpu.stat", "usage_usec 1000000\n");
  EXPECT_DOUBLE_EQ(load_.load().memory, 0.25);
  timers_.advance(milliseconds(1000));
  write("sys/fs/cgroup/cpu.stat", "usage_usec 1125000\n");
  EXPECT_NEAR(load_.load().cpu, 0.25, 1e-9);
}

TEST_F(MachineLoadTest, OfTheMachineWhereTheCgroupHasNone) {
  write("sys/fs/cgroup/memory.max", "max\n");
  write("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(load_.load().memory, 0.75);
}

TEST_F(MachineLoadTest, IsReadAtMostTenTimesASecond) {
  load_.load();
  write("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 500 kB\n");
  timers_.advance(milliseconds(99));
  EXPECT_DOUBLE_EQ(load_.load().memory, 0.75);
  timers_.advance(milliseconds(1));
  EXPECT_DOUBLE_EQ(load_.load().memory, 0.5);
}

TEST_F(MachineLoadTest, ASystemThatTellsNothingIsIdle) {
  std::filesystem::remove_all(root_);
  const Load load = load_.load();
  EXPECT_EQ(load.memory, 0);
  EXPECT_EQ(load.cpu, 0);
}

}  // namespace
}  // namespace chimera::core
