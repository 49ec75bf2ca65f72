// ActivityEnvironment: what activity code sees without a worker.
#include "chimera/testing/activity_environment.h"

#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace chimera {
namespace {

using namespace std::chrono_literals;

int compress(const std::string& path, int begin) {
  for (int percent = begin; percent <= 100; percent += 50) activity::heartbeat(path, percent);
  return activity::info().attempt;
}

std::string describe_info() {
  const activity::Info& info = activity::info();
  return info.activity_type + " " + info.activity_id + " " + info.task_queue + " " +
         info.workflow_namespace + " " + std::to_string(info.attempt) + " " +
         std::to_string(info.start_to_close_timeout / 1s);
}

// Neither copied nor converted.
struct Parcel {
  std::unique_ptr<int> weight;
};
class Scale {
 public:
  Parcel weigh(Parcel parcel) const {
    *parcel.weight += offset;
    return parcel;
  }
  int offset = 1;
};

struct Odd {};

TEST(ActivityEnvironment, GivesInfoThatMayBeSet) {
  ActivityEnvironment env;
  EXPECT_EQ(env.run<&describe_info>(), "describe_info test test default 1 1");

  env.info.activity_type = "other";
  env.info.attempt = 3;
  env.info.task_queue = "gpu";
  env.info.start_to_close_timeout = 9s;
  EXPECT_EQ(env.run<&describe_info>(), "other test gpu default 3 9");
  env.info.activity_type = "";
  EXPECT_EQ(env.run([] { return activity::info().activity_type; }), "unknown");
}

TEST(ActivityEnvironment, GivesTheLastAttemptsHeartbeat) {
  ActivityEnvironment env;
  env.info.heartbeat_details = details(std::string("a.txt"), 50);
  EXPECT_EQ(env.run([] { return activity::info().heartbeat_details.get<int>(1); }), 50);
}

TEST(ActivityEnvironment, KeepsAndTellsHeartbeats) {
  ActivityEnvironment env;
  std::vector<int> told;
  env.on_heartbeat = [&](const Details& details) { told.push_back(details.get<int>(1)); };

  EXPECT_EQ(env.run<&compress>("a.txt", 0), 1);

  EXPECT_EQ(told, (std::vector{0, 50, 100}));
  ASSERT_EQ(env.heartbeats().size(), 3u);
  EXPECT_EQ(env.heartbeats().back().get<std::string>(0), "a.txt");
}

TEST(ActivityEnvironment, PassesArgumentsAndResultsAsTheyAre) {
  ActivityEnvironment env;
  Scale scale;
  EXPECT_EQ(*env.run<&Scale::weigh>(scale, Parcel{std::make_unique<int>(6)}).weight, 7);
  int value = 1;
  int& same = env.run([](int& one) -> int& { return one; }, value);
  EXPECT_EQ(&same, &value);
}

TEST(ActivityEnvironment, WhatIsThrownComesOutAsItWas) {
  ActivityEnvironment env;
  EXPECT_THROW(env.run([] { throw Odd(); }), Odd);
  EXPECT_THROW(env.run([] { activity::raise_complete_async(); }), activity::CompleteAsync);
  EXPECT_THROW(activity::info(), std::logic_error) << "the context has stayed";
}

TEST(ActivityEnvironment, CancellationSaysWhy) {
  ActivityEnvironment env;
  env.on_heartbeat = [&](const Details&) { env.cancel({.timed_out = true}); };
  EXPECT_THROW(env.run([] {
    EXPECT_FALSE(activity::is_cancelled());
    activity::heartbeat();
    EXPECT_TRUE(activity::cancellation_details().timed_out);
    EXPECT_FALSE(activity::cancellation_details().cancel_requested);
    activity::throw_if_cancelled();
  }),
               CancelledError);

  env.cancel({.worker_shutdown = true});  // What is run later learns it, too.
  EXPECT_TRUE(env.run([] {
    return activity::cancellation_details().worker_shutdown &&
           activity::cancellation_details().timed_out;
  }));
}

TEST(ActivityEnvironment, TellsOfTheWorkersShutdownBeforeItCancels) {
  ActivityEnvironment env;
  env.run([&] {
    const std::stop_token token = activity::worker_shutdown_token();
    EXPECT_FALSE(activity::is_worker_shutdown());
    env.worker_shutdown();
    EXPECT_TRUE(token.stop_requested());
    EXPECT_FALSE(activity::cancellation_token().stop_requested());
  });
  EXPECT_TRUE(env.run([] { return activity::wait_for_worker_shutdown(0s); }));
}

TEST(ActivityEnvironment, BeatsByItselfWithTheNewestDetails) {
  ActivityEnvironment env;
  std::latch beats(3);
  env.on_heartbeat = [&](const Details&) {
    if (!beats.try_wait()) beats.count_down();
  };
  env.run([&] {
    activity::heartbeat(7);
    EXPECT_THROW(activity::AutoHeartbeat(-1ns), std::invalid_argument);
    const activity::AutoHeartbeat beating(10ms);
    beats.wait();
  });
  EXPECT_EQ(env.heartbeats().back().get<int>(), 7);
}

TEST(ActivityEnvironment, AContextGoesToOtherThreadsUntilTheEnd) {
  ActivityEnvironment env;
  std::optional<activity::Context> kept;
  env.run([&] {
    kept.emplace();
    std::thread([&] {
      const activity::ContextScope here(*kept);
      activity::heartbeat(1);
    }).join();
  });
  EXPECT_EQ(env.heartbeats().size(), 1);
  const activity::ContextScope here(*kept);
  EXPECT_THROW(activity::heartbeat(2), std::logic_error);
  EXPECT_THROW(activity::Context(), std::logic_error);
}

TEST(ActivityEnvironment, IsCancelledFromAnotherThread) {
  ActivityEnvironment env;
  std::latch inside(1);
  std::thread other([&] {
    inside.wait();
    env.cancel();
  });
  EXPECT_TRUE(env.run([&] {
    inside.count_down();
    return activity::wait_for_cancelled(1min) && activity::cancellation_details().cancel_requested;
  }));
  other.join();
}

TEST(ActivityEnvironment, OneMayRunInsideAnother) {
  ActivityEnvironment outer, inner;
  inner.info.activity_id = "inner";
  EXPECT_EQ(outer.run([&] {
    const std::string within = inner.run([] { return activity::info().activity_id; });
    return within + " " + activity::info().activity_id;
  }),
            "inner test");
}

TEST(ActivityEnvironment, LogsAndCounts) {
  ActivityEnvironment env;
  env.run([] {
    activity::logger().info("half done");
    activity::metric_meter().create_counter("parcels", "").add(1);
  });
}

}  // namespace
}  // namespace chimera
