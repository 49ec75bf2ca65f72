// What a run knows of itself and of those before it, and code for names that nothing else serves.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace facts_test {

using testing::HasSubstr;
using testing::StartsWith;

CHIMERA_LIVE(FactsLive);
CHIMERA_LIVE(DynamicLive);

const ActivityOptions kOptions{.start_to_close_timeout = 10s};

// --- Dynamic workflows and activities ---

class Any {
 public:
  Any(std::string type, std::vector<Payload> arguments) : made_for_(std::move(type)) {}
  std::string run(std::string type, std::vector<Payload> arguments) {
    std::string text = absl::StrCat(made_for_, "/", type, "/", workflow::info().workflow_type);
    for (const Payload& each : arguments) {
      absl::StrAppend(&text, " ", workflow::execute_activity<std::string>("shout", kOptions, each));
    }
    return absl::StrCat(
        text, " ", workflow::execute_activity<std::string>("known", kOptions), " ",
        workflow::execute_local_activity<std::string>("here", {.start_to_close_timeout = 10s}, 7));
  }

 private:
  const std::string made_for_;
};
const auto kAny = define_dynamic_workflow<&Any::run>();

class Proxy {
 public:
  std::string call(std::string type, std::vector<Payload> arguments) {
    std::string text = type;
    for (const Payload& each : arguments) absl::StrAppend(&text, ":", each.data);
    return text;
  }
};

std::string known() { return "known"; }
struct Named {
  std::string run() { return "named"; }
};

TEST_P(DynamicLive, ServesTheNamesThatNothingElseServes) {
  Proxy proxy;
  registry()
      .add(kAny)
      .add(define_workflow<&Named::run>("Named"))
      .add_activity<&known>()
      .add_dynamic_activity<&Proxy::call>(proxy);
  start_worker();

  WorkflowOptions with = options();
  EXPECT_EQ(client().start_workflow<std::string>("Order", with, 1, std::string("a")).result(),
            R"(Order/Order/Order shout:1 shout:"a" known here:7)");
  EXPECT_EQ(execute<&Named::run>(), "named");
  stop_worker();
}

TEST_P(DynamicLive, ThereIsOneOfEach) {
  do_not_replay();
  Proxy proxy;
  registry().add(kAny).add_dynamic_activity<&Proxy::call>(proxy);
  EXPECT_THAT([&] { registry().add(kAny); },
              testing::ThrowsMessage<std::invalid_argument>(
                  HasSubstr("a dynamic workflow is registered twice")));
  EXPECT_THAT([&] { registry().add_dynamic_activity<&Proxy::call>(proxy); },
              testing::ThrowsMessage<std::invalid_argument>(
                  HasSubstr("a dynamic activity is registered twice")));
  EXPECT_THAT([&] { registry().add_activity<&known>(""); },
              testing::ThrowsMessage<std::invalid_argument>(HasSubstr("needs a name")));
}

// --- The runs before ---

class Counts {
 public:
  int run() {
    seen_ = workflow::last_completion_result<int>().value_or(0);
    if (seen_ == 2) workflow::wait_condition([] { return workflow::cancel_requested(); });
    return seen_ + 1;
  }
  int seen() const { return seen_; }

 private:
  int seen_ = -1;
};

TEST_P(FactsLive, ACronRunHasTheResultOfTheOneBefore) {
  registry().add(define_workflow<&Counts::run>("Counts").query<&Counts::seen>("seen"));
  start_worker();
  WorkflowOptions with = options();
  with.cron_schedule = "@every 1s";
  const auto handle =
      client().get_workflow_handle<&Counts::run>(client().start_workflow<&Counts::run>(with).id());

  eventually(
      [&] {
        try {
          return handle.query<&Counts::seen>() == 2;
        } catch (const RpcError&) {
          return false;  // Its first task is still to come.
        } catch (const WorkflowQueryFailedError&) {
          return false;
        }
      },
      "the third run");
  handle.terminate();
}

struct Stumbles {
  std::string run() {
    const auto before = workflow::last_failure();
    if (before == nullptr) throw ApplicationError("stumbled", {.type = "Once"});
    return describe(before.get());
  }
};

TEST_P(FactsLive, ARetriedRunHasTheFailureOfTheOneBefore) {
  registry().add(define_workflow<&Stumbles::run>("Stumbles"));
  start_worker();
  WorkflowOptions with = options();
  with.retry_policy = RetryPolicy{.initial_interval = 10ms, .maximum_attempts = 2};

  EXPECT_THAT(client().start_workflow<&Stumbles::run>(with).result(), HasSubstr("stumbled"));
}

struct GoesOn {
  std::string run(int rounds) {
    if (rounds == 0) {
      return absl::StrCat(workflow::memo_value<int>("left").value_or(-1), " ",
                          workflow::memo_value<int>("nothing").value_or(-1));
    }
    workflow::continue_as_new<&GoesOn::run>({.memo = {{"left", make_payload(rounds)}}}, rounds - 1);
  }
};

TEST_P(FactsLive, ContinueAsNewIsTypedAndHasOptions) {
  registry().add(define_workflow<&GoesOn::run>("GoesOn"));
  start_worker();

  EXPECT_EQ(execute<&GoesOn::run>(2), "1 -1");
}

// --- This run ---

struct Child {
  std::string run() {
    const workflow::Info& info = workflow::info();
    return info.root ? info.root->workflow_id + " " + info.root->run_id : "none";
  }
};
class Knows {
 public:
  std::string run() {
    const workflow::Info& info = workflow::info();
    const std::string first = workflow::uuid7(), second = workflow::uuid7();
    // A genuine server may count from when it got the call.
    const Time expected = info.workflow_start_time + 60s;
    if (!info.deadline || *info.deadline > expected || *info.deadline < expected - 1s)
      return absl::StrCat("deadline ", info.deadline ? (*info.deadline - expected) / 1ms : -1);
    if (first[14] != '7' || second[14] != '7' || first.substr(0, 13) != second.substr(0, 13))
      return first + " " + second;
    workflow::set_current_details("half way");
    if (workflow::current_details() != "half way") return "details";
    if (workflow::execute_child_workflow<&Child::run>({}) != info.workflow_id + " " + info.run_id) {
      return "root";
    }
    if (workflow::cancellation_reason()) return "a reason before there is a request";
    ready_ = true;
    try {
      workflow::wait_condition([] { return false; });
    } catch (const CancelledError&) {
      return workflow::cancellation_reason().value_or("none");
    }
    return "not cancelled";
  }
  bool ready() const { return ready_; }

 private:
  bool ready_ = false;
};

TEST_P(FactsLive, ARunKnowsItsDeadlineItsRootAndWhyItIsCancelled) {
  registry()
      .add(define_workflow<&Knows::run>("Knows").query<&Knows::ready>("ready"))
      .add(define_workflow<&Child::run>("Child"));
  start_worker();
  WorkflowOptions with = options();
  with.run_timeout = 60s;
  const auto handle = client().start_workflow<&Knows::run>(with);
  eventually([&] { return handle.describe().history_length > 8 && handle.query<&Knows::ready>(); },
             "the wait");

  handle.cancel({.reason = "too late"});

  EXPECT_EQ(handle.result(), "too late");
}

}  // namespace facts_test
}  // namespace chimera::live
