// Runs that leave the cache in the middle of their waits: nothing stays behind, and nothing that
// the code does on its way out ends the process.
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <unistd.h>

#include "chimera/workflow.h"
#include "sdk-cpp/src/sanitizers.h"
#include "tests/unit/sdk-cpp/driver.h"
#if defined(CHIMERA_ASAN)
#include <sanitizer/lsan_interface.h>
#endif

namespace chimera::sdk {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

#if defined(CHIMERA_DEV) || defined(CHIMERA_ASAN) || defined(CHIMERA_TSAN)
constexpr int kEvictions = 200;
#else
constexpr int kEvictions = 10'000;
#endif

const ActivityOptions kOptions{.start_to_close_timeout = 10s};

int alive = 0;
struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  ~Counted() { --alive; }
};

std::size_t resident_bytes() {
  std::size_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void wait_for_ever() {
  const Counted counted;
  workflow::sleep(1h);
}

struct Named {
  const char* name;
  void (*wait)();
};
void PrintTo(const Named& named, std::ostream* out) { *out << named.name; }

class EvictionTest : public testing::TestWithParam<Named> {};

TEST_P(EvictionTest, LeavesNothingBehind) {
  code = [] {
    const Counted counted;
    GetParam().wait();
    ADD_FAILURE() << "it went on";
  };
  const auto evict_some = [](int count) {
    for (int i = 0; i < count; ++i) {
      Driver driver(kRuns);
      EXPECT_EQ(task_failure(driver.start()), "");
      EXPECT_EQ(commands(driver.activate({evict()})).size(), 0u);
    }
  };
  alive = 0;
  const std::string log = log_of([&] {
    evict_some(kEvictions / 10);
    [[maybe_unused]] const std::size_t before = resident_bytes();
    evict_some(kEvictions);
#if !defined(CHIMERA_ASAN) && !defined(CHIMERA_TSAN)
    EXPECT_LT(resident_bytes(), before + (1 << 20));
#endif
  });

  EXPECT_EQ(log, "");
  EXPECT_EQ(alive, 0);
}

INSTANTIATE_TEST_SUITE_P(
    , EvictionTest,
    testing::ValuesIn(std::vector<Named>{
        {"task", [] { workflow::spawn(wait_for_ever).get(); }},
        {"task_destroyed",
         [] {
           std::vector<workflow::Task<void>> tasks;
           tasks.push_back(workflow::spawn([] {
             const Counted counted;
             try {
               workflow::sleep(1h);
             } catch (const CancelledError&) {
               workflow::sleep(1h);
             }
           }));
           workflow::sleep(0s);
           tasks.clear();
           workflow::sleep(1h);  // Where the run ends: the destructor cannot throw.
         }},
        {"task_detached",
         [] {
           workflow::spawn_detached(wait_for_ever);
           workflow::sleep(1h);
         }},
        {"task_in_a_task",
         [] {
           auto inner = workflow::spawn(wait_for_ever);
           workflow::spawn([inner = std::move(inner)]() mutable { inner.get(); }).get();
         }},
        {"group",
         [] {
           workflow::TaskGroup group;
           group.spawn(wait_for_ever);
           group.spawn(wait_for_ever);
           group.join();
         }},
        {"group_destroyed",
         [] {
           workflow::TaskGroup group;
           group.spawn(wait_for_ever);
         }},
        {"group_left_by_an_exception",
         [] {
           try {
             workflow::TaskGroup group;
             group.spawn([] {
               try {
                 workflow::sleep(1h);
               } catch (const CancelledError&) {
                 wait_for_ever();
               }
             });
             workflow::sleep(0s);
             throw std::runtime_error("left");
           } catch (const std::runtime_error&) {
             workflow::sleep(1h);
           }
         }},
        {"wait_any",
         [] {
           workflow::Channel<Counted> channel;
           workflow::Future<Counted> future;
           auto handle = workflow::start_activity<int>("x", kOptions);
           auto timer = workflow::start_timer(1h);
           (void)workflow::wait_any(handle, timer, channel, future, [] { return false; });
         }},
        {"wait_any_for",
         [] {
           auto task = workflow::spawn(wait_for_ever);
           (void)workflow::wait_any_for(1h, task, [] { return false; });
         }},
        {"selector",
         [] {
           workflow::Channel<Counted> channel;
           workflow::Selector selector;
           selector.add(channel, [](Counted) {})
               .add_timer(1h, [counted = Counted()] {})
               .add_condition([] { return false; }, [] {})
               .select();
         }},
        {"future", [] { workflow::Future<Counted>().get(); }},
        {"send",
         [] {
           workflow::Channel<Counted> channel(1);
           channel.send(Counted());
           channel.send(Counted());
         }},
        {"receive", [] { (void)workflow::Channel<Counted>().receive(); }},
        {"receive_for", [] { (void)workflow::Channel<Counted>().receive_for(1h); }},
        {"signal_channel",
         [] {
           auto counts = workflow::signal_channel<int>("count");
           counts.receive();
         }},
        {"mutex",
         [] {
           workflow::Mutex mutex;
           const std::scoped_lock lock(mutex);
           workflow::spawn([&] { const std::scoped_lock again(mutex); }).get();
         }},
        {"semaphore",
         [] {
           workflow::Semaphore permits(1);
           auto task = workflow::spawn([&] { (void)permits.acquire_for(1h, 3); });
           permits.acquire(2);
         }},
        {"in_a_catch",
         [] {
           try {
             throw std::runtime_error("caught");
           } catch (const std::runtime_error&) {
             wait_for_ever();
           }
         }},
        {"saga",
         [] {
           workflow::Saga saga;
           saga.add(wait_for_ever);
           throw ApplicationError("compensate");
         }},
    }),
    [](const auto& info) { return info.param.name; });

// --- Waits that an exception cannot leave ---

// What stands on a stack that is given up is lost on purpose.
class Lossy {
#if defined(CHIMERA_ASAN)
 public:
  Lossy() { __lsan_disable(); }
  ~Lossy() { __lsan_enable(); }
#endif
};

struct WaitsAtItsEnd {
  ~WaitsAtItsEnd() { workflow::sleep(1h); }
};
[[gnu::noinline]] void wait_without_exceptions() noexcept { workflow::sleep(1h); }

class StuckTest : public testing::TestWithParam<Named> {
  Lossy lossy_;
};
class StuckRunTest : public testing::Test {
  Lossy lossy_;
};

TEST_P(StuckTest, EvictionGivesItsStackUpAndSaysWhere) {
  code = GetParam().wait;
  Driver driver(kRuns);
  EXPECT_EQ(task_failure(driver.start()), "");

  const std::string log =
      log_of([&] { EXPECT_EQ(commands(driver.activate({evict()})).size(), 0u); });

  EXPECT_THAT(log, AllOf(HasSubstr("workflow Runs (id id, run run) leaves the cache, but its run "
                                   "could not be unwound"),
                         HasSubstr("It stood in sleep, at ")));
  EXPECT_EQ(log_of([&] { driver.drop(); }), "");
}

#if !defined(CHIMERA_ASAN) && !defined(CHIMERA_TSAN)
TEST_P(StuckTest, TheMemoryOfItsStackIsGivenBack) {
  code = GetParam().wait;
  const auto evict_some = [](int count) {
    log_of([&] {
      for (int i = 0; i < count; ++i) {
        Driver driver(kRuns);
        driver.start();
      }
    });
  };
  evict_some(100);
  const std::size_t before = resident_bytes();
  evict_some(1000);

  EXPECT_LT(resident_bytes(), before + 1000 * 4096);  // A stack's first page or two would be 8 KiB.
}
#endif

INSTANTIATE_TEST_SUITE_P(, StuckTest,
                         testing::ValuesIn(std::vector<Named>{
                             {"noexcept_function", [] { wait_without_exceptions(); }},
                             {"destructor", [] { const WaitsAtItsEnd waits; }},
                             {"destructor_while_an_exception_is_under_way",
                              [] {
                                const WaitsAtItsEnd waits;
                                throw std::runtime_error("under way");
                              }},
                             {"destructor_of_what_a_pointer_owns",
                              [] { const auto waits = std::make_unique<WaitsAtItsEnd>(); }},
                         }),
                         [](const auto& info) { return info.param.name; });

// Others of the run are unwound, and see what stands on the stack that is given up.
TEST_F(StuckRunTest, ItsOtherTasksAreUnwound) {
  static std::vector<std::string> seen;
  code = [] {
    std::string around = "around";
    auto task = workflow::spawn([&] {
      struct Notes {
        const std::string& what;
        ~Notes() { seen.push_back(what); }
      } const notes{around};
      workflow::sleep(1h);
    });
    wait_without_exceptions();
  };
  Driver driver(kRuns);
  driver.start();
  log_of([&] { driver.drop(); });

  EXPECT_THAT(seen, testing::ElementsAre("around"));
}

TEST_F(StuckRunTest, ACancellationThatCannotLeaveFailsTheTaskNotTheProcess) {
  code = [] {
    auto other = workflow::spawn(wait_for_ever);
    wait_without_exceptions();
  };
  alive = 0;
  Driver driver(kRuns);
  driver.start();

  const auto failed = driver.activate({core::CancelWorkflow{"stop"}});
  EXPECT_THAT(task_failure(failed), AllOf(HasSubstr("CancelledError Cancelled could not leave a "
                                                    "destructor or a noexcept function of workflow "
                                                    "Runs (id id, run run)"),
                                          HasSubstr("It stood in sleep, at ")));
  EXPECT_THAT(task_failure(driver.activate({core::UpdateRandomSeed{}})), HasSubstr("begins anew"));
  EXPECT_EQ(log_of([&] { driver.drop(); }), "");
  EXPECT_EQ(alive, 0);
}

TEST_F(StuckRunTest, SoDoesAnExceptionInACondition) {
  code = [] {
    workflow::wait_condition([]() noexcept { return std::string("text").at(7) == 'x'; });
  };
  Driver driver(kRuns);

  EXPECT_THAT(task_failure(driver.start()), HasSubstr("std::out_of_range"));
  driver.drop();
}

// --- Destructors off the fibers ---

struct EndsBadly {
  ~EndsBadly() { workflow::sleep(1s); }
  void run() { workflow::sleep(1h); }
};

TEST_F(StuckRunTest, AWorkflowWhoseDestructorWaitsIsNamed) {
  Driver driver(define_workflow<&EndsBadly::run>("EndsBadly"));
  driver.start();

  EXPECT_THAT(log_of([&] { driver.drop(); }),
              AllOf(HasSubstr("as workflow EndsBadly (id id, run run) was destroyed"),
                    HasSubstr("sleep cannot wait in a constructor or destructor")));
}

TEST_F(StuckRunTest, WhatATaskThatNeverBeganHoldsMayDoTheSame) {
  code = [] {
    workflow::spawn_detached([held = std::make_unique<WaitsAtItsEnd>()] {});
    throw std::runtime_error("before it begins");
  };
  Driver driver(kRuns);
  EXPECT_THAT(task_failure(driver.start()), HasSubstr("before it begins"));

  EXPECT_THAT(log_of([&] { driver.drop(); }),
              HasSubstr("as workflow Runs (id id, run run) was destroyed"));
}

}  // namespace
}  // namespace chimera::sdk
