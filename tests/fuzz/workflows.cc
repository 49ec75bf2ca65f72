#include "tests/fuzz/workflows.h"

#include <tuple>

#include "chimera/errors.h"
#include "chimera/testing.h"
#include "core/history/json.h"

namespace chimera::fuzz {

using namespace std::chrono_literals;

Part weigh(Part part) {
  if (part.quantity < 0) throw ApplicationError("less than nothing", {.type = "Quantity"});
  part.weight = static_cast<double>(part.quantity) * 1.5;
  return part;
}
std::string greet(std::string name) { return "Hello, " + name; }

namespace {

const ActivityOptions kQuick{.start_to_close_timeout = 10s,
                             .retry_policy = RetryPolicy{.maximum_attempts = 2}};
const LocalActivityOptions kQuickLocal{.start_to_close_timeout = 10s,
                                       .retry_policy = RetryPolicy{.maximum_attempts = 1}};

struct Child {
  std::string run(std::string name) {
    workflow::sleep(1s);
    return workflow::execute_activity<&greet>(kQuick, name);
  }
};

class Everything {
 public:
  std::string run(Part part, int round) {
    const int version = workflow::get_version("way", workflow::kDefaultVersion, 1);
    const auto number = workflow::side_effect([] { return 17; });
    workflow::upsert_memo({{"round", make_payload(round)}});
    if (workflow::patched("weighs")) part = workflow::execute_activity<&weigh>(kQuick, part);
    auto local = workflow::start_local_activity<&greet>(kQuickLocal, part.name);
    auto child = workflow::start_child_workflow<&Child::run>({}, part.name);
    auto timer = workflow::start_timer(30s, "patience");
    std::ignore = workflow::wait_any(child, timer);
    std::string told = local.get() + child.get();
    try {
      std::ignore = workflow::execute_activity<&weigh>(kQuick, Part{"bad", -1});
    } catch (const ActivityError& error) {
      told += describe(error);
    }
    {
      workflow::CancellationScope scope;
      auto cancelled = scope.run([&] { return workflow::start_activity<&greet>(kQuick, "x"); });
      scope.cancel();
      try {
        told += cancelled.get();
      } catch (const FailureError&) {
        told += "cancelled";
      }
    }
    std::ignore = workflow::wait_condition([&] { return signals_ > 1; }, 10s);
    try {
      workflow::get_external_workflow_handle("nobody").signal("x");
    } catch (const FailureError&) {
      told += "nobody";
    }
    if (round > 0) workflow::continue_as_new<&Everything::run>(part, round - 1);
    return told + std::to_string(version + number);
  }
  void note(Part part) {
    ++signals_;
    part_ = std::move(part);
  }
  Part change(Part part) {
    workflow::sleep(1s);
    return std::exchange(part_, std::move(part));
  }
  void check(const Part& part) {
    if (part.quantity > 1000) throw ApplicationError("too many");
  }
  Part look() const { return part_; }

 private:
  int signals_ = 0;
  Part part_;
};

const auto kEverything = define_workflow<&Everything::run>("Everything")
                             .signal<&Everything::note>("note")
                             .update<&Everything::change, &Everything::check>("change")
                             .query<&Everything::look>("look");

struct Fails {
  void run(std::string how) {
    if (how == "cancel") workflow::sleep(24h);
    throw ApplicationError("as told", {.type = how, .details = details(how, 3)});
  }
};

std::string binary(const std::string& json) {
  return core::history_from_json(json).value().SerializeAsString();
}

}  // namespace

void add_to(Registry& registry) {
  registry.add(kEverything)
      .add(define_workflow<&Child::run>("Child"))
      .add(define_workflow<&Fails::run>("Fails"))
      .add_activity<&weigh>()
      .add_activity<&greet>();
}

std::vector<std::string> record_histories() {
  TestEnvironment env;
  Worker worker(env.client(), {.task_queue = "fuzz"});
  add_to(worker);
  worker.start();
  std::vector<std::string> out;
  const auto named = [](const char* id) { return WorkflowOptions{.id = id, .task_queue = "fuzz"}; };
  const auto whole = env.client().start_workflow<&Everything::run>(
      named("whole"), Part{.name = "screw", .quantity = 3, .inside = {{"thread", 1}}}, 1);
  whole.signal<&Everything::note>(Part{"nut", 2});
  std::ignore = whole.execute_update<&Everything::change>(Part{"washer", 5});
  whole.signal<&Everything::note>(Part{"bolt", 2});
  std::ignore = whole.result();
  out.push_back(binary(whole.fetch_history()));
  const auto last = env.client().get_workflow_handle<std::string>("whole");
  std::ignore = last.result();
  out.push_back(binary(last.fetch_history()));
  for (const char* how : {"fail", "cancel"}) {
    const auto fails = env.client().start_workflow<&Fails::run>(named(how), how);
    if (std::string(how) == "cancel") fails.cancel();
    try {
      fails.result();
    } catch (const WorkflowFailureError&) {
    }
    out.push_back(binary(fails.fetch_history()));
  }
  worker.shutdown();
  worker.wait();
  return out;
}

}  // namespace chimera::fuzz
