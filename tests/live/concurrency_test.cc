// Tasks, selectors, channels and locks, through replays: without a cache each task of these runs
// unwinds all that waits, and finds it again.
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace {

CHIMERA_LIVE(ConcurrencyLive);

const ActivityOptions kOptions{.start_to_close_timeout = 10s};
int twice(int number) { return 2 * number; }
int refuse(int number) {
  throw ApplicationError(absl::StrCat("not ", number), {.type = "Refused", .non_retryable = true});
}
int patient(int) {
  while (!activity::wait_for_cancelled(10ms)) activity::heartbeat();
  activity::throw_if_cancelled();
  return 0;
}

// Takes orders until there is a negative one.
class Warehouse {
 public:
  std::string run() {
    workflow::TaskGroup packers;
    for (int i = 0; i < 3; ++i) packers.spawn([this] { pack(); });
    auto orders = workflow::signal_channel<int>("order");
    auto deadline = workflow::start_timer(1h, "the end of the day");
    bool ended = false;
    workflow::Selector selector;
    selector
        .add(orders,
             [&](int order) {
               ended = order < 0;
               if (!ended) queue_.send(order);
             })
        .add(deadline, [&] { ended = true; });
    while (!ended) selector.select();
    queue_.close();
    packers.join();
    deadline.cancel();
    return absl::StrCat(sum_, first_.get() > 0 ? " with a first" : "");
  }

 private:
  void pack() {
    while (const std::optional<int> order = queue_.receive()) {
      vans_.acquire();
      const int packed = workflow::execute_activity<&twice>(kOptions, *order);
      {
        const std::scoped_lock lock(scale_);
        const int before = sum_;
        workflow::sleep(1ms);
        sum_ = before + packed;
      }
      vans_.release();
      if (!first_.done()) first_.set_value(*order);
    }
  }

  workflow::Channel<int> queue_{1};
  workflow::Mutex scale_;
  workflow::Semaphore vans_{2};
  workflow::Future<int> first_;
  int sum_ = 0;
};

TEST_P(ConcurrencyLive, TasksShareWorkOverRestarts) {
  registry().add(define_workflow<&Warehouse::run>("Warehouse")).add_activity<&twice>();
  start_worker();
  const auto handle = start<&Warehouse::run>();
  for (int order = 1; order <= 3; ++order) handle.signal("order", order);
  eventually([&] { return count_events(handle.fetch_history(), "ACTIVITY_TASK_COMPLETED") >= 2; },
             "two orders");

  stop_worker();
  for (int order = 4; order <= 6; ++order) handle.signal("order", order);
  start_worker();
  handle.signal("order", -1);

  EXPECT_EQ(handle.result(), "42 with a first");
  EXPECT_EQ(count_events(handle.fetch_history(), "TIMER_CANCELED"), 1);
}

class Waits {
 public:
  std::string run() {
    workflow::wait_condition([] { return false; });
    return "";
  }
};

class FirstOfMany {
 public:
  std::string run() {
    auto activity = workflow::start_activity<&patient>(
        {.start_to_close_timeout = 1min, .heartbeat_timeout = 10s}, 1);
    auto child = workflow::start_child_workflow<&Waits::run>({});
    auto signals = workflow::signal_channel<std::string>("go");
    bool released = false;
    workflow::set_signal_handler("release", [&released] { released = true; });
    auto timer = workflow::start_timer(20ms);
    std::vector<std::string> seen;
    const auto wait = [&] {
      seen.push_back(absl::StrCat(
          workflow::wait_any(activity, child, signals, [&] { return released; }, timer)));
    };
    wait();  // The timer.
    timer = workflow::start_timer(1h);
    wait();  // The signal.
    seen.push_back(signals.receive());
    wait();  // The condition.
    released = false;
    child.cancel();
    wait();
    auto quick = workflow::spawn([] { return workflow::execute_activity<&twice>(kOptions, 4); });
    while (!workflow::wait_any_for(1h, quick)) seen.push_back("late");
    activity.cancel();
    workflow::wait_all(activity, child, quick);
    return absl::StrJoin(seen, ",");
  }
};

TEST_P(ConcurrencyLive, TheFirstOfManyThings) {
  registry()
      .add(define_workflow<&FirstOfMany::run>("FirstOfMany"))
      .add(define_workflow<&Waits::run>("Waits"))
      .add_activity<&patient>()
      .add_activity<&twice>();
  start_worker();
  const auto handle = start<&FirstOfMany::run>();
  eventually([&] { return count_events(handle.fetch_history(), "TIMER_STARTED") == 2; },
             "the second timer");
  handle.signal("go", "went");
  handle.signal("release");

  EXPECT_EQ(handle.result(), "4,2,went,3,1");
}

class Grouped {
 public:
  std::string run() {
    std::string ended = "not cancelled";
    try {
      workflow::TaskGroup group;
      group.spawn([&] {
        try {
          static_cast<void>(workflow::execute_activity<&patient>(
              {.start_to_close_timeout = 1min,
               .heartbeat_timeout = 1s,
               .cancellation_type = ActivityCancellationType::kWaitCancellationCompleted},
              1));
        } catch (const ActivityError& error) {
          ended = is_cancelled(error) ? "cancelled" : "failed";
          throw;
        }
      });
      group.spawn([] {
        workflow::sleep(20ms);
        static_cast<void>(workflow::execute_activity<&refuse>(kOptions, 7));
      });
      group.join();
    } catch (const ActivityError& error) {
      return absl::StrCat(error.find_cause<ApplicationError>()->message(), ", the other ", ended);
    }
    return "joined";
  }
};

TEST_P(ConcurrencyLive, AFailureInAGroupCancelsTheOthersActivities) {
  registry()
      .add(define_workflow<&Grouped::run>("Grouped"))
      .add_activity<&patient>()
      .add_activity<&refuse>();
  start_worker();

  EXPECT_EQ(execute<&Grouped::run>(), "not 7, the other cancelled");
}

}  // namespace
}  // namespace chimera::live
