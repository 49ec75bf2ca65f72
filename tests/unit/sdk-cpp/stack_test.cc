// Stacks: their guards, what an overflow says, and what happens when there is none to be had.
#include <cstdio>
#include <regex>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <sys/mman.h>
#include <sys/resource.h>

#include "sdk-cpp/src/crash_report.h"
#include "sdk-cpp/src/fiber.h"
#include "sdk-cpp/src/overflow_exit.h"
#include "sdk-cpp/src/sanitizers.h"
#include "sdk-cpp/src/stack_pool.h"
#include "tests/unit/sdk-cpp/step_over_guard.h"

namespace chimera::sdk {
namespace {

using testing::HasSubstr;

const std::string kOwner = "workflow Test (id t, run r)";
constexpr std::size_t kKiB = 1024;

StackPool& pool() { return StackPool::of(kStackBytes); }

void run(StackPool& stacks, std::function<void()> body) {
  Fiber fiber(std::move(body), kOwner, stacks);
  ASSERT_TRUE(fiber.prepare().ok());
  fiber.resume();
}

[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[512] = {};
  frame[depth % 512] = static_cast<char>(depth);
  return depth == 0 ? 0 : recurse(depth - 1) + frame[0];
}

template <std::size_t kBytes>
[[gnu::noinline]] void leap(const std::function<void()>& then) {
  [[maybe_unused]] volatile char frame[kBytes];
  frame[0] = 1;
  then();
  frame[0] = 2;
}

void print_float() {
  char text[64];
  std::snprintf(text, sizeof(text), "%.17g", 1.0 / 3);
}

std::size_t resident_bytes(const Stack& stack) {
  std::vector<unsigned char> pages(stack.size / 4096);
  EXPECT_EQ(mincore(stack.low, stack.size, pages.data()), 0);
  return 4096 * static_cast<std::size_t>(std::count(pages.begin(), pages.end(), 1));
}

// Sanitizers make frames larger.
#if defined(CHIMERA_DEV) || defined(CHIMERA_ASAN) || defined(CHIMERA_TSAN)
constexpr std::size_t kLetters = 100;
#else
constexpr std::size_t kLetters = 1000;
#endif

TEST(StackTest, HasRoomForWhatPeopleWrite) {
  bool matches = false;
  run(pool(), [&] {
    matches = std::regex_match(std::string(kLetters, 'a'), std::regex("(a|b)*"));
    EXPECT_EQ(recurse(kLetters), 0);
    leap<800 * kKiB>(print_float);
  });
  EXPECT_TRUE(matches);
}

TEST(StackTest, IsCommittedAsItIsTouchedAndGivenBack) {
  static StackPool& stacks = StackPool::make(kLargeStackBytes, best_stack_guard());
  Stack stack = *stacks.take();
  EXPECT_EQ(stack.size, kLargeStackBytes);
  EXPECT_EQ(resident_bytes(stack), 0u);
  for (std::size_t at = 0; at < stack.size; at += 4096) stack.low[at] = 1;
  EXPECT_EQ(resident_bytes(stack), stack.size);
  stacks.give(stack);
  EXPECT_LE(resident_bytes(stack), 16 * kKiB);
}

StackPool& small_pool(StackGuard guard) {
  static StackPool& region = StackPool::make(kStackBytesMin, StackGuard::kRegion);
  static StackPool& pages = StackPool::make(kStackBytesMin, StackGuard::kPages);
  return guard == StackGuard::kRegion ? region : pages;
}

class GuardDeathTest : public testing::TestWithParam<StackGuard> {
 protected:
  GuardDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  StackPool& stacks_ = small_pool(GetParam());
};

#ifndef CHIMERA_TSAN
TEST_P(GuardDeathTest, EachStackHasAGuardOfItsOwn) {
  std::vector<Stack> some;
  for (int i = 0; i < 5; ++i) some.push_back(*stacks_.take());
  for (const Stack& stack : some) {
    EXPECT_GE(stack.guard, 64 * kKiB);
    EXPECT_DEATH(*static_cast<volatile char*>(stack.low - 1) = 1, "");
    EXPECT_DEATH(*static_cast<volatile char*>(stack.low - stack.guard) = 1, "");
    *stack.low = 1;
  }
}

INSTANTIATE_TEST_SUITE_P(Guards, GuardDeathTest,
                         testing::Values(StackGuard::kRegion, StackGuard::kPages),
                         [](const auto& info) {
                           return info.param == StackGuard::kRegion ? "Region" : "Pages";
                         });
#endif

#if !defined(CHIMERA_ASAN) && !defined(CHIMERA_TSAN)
TEST_P(GuardDeathTest, AnOverflowNamesTheWorkflowAndTheFrame) {
  EXPECT_DEATH(run(stacks_, [] { recurse(200); }),
               "stack overflow in workflow Test .id t, run r.: .* 64 KiB .*workflow_stack_bytes\n"
               "  at .*\n  at ");
}

TEST_P(GuardDeathTest, SoDoesAFrameThatIsLargerThanStackAndGuard) {
  EXPECT_DEATH(run(stacks_, [] { leap<100 * kKiB>(print_float); }),
               "stack overflow in workflow Test");
  EXPECT_DEATH(run(stacks_, [] { leap<5000 * kKiB>(print_float); }),
               "stack overflow in workflow Test");
}

TEST_P(GuardDeathTest, AStepOverTheGuardIsSeenAtTheNextWait) {
  EXPECT_DEATH(run(stacks_, [] { step_over_guard(140 * kKiB); }),
               "stack overflow in workflow Test");
}

TEST(ThreadStackDeathTest, AnOverflowOfAThreadIsNamedToo) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        prepare_crash_report();
        const RunningScope scope(kOwner);
        recurse(1 << 30);
      },
      "stack overflow in workflow Test .* KiB of its thread's stack .*\n  at ");
}

TEST(CrashDeathTest, OtherCrashesAreNoOverflows) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run(pool(), [] { *static_cast<volatile int*>(nullptr) = 1; }),
               "crash .SIGSEGV. in workflow Test .id t, run r.\n  at ");
}
#endif

#if defined(__x86_64__) && !defined(CHIMERA_ASAN) && !defined(CHIMERA_TSAN)
// The C library meets the guard, in a call that must come to its end before the fiber is left.
[[gnu::noinline]] std::size_t fill(std::size_t depth) {
  if (depth == 0) return 0;
  const std::string text(100, 'x');
  return text.size() + fill(depth + 1) % 7;
}

void leave_by(StackPool& stacks, std::function<void()> body) {
  Fiber fiber(std::move(body), kOwner, stacks);
  ASSERT_TRUE(fiber.prepare().ok());
  fiber.resume();
  ASSERT_TRUE(fiber.overflowed());
  EXPECT_EQ(fiber.give_up_stack(), stacks.stack_bytes());
}

TEST(OverflowExitTest, CodeOfWorkflowsIsLeftAndTheThreadGoesOn) {
  note_workflow_code(reinterpret_cast<const void*>(&recurse));
  for (const StackGuard guard : {StackGuard::kRegion, StackGuard::kPages}) {
    StackPool& stacks = StackPool::make(kStackBytesMin, guard);
    testing::internal::CaptureStderr();
    for (int i = 0; i < 20; ++i) {
      leave_by(stacks, [] { recurse(1 << 30); });
      leave_by(stacks, [] { fill(1); });
    }
    EXPECT_THAT(testing::internal::GetCapturedStderr(),
                HasSubstr("stack overflow in workflow Test"));
    // The C library's locks are free, and other fibers run.
    bool ran = false;
    run(stacks, [&] { ran = !std::string(100'000, 'x').empty(); });
    EXPECT_TRUE(ran);
  }
}
#endif

#if !defined(CHIMERA_ASAN) && !defined(CHIMERA_TSAN)
// Where each guard is a mapping, the system's limit ends it, and no stack goes without.
TEST(StackDeathTest, TheLimitOnMappingsIsNamed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        StackPool& stacks = StackPool::make(kStackBytesMin, StackGuard::kPages);
        absl::Status status;
        for (int i = 0; i < 1'000'000 && status.ok(); ++i) status = stacks.take().status();
        std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
        std::exit(0);
      },
      testing::ExitedWithCode(0),
      "mprotect: Cannot allocate memory. .*vm.max_map_count \\([0-9]+\\): raise");
}

// Without memory for one more there is an error that names the limits, not a stack without guard.
TEST(StackTest, SaysWhichLimitsAreInTheWay) {
  StackPool& stacks = StackPool::make(std::size_t{1} << 30, StackGuard::kPages);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  const rlimit little{.rlim_cur = std::size_t{1} << 30, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &little), 0);
  const absl::Status status = stacks.take().status();
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);

  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("vm.max_map_count ("));
  EXPECT_THAT(std::string(status.message()), HasSubstr("max_cached_workflows"));
}
#endif

}  // namespace
}  // namespace chimera::sdk
