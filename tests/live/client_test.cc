// What clients do: starting and its policies, listing, terminating, histories, a codec; children
// and other workflows.
#include "absl/strings/str_cat.h"

#include "server/server.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace {

using testing::HasSubstr;
using testing::Not;

CHIMERA_LIVE(ClientLive);
CHIMERA_LIVE(CodecLive);
CHIMERA_LIVE(RelationLive);

std::string echo(const std::string& text) { return text; }
const ActivityOptions kOptions{.start_to_close_timeout = 10s};

// Collects texts until it is told to finish.
struct Basket {
  std::string text;
  bool done = false;
  explicit Basket(std::string start) : text(std::move(start)) {}
  void add(std::string more) { text += more; }
  std::string put(std::string more) {
    return text += workflow::execute_activity<&echo>(kOptions, more);
  }
  std::string get() const { return text; }
  void finish() { done = true; }
  std::string run(std::string) {
    workflow::wait_condition([this] { return done; });
    if (text == "fail") throw ApplicationError("secret " + text, {.details = details(text)});
    return workflow::execute_activity<&echo>(kOptions, text);
  }
};
const auto kBasket = define_workflow<&Basket::run>("Basket")
                         .signal<&Basket::add>("add")
                         .signal<&Basket::finish>("finish")
                         .query<&Basket::get>("get")
                         .update<&Basket::put>("put");

TEST_P(ClientLive, UpdateWithStartStartsOrUsesWhatRuns) {
  registry().add(kBasket).add_activity<&echo>();
  start_worker();
  WorkflowOptions with = options();
  with.id_conflict_policy = WorkflowIdConflictPolicy::kUseExisting;

  const std::string first = client().execute_update_with_start_workflow<&Basket::run, &Basket::put>(
      with, UpdateOptions{}, {"b"}, "a");
  const auto second = client().start_update_with_start_workflow<&Basket::run, &Basket::put>(
      with, UpdateOptions{.id = "second"}, {"c"}, "other");
  EXPECT_EQ(second.result(), "abc");  // Both at once would race.
  const auto by_name = client().start_update_with_start_workflow<std::string>(
      "Basket", with, "put", UpdateOptions{}, std::tuple("d"), "other");

  EXPECT_EQ(first, "ab");
  EXPECT_EQ(second.id(), "second");
  EXPECT_EQ(by_name.result(), "abcd");
  EXPECT_EQ(by_name.workflow_run_id(), second.workflow_run_id());
  const auto handle = client().get_workflow_handle<&Basket::run>(with.id, second.workflow_run_id());
  handle.signal<&Basket::finish>();
  EXPECT_EQ(handle.result(), "abcd");
}

TEST_P(ClientLive, UpdateWithStartSaysWhatIsWrong) {
  registry().add(kBasket).add_activity<&echo>();
  start_worker();
  WorkflowOptions with = options();
  const auto put = [&] {
    client().execute_update_with_start_workflow<&Basket::run, &Basket::put>(with, UpdateOptions{},
                                                                            {"b"}, "a");
  };

  EXPECT_THROW(put(), std::invalid_argument);  // Which policy?
  with.id_conflict_policy = WorkflowIdConflictPolicy::kFail;
  put();
  EXPECT_THROW(put(), WorkflowAlreadyStartedError);
  client().get_workflow_handle<&Basket::run>(with.id).terminate();
}

TEST_P(ClientLive, SignalWithStartStartsOrUsesWhatRuns) {
  registry().add(kBasket).add_activity<&echo>();
  start_worker();
  const WorkflowOptions with = options();

  client().signal_with_start<&Basket::run, &Basket::add>(with, {"b"}, "a");
  const auto handle =
      client().signal_with_start<std::string>("Basket", with, "add", std::tuple("c"), "other");
  handle.signal<&Basket::finish>();

  EXPECT_EQ(handle.result(), "abc");
}

TEST_P(ClientLive, QueriesOfEndedWorkflowsCanBeRejected) {
  registry().add(kBasket).add_activity<&echo>();
  start_worker();
  const auto handle = start<&Basket::run>("a");
  const QueryOptions open{.reject_condition = QueryRejectCondition::kNotOpen};
  const QueryOptions clean{.reject_condition = QueryRejectCondition::kNotCompletedCleanly};
  EXPECT_EQ(handle.query<&Basket::get>(open), "a");
  handle.signal<&Basket::finish>();
  handle.result();

  EXPECT_EQ(handle.query<&Basket::get>(), "a");
  EXPECT_EQ(handle.query<std::string>("get", clean), "a");
  try {
    handle.query<&Basket::get>(open);
    ADD_FAILURE() << "answered";
  } catch (const WorkflowQueryRejectedError& error) {
    EXPECT_EQ(error.status(), WorkflowExecutionStatus::kCompleted);
    EXPECT_THAT(error.what(), HasSubstr("COMPLETED"));
  }
}

TEST_P(ClientLive, IdPoliciesDecideAboutASecondStart) {
  registry().add(kBasket).add_activity<&echo>();
  start_worker();
  WorkflowOptions with = options();

  const auto first = client().start_workflow<&Basket::run>(with, "a");
  try {
    client().start_workflow<&Basket::run>(with, "b");
    ADD_FAILURE() << "started twice";
  } catch (const WorkflowAlreadyStartedError& error) {
    EXPECT_EQ(error.workflow_id(), with.id);
    EXPECT_EQ(error.run_id(), first.run_id());
  }
  with.id_conflict_policy = WorkflowIdConflictPolicy::kUseExisting;
  EXPECT_EQ(client().start_workflow<&Basket::run>(with, "b").run_id(), first.run_id());
  with.id_conflict_policy = WorkflowIdConflictPolicy::kTerminateExisting;
  const auto second = client().start_workflow<&Basket::run>(with, "c");
  EXPECT_NE(second.run_id(), first.run_id());
  EXPECT_NE(dynamic_cast<const TerminatedError*>(failure_of(first).cause()), nullptr);
  second.signal<&Basket::finish>();
  EXPECT_EQ(second.result(), "c");
  with.id_conflict_policy = WorkflowIdConflictPolicy::kUnspecified;
  with.id_reuse_policy = WorkflowIdReusePolicy::kRejectDuplicate;
  EXPECT_THROW(client().start_workflow<&Basket::run>(with, "d"), WorkflowAlreadyStartedError);
  with.id_reuse_policy = WorkflowIdReusePolicy::kAllowDuplicateFailedOnly;
  EXPECT_THROW(client().start_workflow<&Basket::run>(with, "d"), WorkflowAlreadyStartedError);
  with.id_reuse_policy = WorkflowIdReusePolicy::kAllowDuplicate;
  const auto third = client().start_workflow<&Basket::run>(with, "e");
  third.signal<&Basket::finish>();
  EXPECT_EQ(third.result(), "e");
}

TEST_P(ClientLive, SignalWithStartDoesWhatIsMissing) {
  registry().add(kBasket).add_activity<&echo>();
  start_worker();
  const WorkflowOptions with = options();

  const auto first =
      client().signal_with_start<&Basket::run, &Basket::add>(with, {"+1"}, std::string("a"));
  const auto second = client().signal_with_start<std::string>("Basket", with, "add",
                                                              std::tuple(std::string("+2")), "b");
  EXPECT_EQ(first.run_id(), second.run_id());
  second.signal("finish");

  EXPECT_EQ(first.result(), "a+1+2");
}

TEST_P(ClientLive, DescribesAndLists) {
  registry().add(kBasket).add_activity<&echo>();
  start_worker();
  WorkflowOptions with = options();
  with.memo = {{"for", make_payload("ann")}};
  with.search_attributes = {{"GoldInt", std::int64_t{42}}};

  const auto handle = client().start_workflow<&Basket::run>(with, "a");
  const WorkflowExecution running = handle.describe();
  EXPECT_EQ(running.id, handle.id());
  EXPECT_EQ(running.run_id, handle.run_id());
  EXPECT_EQ(running.workflow_type, "Basket");
  EXPECT_EQ(running.task_queue, queue());
  EXPECT_EQ(running.status, WorkflowExecutionStatus::kRunning);
  EXPECT_EQ(from_payload<std::string>(running.memo.at("for")), "ann");
  handle.signal<&Basket::finish>();
  handle.result();
  EXPECT_EQ(handle.describe().status, WorkflowExecutionStatus::kCompleted);
  std::vector<WorkflowExecution> found;
  eventually(
      [&] {
        found = client()
                    .list_workflows(absl::StrCat("WorkflowType = 'Basket' AND WorkflowId = '",
                                                 handle.id(), "' AND GoldInt = 42"))
                    .all();
        return found.size() == 1 && found[0].status == WorkflowExecutionStatus::kCompleted;
      },
      "the workflow in the list");
  EXPECT_EQ(found[0].run_id, handle.run_id());
  EXPECT_EQ(from_payload<std::int64_t>(found[0].search_attributes.at("GoldInt")), 42);
}

TEST_P(ClientLive, ErrorsSayWhatWasTried) {
  const auto message = [](auto call) -> std::string {
    try {
      call();
      return "no error";
    } catch (const std::exception& error) {
      return error.what();
    }
  };
  auto& client = this->client();
  const auto nobody = client.get_workflow_handle<int>("nobody-" + queue());

  EXPECT_THAT(message([&] { nobody.result(); }), HasSubstr("cannot wait for workflow 'nobody-"));
  EXPECT_THAT(message([&] { nobody.signal("x"); }), HasSubstr("cannot signal workflow 'nobody-"));
  EXPECT_THAT(message([&] { nobody.query<int>("x"); }), HasSubstr("cannot query workflow"));
  EXPECT_THAT(message([&] { nobody.execute_update<int>("x"); }), HasSubstr("cannot update"));
  EXPECT_THAT(message([&] { nobody.cancel(); }), HasSubstr("cannot cancel workflow"));
  EXPECT_THAT(message([&] { nobody.terminate(); }), HasSubstr("cannot terminate workflow"));
  EXPECT_THAT(message([&] { nobody.describe(); }), HasSubstr("cannot describe workflow"));
  EXPECT_THAT(message([&] { client.start_workflow<int>("X", {}); }), HasSubstr("needs an id"));
  EXPECT_THAT(message([&] { client.list_workflows("Nonsense =").all(); }),
              HasSubstr("cannot list"));
  try {
    nobody.describe();
  } catch (const RpcError& error) {
    EXPECT_EQ(error.code(), StatusCode::kNotFound);
  }
}

TEST_P(ClientLive, HistoriesAreTheCommandLinesJson) {
  registry().add(kBasket).add_activity<&echo>();
  start_worker();

  const auto handle = start<&Basket::run>("a");
  handle.signal<&Basket::finish>();
  handle.result();
  const std::string json = handle.fetch_history();

  EXPECT_THAT(json, HasSubstr(R"({"events":[{"eventId":"1","eventTime":")"));
  EXPECT_THAT(json, HasSubstr(R"("eventType":"EVENT_TYPE_WORKFLOW_EXECUTION_STARTED")"));
  EXPECT_THAT(json, HasSubstr(R"("workflowExecutionStartedEventAttributes":{"workflowType":{)"));
  EXPECT_EQ(count_events(json, "WORKFLOW_EXECUTION_COMPLETED"), 1);
}

// --- A codec ---

TEST_P(CodecLive, NothingIsReadableOnTheServerAndEverythingIsHere) {
  client_options().payload_codec = aes_gcm_codec("key", {{"key", std::string(32, 'k')}});
  registry().add(kBasket).add_activity<&echo>();
  start_worker();
  WorkflowOptions with = options();
  with.memo = {{"for", make_payload("memorandum")}};

  const auto handle = client().start_workflow<&Basket::run>(with, "argument ");
  handle.signal<&Basket::add>("signalled ");
  EXPECT_EQ(handle.execute_update<&Basket::put>("updated"), "argument signalled updated");
  EXPECT_EQ(handle.query<&Basket::get>(), "argument signalled updated");
  EXPECT_THAT(handle.query<std::string>("__stack_trace"), HasSubstr("wait_condition"));
  EXPECT_EQ(from_payload<std::string>(handle.describe().memo.at("for")), "memorandum");
  handle.signal<&Basket::finish>();
  EXPECT_EQ(handle.result(), "argument signalled updated");
  const auto fails = start<&Basket::run>("fail");
  fails.signal<&Basket::finish>();
  const auto failure = failure_of(fails);
  const auto& cause = dynamic_cast<const ApplicationError&>(*failure.cause());
  EXPECT_EQ(cause.message(), "secret fail");
  EXPECT_EQ(cause.details().get<std::string>(), "fail");

  for (const std::string& json : {handle.fetch_history(), fails.fetch_history()}) {
    EXPECT_THAT(json, HasSubstr("YmluYXJ5L2VuY3J5cHRlZA=="));  // binary/encrypted
    EXPECT_THAT(json, Not(HasSubstr("anNvbi9wbGFpbg==")));     // json/plain
    EXPECT_THAT(json, Not(HasSubstr("ImZhaWwi")));             // "fail"
  }
  auto plain = Client::connect({.target_host = target().address});
  EXPECT_EQ(plain.get_workflow_handle<Payload>(handle.id()).result().metadata.at("encoding"),
            "binary/encrypted");
}

// --- Children and other workflows ---

struct Child {
  std::string text;
  bool done = false;
  void add(std::string more) {
    text += more;
    done = true;
  }
  std::string run(std::string start, bool fail) {
    workflow::wait_condition([this] { return done; });
    if (fail) throw ApplicationError("the child fails", {.type = "Naughty"});
    return start + text + (workflow::info().parent ? " of a parent" : "");
  }
};
const auto kChild = define_workflow<&Child::run>("Child").signal<&Child::add>("add");

struct Parent {
  std::string run(std::string how) {
    auto child = workflow::start_child_workflow<&Child::run>(
        {.id = workflow::info().workflow_id + "-child"}, "a", how == "fail");
    if (how == "cancel") {
      child.cancel();
    } else {
      child.signal<&Child::add>("b");
    }
    try {
      return child.get();
    } catch (const ChildWorkflowError& error) {
      return describe(error.cause());
    }
  }
};

TEST_P(RelationLive, ChildrenAreSignalledAwaitedAndCancelled) {
  registry().add(kChild).add(define_workflow<&Parent::run>("Parent"));
  start_worker();

  EXPECT_EQ(execute<&Parent::run>("complete"), "ab of a parent");
  EXPECT_EQ(execute<&Parent::run>("fail"), "ApplicationError Naughty: the child fails");
  EXPECT_THAT(execute<&Parent::run>("cancel"), HasSubstr("CancelledError"));
}

struct Neighbour {
  std::string run(std::string id, std::string how) {
    auto other = workflow::get_external_workflow_handle(id);
    try {
      if (how == "cancel") {
        other.cancel("by a neighbour");
      } else {
        other.signal<&Child::add>("from a neighbour");
      }
      return "delivered";
    } catch (const FailureError& error) {
      return describe(&error);
    }
  }
};

TEST_P(RelationLive, OtherWorkflowsAreSignalledAndCancelled) {
  registry().add(kChild).add(define_workflow<&Neighbour::run>("Neighbour"));
  start_worker();

  const auto signalled = start<&Child::run>("", false), cancelled = start<&Child::run>("", false);
  EXPECT_EQ(execute<&Neighbour::run>(signalled.id(), "signal"), "delivered");
  EXPECT_EQ(signalled.result(), "from a neighbour");
  EXPECT_EQ(execute<&Neighbour::run>(cancelled.id(), "cancel"), "delivered");
  EXPECT_NE(dynamic_cast<const CancelledError*>(failure_of(cancelled).cause()), nullptr);
  EXPECT_THAT(execute<&Neighbour::run>("nobody-" + queue(), "signal"), HasSubstr("not found"));
}

struct Greets {
  std::string run(std::string name) { return "Hello, " + name; }
};
const auto kGreets = define_workflow<&Greets::run>("Greets");

// A first task that nobody runs would hold the run up for an hour.
WorkflowOptions eager(WorkflowOptions with) {
  with.task_timeout = 1h;
  with.request_eager_start = true;
  return with;
}
const char kAccepted[] = R"("eagerExecutionAccepted":true)";
std::string without_spaces(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

TEST_P(ClientLive, AWorkerOfThisClientRunsTheFirstTaskOfAnEagerStart) {
  registry().add(kGreets);
  start_worker();
  const auto eagerly = client().start_workflow<&Greets::run>(eager(options()), "Ann");
  EXPECT_EQ(eagerly.result(), "Hello, Ann");
  EXPECT_THAT(without_spaces(eagerly.fetch_history()), HasSubstr(kAccepted));

  Client other = Client::connect({.target_host = target().address});
  const auto from_elsewhere = other.start_workflow<&Greets::run>(eager(options()), "Bob");
  EXPECT_EQ(from_elsewhere.result(), "Hello, Bob");
  EXPECT_THAT(without_spaces(from_elsewhere.fetch_history()), Not(HasSubstr(kAccepted)));

  stop_worker();
  const auto left_alone = client().start_workflow<&Greets::run>(eager(options()), "Cy");
  EXPECT_THAT(without_spaces(left_alone.fetch_history()), Not(HasSubstr(kAccepted)));
  left_alone.terminate();
}

TEST_P(ClientLive, AWorkersClientCanBeReplaced) {
  const auto elsewhere = server::Server::start({.port = 0});
  ASSERT_TRUE(elsewhere.ok()) << elsewhere.status();
  const std::string address = absl::StrCat("127.0.0.1:", (*elsewhere)->port());
  Client first = Client::connect({.target_host = target().address});
  Client second = Client::connect({.target_host = address});
  Worker worker(
      first,
      {.task_queue = queue(), .max_cached_workflows = GetParam(), .graceful_shutdown_timeout = 1s});
  worker.add(kGreets);
  worker.start();
  WorkflowOptions with = options();
  EXPECT_EQ(first.execute_workflow<&Greets::run>(with, "Ann"), "Hello, Ann");

  worker.replace_client(second);

  EXPECT_EQ(second.execute_workflow<&Greets::run>(eager(with), "Bob"), "Hello, Bob");
  worker.shutdown();
  worker.wait();
  registry().add(kGreets);
}

TEST_P(ClientLive, AWorkersClientIsNotReplacedByOneOfAnotherNamespace) {
  registry().add(kGreets);
  Client mine = client();
  Worker worker(mine, {.task_queue = queue()});
  worker.add(kGreets);
  EXPECT_THROW(worker.replace_client(mine), std::logic_error);  // Not started.
  worker.start();
  const Client other =
      Client::connect({.target_host = target().address, .namespace_ = "elsewhere"});
  try {
    worker.replace_client(other);
    ADD_FAILURE() << "replaced";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("'elsewhere'"));
  }
}

}  // namespace
}  // namespace chimera::live
