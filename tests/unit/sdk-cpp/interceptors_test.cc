// The seam for interceptors: what each call's input holds, the order of links, and headers.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "sdk-cpp/src/activity_pool.h"
#include "sdk-cpp/src/client_state.h"
#include "tests/unit/sdk-cpp/driver.h"

namespace chimera::sdk {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::vector<std::string> seen;  // By the links, in order.

std::string text_of(const Header& header) {
  const auto found = header.fields().find("trace");
  return found == header.fields().end() ? "none" : found->second.data();
}
void put(Header& header, const std::string& value) {
  (*header.mutable_fields())["trace"].set_data(value);
}

// Writes down what passes, and adds itself to the header.
class Out final : public WorkflowOutbound {
 public:
  Out(std::string name, WorkflowOutbound* next) : WorkflowOutbound(next), name_(std::move(name)) {}
  OperationPtr call(StartActivityInput& input) override {
    seen.push_back(absl::StrCat(name_, " activity ", std::string(input.name), " ",
                                input.arguments.size(), " ",
                                input.options.start_to_close_timeout / 1s, " s"));
    put(input.header, text_of(input.header) + name_);
    return WorkflowOutbound::call(input);
  }
  OperationPtr call(StartLocalActivityInput& input) override {
    put(input.header, "local");
    return WorkflowOutbound::call(input);
  }
  OperationPtr call(StartChildInput& input) override {
    put(input.header, "child");
    ChildWorkflowOptions options = input.options;
    options.id = "chosen";
    StartChildInput other{input.type, options, input.arguments, std::move(input.header)};
    return WorkflowOutbound::call(other);
  }
  OperationPtr call(SignalExternalInput& input) override {
    put(input.header, "signal");
    return WorkflowOutbound::call(input);
  }
  void call(ContinueAsNewInput& input) override {
    put(input.header, "again");
    WorkflowOutbound::call(input);
  }

 private:
  const std::string name_;
};

class In final : public WorkflowInbound {
 public:
  In(std::string name, WorkflowInbound* next) : WorkflowInbound(next), name_(std::move(name)) {}
  void execute(const ExecuteWorkflowInput& input, PayloadSink& result) override {
    note("run", input.header);
    WorkflowInbound::execute(input, result);
  }
  void handle_signal(const HandlerInput& input) override {
    note("signal " + input.name, input.header);
    WorkflowInbound::handle_signal(input);
  }
  void handle_query(const HandlerInput& input, PayloadSink& result) override {
    note("query " + input.name, input.header);
    WorkflowInbound::handle_query(input, result);
  }
  void validate_update(const HandlerInput& input) override {
    note("validate " + input.name, input.header);
    WorkflowInbound::validate_update(input);
  }
  void handle_update(const HandlerInput& input, PayloadSink& result) override {
    note("update " + input.name + " " + input.id, input.header);
    WorkflowInbound::handle_update(input, result);
  }

 private:
  void note(const std::string& what, const Header& header) {
    seen.push_back(absl::StrCat(name_, " ", what, " (", text_of(header), ")"));
  }
  const std::string name_;
};

class ActivityIn final : public ActivityInbound {
 public:
  using ActivityInbound::ActivityInbound;
  void execute(const ExecuteActivityInput& input, PayloadSink& result) override {
    seen.push_back(absl::StrCat("activity (", text_of(input.header), ")"));
    ActivityInbound::execute(input, result);
  }
};
class ActivityOut final : public ActivityOutbound {
 public:
  using ActivityOutbound::ActivityOutbound;
  void heartbeat(const HeartbeatInput& input) override {
    seen.push_back(absl::StrCat("heartbeat ", input.details.size()));
    ActivityOutbound::heartbeat(input);
  }
};

class Links final : public WorkerInterceptor {
 public:
  explicit Links(std::string name) : name_(std::move(name)) {}
  std::unique_ptr<WorkflowOutbound> link(WorkflowOutbound* next) override {
    return std::make_unique<Out>(name_, next);
  }
  std::unique_ptr<WorkflowInbound> link(WorkflowInbound* next) override {
    return std::make_unique<In>(name_, next);
  }
  std::unique_ptr<ActivityOutbound> link(ActivityOutbound* next) override {
    return std::make_unique<ActivityOut>(next);
  }
  std::unique_ptr<ActivityInbound> link(ActivityInbound* next) override {
    return std::make_unique<ActivityIn>(next);
  }

 private:
  const std::string name_;
};
// One that has nothing to add.
class NoLinks final : public WorkerInterceptor {};

struct Everything {
  std::string run() {
    const auto one = workflow::start_activity<int>("one", {.start_to_close_timeout = 7s}, 1, 2);
    const auto two = workflow::start_local_activity<int>("two", {.start_to_close_timeout = 7s});
    workflow::spawn_detached(
        [] { workflow::get_external_workflow_handle("other").signal("hey", 1); });
    workflow::spawn_detached(
        [] { const auto child = workflow::start_child_workflow<int>("Child", {}); });
    workflow::wait_condition([this] { return done_; });
    workflow::continue_as_new<&Everything::run>();
  }
  void finish() { done_ = true; }
  bool done() const { return done_; }
  int change(int to) { return to; }
  void check(int) const {}

 private:
  bool done_ = false;
};
const auto kEverything = define_workflow<&Everything::run>("Everything")
                             .signal<&Everything::finish>("finish")
                             .query<&Everything::done>("done")
                             .update<&Everything::change, &Everything::check>("change");

TEST(InterceptorsTest, EachCallOfAWorkflowGoesThroughTheLinksInOrder) {
  seen.clear();
  Driver driver(
      kEverything, nullptr,
      {std::make_shared<Links>("a"), std::make_shared<NoLinks>(), std::make_shared<Links>("b")});
  const auto first = driver.start();

  EXPECT_THAT(seen, ElementsAre("a run (none)", "b run (none)", "a activity one 2 7 s",
                                "b activity one 2 7 s"));
  EXPECT_EQ(text_of(command<core::ScheduleActivity>(first, 0)->attributes.header()), "noneab");
  EXPECT_EQ(text_of(command<core::ScheduleLocalActivity>(first, 1)->header), "local");
  EXPECT_EQ(text_of(command<core::SignalExternalWorkflowExecution>(first, 2)->attributes.header()),
            "signal");
  const auto& child = command<core::StartChildWorkflowExecution>(first, 3)->attributes;
  EXPECT_EQ(text_of(child.header()), "child");
  EXPECT_EQ(child.workflow_id(), "chosen");

  const auto last = driver.activate({driver.signal("finish")});
  const auto* again = command<core::ContinueAsNewWorkflowExecution>(last, 0);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(text_of(again->attributes.header()), "again");
}

TEST(InterceptorsTest, EachMessageToAWorkflowGoesThroughThemWithItsHeader) {
  Driver driver(kEverything, nullptr, {std::make_shared<Links>("a")});
  driver.start();
  seen.clear();

  core::Job signal = driver.signal("finish");
  auto event = *std::get<core::SignalWorkflow>(signal).signal;
  put(*event.mutable_header(), "sent");
  api::query::v1::WorkflowQuery query;
  query.set_query_type("done");
  driver.activate({core::QueryWorkflow{.query_id = "q", .query = &query}});
  driver.activate({driver.update("change", 5)});
  driver.activate({core::SignalWorkflow{&event}});

  EXPECT_THAT(seen, ElementsAre("a query done (none)", "a validate change (none)",
                                "a update change u (none)", "a signal finish (sent)"));
}

// --- Calls that the run answers by itself ---

// Writes down each of them with its input, and changes what it can.
class Watch final : public WorkflowOutbound {
 public:
  using WorkflowOutbound::WorkflowOutbound;
  Time call(NowInput& input) override {
    note(input);
    return WorkflowOutbound::call(input) + 1h;
  }
  void call(SleepInput& input) override {
    note(input, absl::StrCat(input.duration / 1s, " s"));
    SleepInput longer{input.duration * 2};
    WorkflowOutbound::call(longer);
  }
  OperationPtr call(StartTimerInput& input) override {
    note(input, absl::StrCat(input.duration / 1s, " s"));
    return WorkflowOutbound::call(input);
  }
  bool call(WaitConditionInput& input) override {
    note(input, input.timeout ? absl::StrCat(*input.timeout / 1s, " s") : "for ever");
    return WorkflowOutbound::call(input);
  }
  std::shared_ptr<detail::TaskState> call(SpawnInput& input) override {
    note(input);
    return WorkflowOutbound::call(input);
  }
  const workflow::Info& call(InfoInput& input) override {
    note(input);
    return WorkflowOutbound::call(input);
  }
  const workflow::UpdateInfo* call(CurrentUpdateInfoInput& input) override {
    note(input);
    return WorkflowOutbound::call(input);
  }
  bool call(PatchedInput& input) override {
    note(input, absl::StrCat(std::string(input.id), input.deprecated ? " deprecated" : ""));
    return input.id == "answered" || WorkflowOutbound::call(input);
  }
  void call(SideEffectInput& input) override {
    note(input);
    const std::function<void(PayloadSink&)> make = [](PayloadSink& out) { encode(out, 6); };
    SideEffectInput other{make, input.take};
    WorkflowOutbound::call(other);
  }
  void call(MutableSideEffectInput& input) override {
    note(input, std::string(input.id));
    WorkflowOutbound::call(input);
  }
  int call(GetVersionInput& input) override {
    note(input, absl::StrCat(std::string(input.change_id), " ", input.max_supported));
    return 3;  // Answers itself.
  }
  void call(UpsertSearchAttributesInput& input) override {
    note(input, input.attributes.begin()->first);
    SearchAttributes more = input.attributes;
    more["Added"] = true;
    UpsertSearchAttributesInput other{more};
    WorkflowOutbound::call(other);
  }
  void call(UpsertMemoInput& input) override {
    note(input, input.memo.begin()->first);
    WorkflowOutbound::call(input);
  }
  void call(SetHandlerInput& input) override {
    note(input, input.handler.name);
    WorkflowOutbound::call(input);
  }
  MetricMeter call(MetricMeterInput& input) override {
    note(input);
    return WorkflowOutbound::call(input);
  }
  void call(LogInput& input) override { note(input, std::string(input.message)); }
  OperationPtr call(CancelExternalInput& input) override {
    note(input, absl::StrCat(input.workflow_id, " ", input.reason));
    return WorkflowOutbound::call(input);
  }
  OperationPtr call(StartActivityInput& input) override {  // Answers itself.
    note(input, std::string(input.name));
    const auto answer = std::make_shared<Operation>();
    answer->done = true;
    answer->result = to_proto(make_payload(42));
    return answer;
  }

 private:
  template <class Input>
  static void note(const Input& input, const std::string& what = "") {
    seen.push_back(absl::StrCat(input.kCall, what.empty() ? "" : " ", what));
  }
};
class Watches final : public WorkerInterceptor {
 public:
  std::unique_ptr<WorkflowOutbound> link(WorkflowOutbound* next) override {
    return std::make_unique<Watch>(next);
  }
};

struct OwnCallsOfCode {
  std::string run() {
    workflow::upsert_search_attributes({{"Given", std::string("x")}});
    workflow::upsert_memo({{"note", make_payload(1)}});
    workflow::set_signal_handler("poke", [] {});
    workflow::metric_meter();
    workflow::logger().error("trouble");
    workflow::current_update_info();
    std::string told = absl::StrCat(workflow::now().time_since_epoch() / 1h, " h, ");
    told += workflow::info().workflow_id;
    absl::StrAppend(&told, ", ",
                    workflow::execute_activity<int>("one", {.start_to_close_timeout = 7s}));
    told += workflow::patched("answered") ? ", patched" : "";
    workflow::deprecate_patch("old");
    absl::StrAppend(&told, ", ", workflow::side_effect([] { return 5; }));
    absl::StrAppend(&told, " ", workflow::mutable_side_effect("depth", [] { return 8; }));
    absl::StrAppend(&told, " ", workflow::get_version("change", 1, 2));
    workflow::spawn_detached([] { workflow::get_external_workflow_handle("other").cancel("why"); });
    if (!workflow::wait_condition([] { return false; }, 3s)) told += ", timed out";
    workflow::sleep(2s);
    return told;
  }
};
const auto kOwnCalls = define_workflow<&OwnCallsOfCode::run>("OwnCallsOfCode");

TEST(InterceptorsTest, ALinkSeesEachCallMayChangeItAndMayAnswerItself) {
  seen.clear();
  Driver driver(kOwnCalls, nullptr, {std::make_shared<Watches>()});
  const auto first = driver.start();

  EXPECT_THAT(
      seen, ElementsAre("upsert_search_attributes Given", "upsert_memo note", "set_handler poke",
                        "metric_meter", "logger trouble", "current_update_info", "now", "info",
                        "start_activity one", "patched answered", "patched old deprecated",
                        "side_effect", "mutable_side_effect depth", "get_version change 2", "spawn",
                        "wait_condition 3 s", "start_timer 3 s", "cancel other why"));
  const auto* upsert = command<core::UpsertWorkflowSearchAttributes>(first, 0);
  ASSERT_NE(upsert, nullptr);
  EXPECT_TRUE(upsert->search_attributes.indexed_fields().contains("Added"));
  ASSERT_NE(command<core::ModifyWorkflowProperties>(first, 1), nullptr);
  ASSERT_NE(command<core::SetPatchMarker>(first, 2), nullptr);  // Of "old" alone.
  EXPECT_EQ(command<core::RecordOnce>(first, 3)->recorded.value.data(), "6");
  EXPECT_EQ(command<core::RecordOnce>(first, 4)->recorded.id, "depth");
  ASSERT_NE(command<core::StartTimer>(first, 5), nullptr);  // No version: the link answered.
  ASSERT_NE(command<core::RequestCancelExternalWorkflowExecution>(first, 6), nullptr);

  seen.clear();
  const auto second = driver.activate({core::FireTimer{1}});
  EXPECT_THAT(seen, ElementsAre("sleep 2 s", "start_timer 4 s"));
  EXPECT_EQ(command<core::StartTimer>(second, 0)->start_to_fire_timeout, 4s);

  const auto last = driver.activate({core::FireTimer{2}});
  const auto* done = command<core::CompleteWorkflowExecution>(last, 0);
  ASSERT_NE(done, nullptr);
  EXPECT_EQ(done->result->data(), "\"1 h, id, 42, patched, 6 8 3, timed out\"");
}

TEST(InterceptorsTest, WithoutLinksTheRuntimeItselfIsCalled) {
  seen.clear();
  Driver driver(kOwnCalls);
  const auto first = driver.start();
  EXPECT_TRUE(seen.empty());
  ASSERT_NE(command<core::ScheduleActivity>(first, 2), nullptr);
}

// --- Activities ---

class Handle final : public core::ActivityHandle {
 public:
  void heartbeat(api::common::v1::Payloads details) override { ++heartbeats; }
  void complete(core::ActivityResult) override { done.Notify(); }
  int heartbeats = 0;
  absl::Notification done;
};

TEST(InterceptorsTest, AnActivityAndItsHeartbeatsGoThroughThem) {
  seen.clear();
  CppActivityLanguage language(nullptr, 1);
  language.intercept({std::make_shared<Links>("a")});
  language.add({"beat", [](const PayloadList&, PayloadSink*) { activity::heartbeat(1, 2, 3); }});
  auto task = std::make_shared<api::workflowservice::v1::PollActivityTaskQueueResponse>();
  task->mutable_activity_type()->set_name("beat");
  put(*task->mutable_header(), "sent");
  const auto handle = std::make_shared<Handle>();

  language.start({task, handle});
  handle->done.WaitForNotification();

  EXPECT_THAT(seen, ElementsAre("activity (sent)", "heartbeat 3"));
  EXPECT_EQ(handle->heartbeats, 1);
}

// --- Clients ---

class Answers final : public ClientOutbound {
 public:
  using ClientOutbound::ClientOutbound;
  detail::Target start_workflow(StartWorkflowInput& input) override {
    seen.push_back(absl::StrCat("start ", std::string(input.type), " ", input.options.id, " ",
                                input.arguments.size(), " ", std::string(input.signal)));
    return {.id = input.options.id, .workflow_type = std::string(input.type)};
  }
  void signal(SignalInput& input) override {
    seen.push_back(absl::StrCat("signal ", input.target.id, " ", std::string(input.name)));
  }
  WorkflowExecution describe(const DescribeInput& input) override {
    return {.id = input.target.id + " described"};
  }
  std::string create_schedule(CreateScheduleInput& input) override {
    seen.push_back(absl::StrCat("create ", input.id, " of ", input.schedule.action.workflow));
    return input.id;
  }
  ScheduleDescription describe_schedule(const ScheduleInput& input) override {
    return {.id = input.id + " described"};
  }
  void update_schedule(const UpdateScheduleInput& input) override {
    seen.push_back(absl::StrCat("update ", input.id));
    input.updater({.id = "given"});
  }
  void backfill_schedule(const BackfillScheduleInput& input) override {
    seen.push_back(absl::StrCat("backfill ", input.backfills.size()));
  }
  void pause_schedule(const PauseScheduleInput& input) override {
    seen.push_back(absl::StrCat(input.pauses ? "pause " : "unpause ", input.note));
  }
  void trigger_schedule(const TriggerScheduleInput& input) override {
    seen.push_back(absl::StrCat("trigger ", static_cast<int>(input.overlap)));
  }
  void delete_schedule(const ScheduleInput& input) override {
    seen.push_back(absl::StrCat("delete ", input.id));
  }
  PagedRange<ScheduleListEntry> list_schedules(const ListInput& input) override {
    return {[id = input.query](int, const std::string&) {
              return PagedRange<ScheduleListEntry>::Page{.items = {{.id = id}}, .next_token = ""};
            },
            input.options};
  }
  std::int64_t count_schedules(const CountInput& input) override {
    return static_cast<std::int64_t>(input.query.size());
  }
};
class ClientLinks final : public ClientInterceptor {
 public:
  std::unique_ptr<ClientOutbound> link(ClientOutbound* next) override {
    return std::make_unique<Answers>(next);
  }
};

TEST(InterceptorsTest, AClientsCallsGoThroughThem) {
  seen.clear();
  const auto state = std::make_shared<detail::ClientState>();  // Connected to nothing.
  state->intercept({std::make_shared<ClientLinks>()});
  Client client(state);

  auto handle = client.start_workflow<&Everything::run>({.id = "e", .task_queue = "q"});
  handle.signal<&Everything::finish>();
  client.signal_with_start<kEverything, &Everything::finish>({.id = "f", .task_queue = "q"}, {});

  EXPECT_EQ(handle.describe().id, "e described");
  EXPECT_THAT(
      seen, ElementsAre("start Everything e 0 ", "signal e finish", "start Everything f 0 finish"));
}

TEST(InterceptorsTest, CallsAboutSchedulesGoThroughThem) {
  seen.clear();
  const auto state = std::make_shared<detail::ClientState>();  // Connected to nothing.
  state->intercept({std::make_shared<ClientLinks>()});
  Client client(state);

  const ScheduleHandle handle = client.create_schedule(
      "s", {.action = start_workflow_action<&Everything::run>({.id = "e", .task_queue = "q"})});
  std::string told;
  handle.update([&told](const ScheduleDescription& was) {
    told = was.id;
    return was.schedule;
  });
  handle.backfill({{}, {}});
  handle.pause("n");
  handle.unpause();
  handle.trigger(ScheduleOverlapPolicy::kAllowAll);
  handle.delete_();

  EXPECT_EQ(handle.describe().id, "s described");
  EXPECT_EQ(told, "given");
  EXPECT_EQ(client.list_schedules("q").all().at(0).id, "q");
  EXPECT_EQ(client.count_schedules("four"), 4);
  EXPECT_THAT(seen, ElementsAre("create s of Everything", "update s", "backfill 2", "pause n",
                                "unpause Unpaused via C++ SDK", "trigger 6", "delete s"));
}

}  // namespace
}  // namespace chimera::sdk
