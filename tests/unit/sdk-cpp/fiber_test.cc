#include "sdk-cpp/src/fiber.h"

#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace chimera::sdk {
namespace {

const std::string kOwner = "workflow Test (id t, run r)";

StackPool& pool() { return StackPool::of(kStackBytes); }

void resume(Fiber& fiber) {
  ASSERT_TRUE(fiber.prepare().ok());
  fiber.resume();
}

void throw_and_suspend(std::vector<std::string>& seen, const std::string& name) {
  try {
    throw std::runtime_error(name);
  } catch (const std::exception& error) {
    Fiber::suspend();  // With another fiber's catch entered and left meanwhile.
    seen.push_back(error.what());
    try {
      throw;
    } catch (const std::runtime_error& again) {
      Fiber::suspend();
      seen.push_back(std::string("again ") + again.what());
    }
  }
}

TEST(FiberTest, KeepsEachFibersExceptionsApart) {
  std::vector<std::string> seen;
  Fiber a([&] { throw_and_suspend(seen, "a"); }, kOwner, pool());
  Fiber b([&] { throw_and_suspend(seen, "b"); }, kOwner, pool());

  for (int i = 0; i < 3; ++i) {
    resume(a);
    resume(b);
    EXPECT_EQ(std::current_exception(), nullptr);
  }

  EXPECT_TRUE(a.done() && b.done());
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b", "again a", "again b"}));
}

TEST(FiberTest, SuspendsInADestructorWhileAnExceptionIsUnderWay) {
  struct Suspender {
    ~Suspender() { Fiber::suspend(); }
  };
  int caught = 0;
  Fiber fiber(
      [&] {
        try {
          const Suspender suspender;
          throw std::runtime_error("x");
        } catch (const std::runtime_error&) {
          ++caught;
        }
      },
      kOwner, pool());

  resume(fiber);
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  resume(fiber);

  EXPECT_EQ(caught, 1);
}

[[gnu::noinline]] void throw_it() { throw std::runtime_error("stays"); }
[[gnu::noinline]] void throw_without_exceptions() noexcept { throw_it(); }

TEST(FiberTest, AnExceptionThatCannotLeaveEndsTheFiberNotTheProcess) {
  int ran = 0;
  for (int i = 0; i < 3; ++i) {
    Fiber fiber([] { throw_without_exceptions(); }, kOwner, pool());
    resume(fiber);
    EXPECT_TRUE(fiber.abandoned());
    EXPECT_EQ(fiber.given_up().why, "std::runtime_error: stays");
    EXPECT_FALSE(fiber.given_up().frames.empty());
    EXPECT_EQ(std::current_exception(), nullptr);
    EXPECT_EQ(fiber.give_up_stack(), kStackBytes);
  }
  Fiber other([&] { ++ran; }, kOwner, pool());
  resume(other);
  EXPECT_EQ(ran, 1);
}

TEST(FiberTest, ManyFibersOnTwoThreads) {
  const auto work = [] {
    std::vector<std::string> seen;
    std::vector<std::unique_ptr<Fiber>> fibers;
    for (int i = 0; i < 200; ++i) {
      fibers.push_back(
          std::make_unique<Fiber>([&] { throw_and_suspend(seen, "x"); }, kOwner, pool()));
    }
    for (int round = 0; round < 3; ++round) {
      for (auto& fiber : fibers) resume(*fiber);
    }
    EXPECT_EQ(seen.size(), 400u);
  };
  std::thread other(work);
  work();
  other.join();
}

}  // namespace
}  // namespace chimera::sdk
