// What clients read and start of many: lists in pages, counts, histories event by event, starts
// beside their caller, raw calls.
#include <future>
#include <set>

#include "absl/strings/str_cat.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::UnorderedElementsAreArray;

CHIMERA_LIVE(ListLive);

// Ends when it is told what with.
struct Listed {
  std::optional<int> answer;
  void finish(int with) { answer = with; }
  int run(int number) {
    workflow::wait_condition([this] { return answer.has_value(); });
    if (*answer < 0) throw ApplicationError("negative");
    return *answer + number;
  }
};
const auto kListed = define_workflow<&Listed::run>("Listed").signal<&Listed::finish>("finish");

TEST_P(ListLive, ListsComeInPagesAndCountsInGroups) {
  registry().add(kListed);
  start_worker();
  std::set<std::string> ids;
  std::vector<WorkflowHandle<int>> handles;
  for (int i = 0; i < 5; ++i) {
    handles.push_back(start<&Listed::run>(i));
    ids.insert(handles.back().id());
  }
  for (int i = 0; i < 2; ++i) {
    handles[i].signal<&Listed::finish>(i);
    handles[i].result();
  }
  const std::string query = absl::StrCat("TaskQueue = '", queue(), "'");
  const auto counts = [&] {
    std::map<std::string, std::int64_t> out;
    for (const auto& group : client().count_workflows(query + " GROUP BY ExecutionStatus").groups)
      out[std::get<std::string>(group.values.at(0))] = group.count;
    return out;
  };
  eventually([&] { return counts()["Completed"] == 2 && counts()["Running"] == 3; }, "the counts");

  EXPECT_EQ(client().count_workflows(query).count, 5);
  EXPECT_EQ(client().count_workflows(query + " GROUP BY ExecutionStatus").count, 5);
  EXPECT_TRUE(client().count_workflows(query).groups.empty());
  std::vector<std::string> found;
  for (const WorkflowExecution& each : client().list_workflows(query, {.page_size = 2})) {
    found.push_back(each.id);
    EXPECT_EQ(each.workflow_type, "Listed");
    EXPECT_GE(each.execution_time, each.start_time);
  }
  EXPECT_THAT(found, UnorderedElementsAreArray(ids));
  EXPECT_THAT(client().list_workflows(query, {.page_size = 2, .limit = 3}).all(), SizeIs(3));
  EXPECT_THAT(client().list_workflows(query, {.limit = 0}).all(), SizeIs(0));
  EXPECT_THROW((void)client().list_workflows(query, {.page_size = -1}), std::invalid_argument);
  EXPECT_THROW((void)client().count_workflows("Nonsense ="), RpcError);
  for (int i = 2; i < 5; ++i) handles[i].terminate();
}

TEST_P(ListLive, HistoriesAreReadEventByEvent) {
  registry().add(kListed);
  start_worker();
  const auto handle = start<&Listed::run>(1);
  std::vector<std::string> types;
  std::string json = R"({"events":[)";
  auto events = handle.fetch_history_events({.page_size = 3, .wait_new_event = true});
  for (const WorkflowHistoryEvent& event : events) {
    types.push_back(event.type.substr(std::string("EVENT_TYPE_").size()));
    EXPECT_EQ(event.id, static_cast<std::int64_t>(types.size()));
    json += (event.id == 1 ? "" : ",") + event.json;
    // What is still to come is waited for.
    if (event.type == "EVENT_TYPE_WORKFLOW_TASK_COMPLETED" && event.id == 4)
      handle.signal<&Listed::finish>(6);
  }
  json += "]}";

  EXPECT_EQ(handle.result(), 7);
  EXPECT_THAT(types, ElementsAre("WORKFLOW_EXECUTION_STARTED", "WORKFLOW_TASK_SCHEDULED",
                                 "WORKFLOW_TASK_STARTED", "WORKFLOW_TASK_COMPLETED",
                                 "WORKFLOW_EXECUTION_SIGNALED", "WORKFLOW_TASK_SCHEDULED",
                                 "WORKFLOW_TASK_STARTED", "WORKFLOW_TASK_COMPLETED",
                                 "WORKFLOW_EXECUTION_COMPLETED"));
  EXPECT_EQ(json, handle.fetch_history());
  const auto close =
      handle.fetch_history_events({.event_filter = HistoryEventFilter::kCloseEvent}).all();
  ASSERT_THAT(close, SizeIs(1));
  EXPECT_EQ(close[0].id, 9);
  EXPECT_THAT(handle.fetch_history_events({.limit = 4}).all(), SizeIs(4));
}

TEST_P(ListLive, AWaitForAResultEndsInItsTime) {
  registry().add(kListed);
  start_worker();
  const auto handle = start<&Listed::run>(1);
  try {
    handle.with_rpc({.timeout = 300ms}).result();
    ADD_FAILURE() << "a result";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.code(), StatusCode::kDeadlineExceeded);
    EXPECT_THAT(error.what(), HasSubstr("cannot wait for workflow '"));
  }
  handle.signal<&Listed::finish>(1);
  EXPECT_EQ(handle.with_rpc({.timeout = 30s}).result(), 2);
}

TEST_P(ListLive, ManyStartsAreUnderWayAtOnce) {
  constexpr int kMany = 200;
  registry().add(kListed);
  start_worker();
  std::vector<std::future<WorkflowHandle<int>>> started;
  for (int i = 0; i < kMany; ++i) {
    const WorkflowOptions with = options();
    started.push_back(client().start_workflow_async<&Listed::run>(with, i));
  }
  int sum = 0;
  std::set<std::string> runs;
  for (auto& each : started) {
    const WorkflowHandle<int> handle = each.get();
    runs.insert(handle.run_id());
    handle.signal<&Listed::finish>(1);
    sum += handle.result();
  }
  EXPECT_EQ(sum, kMany * (kMany - 1) / 2 + kMany);
  EXPECT_THAT(runs, SizeIs(kMany));

  const WorkflowOptions with = options();
  auto by_name = client().start_workflow_async<int>("Listed", with, 1).get();
  auto twice = client().start_workflow_async<kListed>(with, 1);
  EXPECT_THROW(twice.get(), WorkflowAlreadyStartedError);
  EXPECT_THROW(client().start_workflow_async<kListed>({.id = "x"}, 1).get(), std::invalid_argument);
  by_name.terminate();
}

TEST_P(ListLive, StartsGoOnWithoutTheirClient) {
  registry().add(kListed);
  start_worker();
  const WorkflowOptions with = options();
  std::future<WorkflowHandle<int>> started;
  {
    const Client other = Client::connect({.target_host = target().address});
    started = other.start_workflow_async<&Listed::run>(with, 1);
  }
  started.get().signal<&Listed::finish>(1);
  EXPECT_EQ(client().get_workflow_handle<&Listed::run>(with.id).result(), 2);
}

TEST_P(ListLive, RawCallsReachEveryService) {
  namespace ws = temporal::api::workflowservice::v1;
  registry().add(kListed);
  ws::DescribeNamespaceRequest request;
  request.set_namespace_("default");
  const auto call = [&](const std::string& method, const std::string& bytes) {
    return client()
        .with_rpc({.timeout = 10s})
        .call_raw("temporal.api.workflowservice.v1.WorkflowService", method, bytes);
  };

  ws::DescribeNamespaceResponse response;
  ASSERT_TRUE(response.ParseFromString(call("DescribeNamespace", request.SerializeAsString())));
  EXPECT_EQ(response.namespace_info().name(), "default");
  request.set_namespace_("nowhere-" + queue());
  try {
    call("DescribeNamespace", request.SerializeAsString());
    ADD_FAILURE() << "described";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.code(), StatusCode::kNotFound);
    EXPECT_FALSE(error.raw_grpc_status().empty());
    EXPECT_THAT(error.what(), HasSubstr("cannot call temporal.api.workflowservice.v1"));
  }
  EXPECT_THROW(call("Describe/Namespace", ""), std::invalid_argument);
  EXPECT_THROW(client().call_raw("", "X", ""), std::invalid_argument);
}

// --- Search attributes by typed keys ---

const SearchAttributeKey<std::int64_t> kGold("GoldInt");
struct Attributed {
  std::string run() {
    const auto before = kGold.get(workflow::info().search_attributes);
    workflow::upsert_search_attributes({kGold.value(*before + 1)});
    workflow::sleep(1ms);
    return std::to_string(*kGold.get(workflow::info().search_attributes));
  }
};

TEST_P(ListLive, TypedKeysWriteAndReadSearchAttributes) {
  registry().add(define_workflow<&Attributed::run>("Attributed"));
  start_worker();
  WorkflowOptions with = options();
  with.search_attributes = {kGold.value(41)};
  const auto handle = client().start_workflow<&Attributed::run>(with);
  EXPECT_EQ(handle.result(), "42");
  EXPECT_EQ(kGold.get(handle.describe().search_attributes), 42);
}

}  // namespace
}  // namespace chimera::live
