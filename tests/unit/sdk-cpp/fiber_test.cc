#include "sdk-cpp/src/fiber.h"

#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace chimera::sdk {
namespace {

const std::string kOwner = "workflow Test (id t, run r)";

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
  Fiber a([&] { throw_and_suspend(seen, "a"); }, kOwner);
  Fiber b([&] { throw_and_suspend(seen, "b"); }, kOwner);

  for (int i = 0; i < 3; ++i) {
    a.resume();
    b.resume();
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
      kOwner);

  fiber.resume();
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  fiber.resume();

  EXPECT_EQ(caught, 1);
}

TEST(FiberTest, ManyFibersOnTwoThreads) {
  const auto work = [] {
    std::vector<std::string> seen;
    std::vector<std::unique_ptr<Fiber>> fibers;
    for (int i = 0; i < 200; ++i) {
      fibers.push_back(std::make_unique<Fiber>([&] { throw_and_suspend(seen, "x"); }, kOwner));
    }
    for (int round = 0; round < 3; ++round) {
      for (auto& fiber : fibers) fiber->resume();
    }
    EXPECT_EQ(seen.size(), 400u);
  };
  std::thread other(work);
  work();
  other.join();
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(CHIMERA_TSAN)
[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[512] = {};
  frame[depth % 512] = static_cast<char>(depth);
  return depth == 0 ? 0 : recurse(depth - 1) + frame[0];
}

TEST(FiberDeathTest, NamesTheWorkflowThatOverflowed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Fiber fiber([] { recurse(200); }, kOwner);
        fiber.resume();
      },
      "stack overflow in workflow Test");
}
#endif

}  // namespace
}  // namespace chimera::sdk
