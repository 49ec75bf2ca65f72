#include "tests/replay/foreign/program.h"

#include "gtest/gtest.h"

namespace chimera::testing {

using namespace std::chrono_literals;

Program& program() {
  static Program one;
  return one;
}

namespace {

// As the language spells its types: functions in TypeScript begin small.
std::string spelled(std::string name) {
  if (program().typescript) name[0] = static_cast<char>(name[0] - 'A' + 'a');
  return name;
}

// What fails there fails here: only that it ended counts.
void ended(const std::function<void()>& body) {
  try {
    body();
  } catch (const FailureError&) {
  }
}

const ActivityOptions kActivity{
    .start_to_close_timeout = 10s,
    .heartbeat_timeout = 5s,
    .cancellation_type = ActivityCancellationType::kWaitCancellationCompleted};
const LocalActivityOptions kLocal{.start_to_close_timeout = 5s};

int count(int value) {
  ++program().functions_called;
  return value;
}

struct Kid {
  std::string got;
  void give(std::string text) { got = std::move(text); }
  std::string run(std::string how) {
    if (how == "fail") throw ApplicationError("kid failed", {.type = "Kid", .non_retryable = true});
    if (how == "wait") workflow::wait_condition([&] { return !got.empty(); });
    return how + got;
  }
};

struct Rich {
  std::vector<std::string> out;
  std::string last;

  void go(std::string text) { last = std::move(text); }
  std::vector<std::string> query() { return out; }
  std::string update(std::string text) {
    workflow::sleep(100ms);
    return "updated " + text;
  }
  void check(std::string text) {
    if (text == "bad") throw ApplicationError("not that");
  }

  std::vector<std::string> run(int round) {
    activities();
    local_activities();
    if (!program().typescript) side_effects();
    workflow::upsert_search_attributes(
        {{"GoldKw", std::string("x")}, {"GoldInt", std::int64_t{round}}});
    workflow::upsert_memo({{"m", make_payload(round)}, {"gone", Payload{}}});
    timers();
    children();
    const auto missing = [] { return workflow::get_external_workflow_handle("no-such-workflow"); };
    ended([&] { missing().signal("give", std::string("x")); });
    ended([&] { missing().cancel(); });
    wait_for_the_end();
    workflow::wait_condition(&workflow::all_handlers_finished);
    if (round < 2) workflow::continue_as_new<&Rich::run>(round + 1);
    return out;
  }

  static void activities() {
    bool runs = true;
    if (program().typescript) {
      runs = workflow::patched("one");
    } else {
      program().versions.push_back(program().first_version());
    }
    if (runs) {
      ended([] {
        workflow::execute_activity<void>(spelled("Flaky"), kActivity, std::string("a"), 3);
      });
    }
    ended([] { workflow::execute_activity<void>(spelled(program().activity), kActivity); });
  }

  static void local_activities() {
    const std::string flaky = spelled(program().local_activity);
    const auto start = [&](const char* text, int attempt) {
      return workflow::start_local_activity<std::string>(flaky, kLocal, std::string(text), attempt);
    };
    EXPECT_EQ(start("l", 3).get(), "l!");
    ended([] { workflow::execute_local_activity<void>(spelled("Refuse"), kLocal); });
    const auto x = start("x", 1), y = start("y", 1);
    EXPECT_EQ(x.get(), "x!");
    EXPECT_EQ(y.get(), "y!");
  }

  static void side_effects() {
    if (program().side_effects) return program().side_effects();
    auto& values = program().values;
    values.push_back(workflow::side_effect([] { return count(7); }));
    for (int i = 0; i < 3; ++i)
      values.push_back(workflow::mutable_side_effect("ms", [] { return count(8); }));
  }

  static void timers() {
    workflow::sleep(100ms);
    auto timer = workflow::spawn([] { workflow::sleep(1h); });
    workflow::sleep(0s);  // The timer's command goes first.
    auto beat = workflow::start_activity<std::string>(spelled("Beat"), kActivity);
    workflow::sleep(300ms);
    timer.cancel();
    workflow::sleep(0s);
    beat.cancel();
    ended([&] { timer.get(); });
    ended([&] { beat.get(); });
  }

  static void children() {
    const auto start = [](const char* id, const char* how) {
      return workflow::start_child_workflow<std::string>(
          spelled(program().child), {.id = workflow::info().workflow_id + "-" + id},
          std::string(how));
    };
    ended([&] { start("ok", "ok").get(); });
    ended([&] { start("fail", "fail").get(); });
    auto signalled = start("signal", "wait");
    signalled.signal("give", std::string(" it"));
    EXPECT_EQ(signalled.get(), "wait it");
    auto cancelled = start("cancel", "wait");
    cancelled.cancel();
    ended([&] { cancelled.get(); });
  }

  void wait_for_the_end() {
    const auto at_the_end = [this] { return last == "end"; };
    const auto clean = [] {
      ended([] {
        workflow::execute_activity<void>(spelled("Flaky"), kActivity, std::string("clean"), 1);
      });
    };
    if (program().typescript) return wait_with_timer(at_the_end, clean);
    program().versions.push_back(workflow::get_version("change-b", 1, 1));
    program().versions.push_back(workflow::get_version("change-a", workflow::kDefaultVersion, 2));
    try {
      workflow::wait_condition(at_the_end);
    } catch (const CancelledError&) {
      workflow::CancellationScope::detached().run(clean);
      throw;
    }
  }

  static void wait_with_timer(const std::function<bool()>& at_the_end,
                              const std::function<void()>& clean) {
    workflow::deprecate_patch("two");
    auto timer = workflow::spawn([] { workflow::sleep(1h); });
    try {
      workflow::wait_condition(at_the_end);
    } catch (const CancelledError&) {
      // That SDK's own, when a cancellation reaches its scopes.
      workflow::patched("__temporal_internal_connect_external_handle_cancel_to_scope");
      workflow::CancellationScope::detached().run([&] {
        workflow::sleep(0s);  // The timer's end goes first.
        clean();
      });
      throw;
    }
    timer.cancel();
    workflow::sleep(0s);
  }
};

auto rich(const char* name) {
  return define_workflow<&Rich::run>(name)
      .signal<&Rich::go>("go")
      .query<&Rich::query>("out")
      .update<&Rich::update, &Rich::check>("upd");
}
auto kid(const char* name) { return define_workflow<&Kid::run>(name).signal<&Kid::give>("give"); }

}  // namespace

void add_program(Replayer& replayer) {
  replayer.add(rich("Rich")).add(kid("Kid")).add(rich("rich")).add(kid("kid"));
}

}  // namespace chimera::testing
