// Each recorded live scenario, run again: the server's recorded messages go to a TaskHandler, the
// recorded completions stand in for the language, and what comes out must be what the official core
// did: activations, answers, failures.
#include <deque>
#include <set>

#include "absl/strings/escaping.h"
#include <gtest/gtest.h>

#include "core/workflow/task_handler.h"
#include "coresdk.h"
#include "golden.h"

namespace chimera::core::testing {
namespace {

namespace ws = api::workflowservice::v1;
using nlohmann::json;

const char* set_apart(const std::string& set) {
  if (set == "nexus") return "Nexus operations";
  return nullptr;
}

// Entries of the recording that belong to one run, in order.
struct RunScript {
  std::deque<Exchange> exchanges;
  std::deque<json> wire;                // Answers of the worker, and the server's replies to them.
  std::string build_id, last_build_id;  // Of the worker that has the run, from its answers.
  bool local_activities = false;        // One was scheduled: what comes after is not compared.
};

// One recorded scenario; the world of a TaskHandler.
class Scenario : public TaskHandlerIo,
                 public WorkflowLanguage,
                 public TaskHandlerObserver,
                 public base::Clock {
 public:
  explicit Scenario(const GoldenSet& set);
  void play();

  void respond_completed(std::unique_ptr<ws::RespondWorkflowTaskCompletedRequest> request,
                         Done<CompletedReply> done) override;
  void respond_failed(std::unique_ptr<ws::RespondWorkflowTaskFailedRequest> request,
                      absl::AnyInvocable<void(absl::Status) &&> done) override;
  void respond_query(std::unique_ptr<ws::RespondQueryTaskCompletedRequest> request,
                     absl::AnyInvocable<void(absl::Status) &&> done) override;
  void fetch_history(const api::common::v1::WorkflowExecution& execution,
                     std::string next_page_token, Done<HistoryReply> done) override;
  void post(absl::AnyInvocable<void() &&> work) override { posted_.push_back(std::move(work)); }

  const LanguageIdentity& identity() const override { return identity_; }
  absl::StatusOr<std::unique_ptr<WorkflowInstance>> create(const RunContext& run) override;
  void activate(const std::string& run_id, const Activation& activation, ActivationDone done);

  base::WallTime now() const override { return {}; }
  base::SteadyTime steady() const override { return {}; }

 private:
  TaskHandler& worker(const std::string& build_id) {
    if (!handlers_.contains(build_id)) new_worker(build_id);
    return *handlers_[build_id];
  }
  void new_worker(const std::string& build_id);
  void stop_worker(TaskHandler& handler);
  void run_posted();
  const json* expect(const std::string& run_id, const std::string& kind);
  // `token` as bytes; the recording has it in base 64.
  std::string run_of(const std::string& token) { return tokens_[absl::Base64Escape(token)]; }

  const GoldenSet& set_;
  LanguageIdentity identity_{"temporal-python", "1.35.0", "PythonSDK"};
  std::map<std::string, RunScript> runs_;
  std::map<std::string, std::string> tokens_;             // Run of each task token.
  std::set<std::pair<std::string, std::string>> cached_;  // Build id of the worker, run id.
  std::deque<absl::AnyInvocable<void() &&>> posted_;
  std::map<std::string, std::unique_ptr<TaskHandler>> handlers_;  // Workers, by build id.
  std::string task_queue_;
  bool draining_ = false;  // A worker ends; its last evictions were not recorded.
};

class ScriptedInstance : public WorkflowInstance {
 public:
  ScriptedInstance(Scenario& scenario, std::string run_id)
      : scenario_(scenario), run_id_(std::move(run_id)) {}
  void activate(std::shared_ptr<const Activation> activation, ActivationDone done) override {
    scenario_.activate(run_id_, *activation, std::move(done));
  }
  std::size_t memory_bytes() const override { return 0; }

 private:
  Scenario& scenario_;
  std::string run_id_;
};

Scenario::Scenario(const GoldenSet& set) : set_(set) {
  std::size_t index = 0;
  for (const json& entry : set.live) {
    ++index;
    const std::string kind = entry[0], run = entry[1];
    if (kind == "act") {
      runs_[run].exchanges.push_back({parse<CoresdkActivation>(entry[2]), {}, index});
    } else if (kind == "comp") {
      auto& exchanges = runs_[run].exchanges;
      for (auto& exchange : exchanges) {
        if (!exchange.completion.empty()) continue;
        exchange.completion.push_back(parse<CoresdkCompletion>(entry[2]));
        break;
      }
    }
  }
  for (const json& entry : set.wire) {
    const std::string kind = entry[0];
    if (kind == "poll" || kind == "sticky") {
      tokens_[entry[2]["taskToken"]] = entry[1];
      task_queue_ = entry[2]["workflowExecutionTaskQueue"]["name"];
    } else {
      runs_[entry[1]].wire.push_back(entry);
      if (kind == "reply" && entry[2].contains("workflowTask")) {
        tokens_[entry[2]["workflowTask"]["taskToken"]] = entry[1];
      }
    }
  }
}

void Scenario::stop_worker(TaskHandler& handler) {
  draining_ = true;
  handler.begin_drain();
  run_posted();
  EXPECT_TRUE(handler.drained());
  draining_ = false;
}

void Scenario::new_worker(const std::string& build_id) {
  TaskHandlerOptions options;
  options.namespace_ = "default";
  options.task_queue = task_queue_;
  options.language_of = [this](const std::string&) { return this; };
  if (!build_id.empty()) {
    options.own_deployment_version.emplace();
    options.own_deployment_version->set_build_id(build_id);
    options.own_deployment_version->set_deployment_name(
        "gold-" + task_queue_.substr(task_queue_.rfind('-') + 1));
  }
  handlers_[build_id] = std::make_unique<TaskHandler>(std::move(options), *this, *this, *this);
}

void Scenario::play() {
  for (const json& entry : set_.wire) {
    const std::string kind = entry[0], run = entry[1];
    if (kind != "poll" && kind != "sticky") continue;
    RunScript& script = runs_[run];
    if (script.local_activities) continue;
    for (const json& answer : script.wire) {
      if (answer[0] != "respond") continue;
      script.build_id = answer[2].value("/deploymentOptions/buildId"_json_pointer, std::string());
      break;
    }
    if (!script.wire.empty() && script.wire.front()[0] == "answer" &&
        !script.last_build_id.empty()) {
      script.build_id = script.last_build_id;
    }
    // A recorded first activation for a run that we still hold: another worker had taken over.
    if (cached_.contains({script.build_id, run}) && !script.exchanges.empty() &&
        script.exchanges.front().activation.jobs(0).has_initialize_workflow()) {
      stop_worker(worker(script.build_id));
      handlers_.erase(script.build_id);
      std::erase_if(cached_, [&](const auto& one) { return one.first == script.build_id; });
    }
    auto message = std::make_shared<ws::PollWorkflowTaskQueueResponse>(
        parse<ws::PollWorkflowTaskQueueResponse>(entry[2]));
    script.last_build_id = script.build_id;
    worker(script.build_id).handle({message, nullptr});
    run_posted();
  }
  for (auto& [run, script] : runs_) {
    if (script.local_activities) continue;
    EXPECT_TRUE(script.exchanges.empty())
        << script.exchanges.size() << " activations were not made for run " << run
        << ", first: " << script.exchanges.front().activation.ShortDebugString();
    EXPECT_TRUE(script.wire.empty())
        << "not sent for run " << run << ": " << script.wire.front().dump();
  }
  for (auto& [id, handler] : handlers_) stop_worker(*handler);
}

void Scenario::run_posted() {
  while (!posted_.empty()) {
    auto work = std::move(posted_.front());
    posted_.pop_front();
    std::move(work)();
  }
}

absl::StatusOr<std::unique_ptr<WorkflowInstance>> Scenario::create(const RunContext& run) {
  cached_.insert({runs_[run.run_id].build_id, run.run_id});
  return std::make_unique<ScriptedInstance>(*this, run.run_id);
}

void Scenario::activate(const std::string& run_id, const Activation& activation,
                        ActivationDone done) {
  const CoresdkActivation actual = to_coresdk(activation);
  RunScript& script = runs_[run_id];
  if (is_eviction(actual) && !draining_) cached_.erase({script.build_id, run_id});
  if (draining_ || script.local_activities) {
    return std::move(done)(Completion{Completion::Success{}});
  }
  Completion answer{Completion::Success{}};
  if (script.exchanges.empty()) {
    ADD_FAILURE() << "one activation too many for run " << run_id << ": "
                  << actual.ShortDebugString();
  } else {
    // Two queries at once may be asked in either order.
    if (script.exchanges.size() > 1 && actual.jobs(0).has_query_workflow() &&
        script.exchanges[1].activation.jobs(0).has_query_workflow() &&
        compare(script.exchanges[1].activation, actual).empty()) {
      std::swap(script.exchanges[0], script.exchanges[1]);
    }
    Exchange expected = std::move(script.exchanges.front());
    script.exchanges.pop_front();
    EXPECT_EQ(compare(expected.activation, actual), "")
        << "live entry " << expected.live_index << "\n"
        << actual.ShortDebugString();
    if (expected.uses_local_activity()) {
      script.local_activities = true;
    } else if (!expected.completion.empty()) {
      answer = from_coresdk(expected.completion[0], task_queue_);
    }
  }
  std::move(done)(std::move(answer));
}

// The recorded answer of that kind that comes next for the run.
const json* Scenario::expect(const std::string& run_id, const std::string& kind) {
  static json entry;
  RunScript& script = runs_[run_id];
  if (script.wire.empty() || script.wire.front()[0] != kind) {
    if (!script.local_activities && !draining_) {
      ADD_FAILURE() << "a " << kind << " that was not recorded, of run " << run_id
                    << ", instead of "
                    << (script.wire.empty() ? "nothing" : script.wire.front().dump());
    }
    return nullptr;
  }
  entry = script.wire.front();
  script.wire.pop_front();
  return &entry;
}

void Scenario::respond_completed(std::unique_ptr<ws::RespondWorkflowTaskCompletedRequest> request,
                                 Done<CompletedReply> done) {
  absl::Status status;
  auto reply = std::make_shared<CompletedReply>();
  const std::string run_id = run_of(request->task_token());
  if (const json* recorded = expect(run_id, "respond");
      recorded && !runs_[run_id].local_activities) {
    const auto expected = parse<ws::RespondWorkflowTaskCompletedRequest>((*recorded)[2]);
    EXPECT_EQ(compare(expected, *request), "") << request->ShortDebugString();
    auto& wire = runs_[run_id].wire;
    if (!wire.empty() && wire.front()[0] == "reply") {
      *reply = parse<ws::RespondWorkflowTaskCompletedResponse>(wire.front()[2]);
      wire.pop_front();
    } else if (!wire.empty() && wire.front()[0] == "error") {
      status = absl::InvalidArgumentError(wire.front()[2]["message"].get<std::string>());
      wire.pop_front();
    }
  }
  post([status, reply = std::move(reply), done = std::move(done)]() mutable {
    if (status.ok()) {
      std::move(done)(std::move(reply));
    } else {
      std::move(done)(status);
    }
  });
}

void Scenario::respond_failed(std::unique_ptr<ws::RespondWorkflowTaskFailedRequest> request,
                              absl::AnyInvocable<void(absl::Status) &&> done) {
  const std::string run_id = run_of(request->task_token());
  if (const json* recorded = expect(run_id, "fail")) {
    EXPECT_EQ(compare(parse<ws::RespondWorkflowTaskFailedRequest>((*recorded)[2]), *request), "")
        << request->ShortDebugString();
  }
  post([done = std::move(done)]() mutable { std::move(done)(absl::OkStatus()); });
}

void Scenario::respond_query(std::unique_ptr<ws::RespondQueryTaskCompletedRequest> request,
                             absl::AnyInvocable<void(absl::Status) &&> done) {
  const std::string run_id = run_of(request->task_token());
  auto& wire = runs_[run_id].wire;
  // Two queries at once may be answered in either order.
  const std::string token = absl::Base64Escape(request->task_token());
  const auto answer = std::find_if(wire.begin(), wire.end(), [&](const json& entry) {
    return entry[0] == "answer" && entry[2]["taskToken"] == token;
  });
  if (answer == wire.end()) {
    EXPECT_TRUE(runs_[run_id].local_activities)
        << "an answer that was not recorded: " << request->ShortDebugString();
  } else {
    EXPECT_EQ(compare(parse<ws::RespondQueryTaskCompletedRequest>((*answer)[2]), *request), "");
    wire.erase(answer);
  }
  post([done = std::move(done)]() mutable { std::move(done)(absl::OkStatus()); });
}

void Scenario::fetch_history(const api::common::v1::WorkflowExecution& execution,
                             std::string next_page_token, Done<HistoryReply> done) {
  auto reply = std::make_shared<HistoryReply>();
  if (const json* recorded = expect(execution.run_id(), "page")) {
    EXPECT_EQ(
        parse<ws::GetWorkflowExecutionHistoryRequest>((*recorded)[2]["request"]).next_page_token(),
        next_page_token);
    *reply = parse<HistoryReply>((*recorded)[2]["response"]);
  }
  post([reply = std::move(reply), done = std::move(done)]() mutable {
    std::move(done)(std::move(reply));
  });
}

class GoldenLiveTest : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenLiveTest, DoesWhatTheOfficialCoreDid) {
  if (const char* reason = set_apart(GetParam())) GTEST_SKIP() << "set apart: " << reason;
  const GoldenSet set = load_set(GetParam());

  Scenario scenario(set);
  scenario.play();
}

INSTANTIATE_TEST_SUITE_P(Sets, GoldenLiveTest, ::testing::ValuesIn(set_names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace chimera::core::testing
