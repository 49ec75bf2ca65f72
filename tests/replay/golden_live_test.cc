// Each recorded live scenario, run again: the server's recorded messages go to a TaskHandler, the
// recorded completions stand in for the language, and what comes out must be what the official core
// did: activations, answers, failures.
#include <deque>
#include <set>

#include "absl/strings/escaping.h"
#include <gtest/gtest.h>

#include "core/machines/local_marker.h"
#include "core/workflow/task_handler.h"
#include "coresdk.h"
#include "golden.h"

namespace chimera::core::testing {
namespace {

namespace ws = api::workflowservice::v1;
using nlohmann::json;

// A local activity's end, as the recording's answers have it.
std::optional<LocalMarker> marker_of(const api::command::v1::Command& command) {
  if (!command.has_record_marker_command_attributes()) return std::nullopt;
  const auto& in = command.record_marker_command_attributes();
  api::history::v1::MarkerRecordedEventAttributes marker;
  marker.set_marker_name(in.marker_name());
  *marker.mutable_details() = in.details();
  if (in.has_failure()) *marker.mutable_failure() = in.failure();
  return is_local_marker(marker) ? read_local_marker(marker) : std::nullopt;
}

// Entries of the recording that belong to one run, in order.
struct RunScript {
  std::deque<Exchange> exchanges;
  std::deque<json> wire;                // Answers of the worker, and the server's replies to them.
  std::string build_id, last_build_id;  // Of the worker that has the run, from its answers.
  bool sticky = true;                   // That worker keeps runs, as its answers say.
  std::string lost_token;               // Of a task that the server will no longer know.
  // Local activities: how they ended in the recording, what waits for that, the time that a
  // heartbeat waits for.
  std::map<std::uint32_t, LocalMarker> ends;
  std::map<std::uint32_t, base::WallTime> scheduled;
  std::map<std::uint32_t, absl::AnyInvocable<void(LocalActivityOutcome) &&>> locals;
  absl::AnyInvocable<void() &&> wake;
};

// One recorded scenario; the world of a TaskHandler.
class Scenario : public TaskHandlerIo,
                 public WorkflowLanguage,
                 public TaskHandlerObserver,
                 public base::Clock {
 public:
  explicit Scenario(const GoldenSet& set);
  void play();

  void respond_completed(std::shared_ptr<ws::RespondWorkflowTaskCompletedRequest> request,
                         Done<CompletedReply> done) override;
  void respond_failed(std::unique_ptr<ws::RespondWorkflowTaskFailedRequest> request,
                      absl::AnyInvocable<void(absl::Status) &&> done) override;
  void respond_query(std::unique_ptr<ws::RespondQueryTaskCompletedRequest> request,
                     absl::AnyInvocable<void(absl::Status) &&> done) override;
  void fetch_history(const api::common::v1::WorkflowExecution& execution,
                     std::string next_page_token, Done<HistoryReply> done) override;
  void start_local_activity(LocalActivityStart start,
                            absl::AnyInvocable<void(LocalActivityOutcome) &&> done) override {
    runs_[start.run.run_id].locals[start.seq] = std::move(done);
  }
  void cancel_local_activity(const RunContext&, std::uint32_t) override {}
  void wake_after(std::chrono::nanoseconds, absl::AnyInvocable<void() &&> wake) override {
    wakes_.push_back(std::move(wake));
  }
  void post(absl::AnyInvocable<void() &&> work) override { posted_.push_back(std::move(work)); }

  const LanguageIdentity& identity() const override { return identity_; }
  absl::StatusOr<std::unique_ptr<WorkflowInstance>> create(const RunContext& run) override;
  std::optional<Completion> activate(const std::string& run_id, const Activation& activation,
                                     ActivationDone done);

  base::WallTime now() const override { return {}; }
  base::SteadyTime steady() const override { return steady_; }

 private:
  // Workers, by build id and whether they keep runs.
  using WorkerKey = std::pair<std::string, bool>;
  static WorkerKey key_of(const RunScript& script) { return {script.build_id, script.sticky}; }
  TaskHandler& worker(const WorkerKey& key) {
    if (!handlers_.contains(key)) new_worker(key);
    return *handlers_[key];
  }
  void new_worker(const WorkerKey& key);
  void stop_worker(TaskHandler& handler);
  void run_posted();
  static bool is_lost(const RunScript& script, const json& token);
  void lose(RunScript& script);
  // What the recording has next, of local activities: an end or a heartbeat.
  bool go_on(RunScript& script);
  std::vector<std::uint32_t> ends_next(const RunScript& script) const;
  void end_local(RunScript& script, std::uint32_t seq);
  void note_local(RunScript& script, const Activation& activation, const Completion& answer);
  const json* expect(const std::string& run_id, const std::string& kind);
  // `token` as bytes; the recording has it in base 64.
  std::string run_of(const std::string& token) { return tokens_[absl::Base64Escape(token)]; }

  const GoldenSet& set_;
  LanguageIdentity identity_{"temporal-python", "1.35.0", "PythonSDK"};
  std::map<std::string, RunScript> runs_;
  std::map<std::string, std::string> tokens_;             // Run of each task token.
  std::set<std::pair<std::string, std::string>> cached_;  // Build id of the worker, run id.
  std::deque<absl::AnyInvocable<void() &&>> posted_;
  std::map<WorkerKey, std::unique_ptr<TaskHandler>> handlers_;
  bool small_cache_ = false;  // Runs pushed each other out.
  std::vector<absl::AnyInvocable<void() &&>> wakes_;
  base::SteadyTime steady_{};
  std::string task_queue_;
  bool draining_ = false;  // A worker ends; its last evictions were not recorded.
};

class ScriptedInstance : public WorkflowInstance {
 public:
  ScriptedInstance(Scenario& scenario, std::string run_id)
      : scenario_(scenario), run_id_(std::move(run_id)) {}
  std::optional<Completion> activate(std::shared_ptr<const Activation> activation,
                                     ActivationDone done) override {
    return scenario_.activate(run_id_, *activation, std::move(done));
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
      small_cache_ =
          small_cache_ ||
          entry[2]["jobs"][0].value("/removeFromCache/reason"_json_pointer, "") == "CACHE_FULL";
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
      RunScript& script = runs_[entry[1]];
      script.wire.push_back(entry);
      if (kind == "respond") {
        if (script.wire.size() == 1) script.sticky = entry[2].contains("stickyAttributes");
        const auto request = parse<ws::RespondWorkflowTaskCompletedRequest>(entry[2]);
        for (const auto& command : request.commands()) {
          if (auto end = marker_of(command)) script.ends[end->seq] = *std::move(end);
        }
      }
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

void Scenario::new_worker(const WorkerKey& key) {
  const auto& [build_id, sticky] = key;
  TaskHandlerOptions options;
  if (!sticky) options.cached_runs_max = 0;
  if (sticky && small_cache_) options.cached_runs_max = 1;
  options.namespace_ = "default";
  options.task_queue = task_queue_;
  options.language_of = [this](const std::string&) { return this; };
  if (!build_id.empty()) {
    options.own_deployment_version.emplace();
    options.own_deployment_version->set_build_id(build_id);
    options.own_deployment_version->set_deployment_name(
        "gold-" + task_queue_.substr(task_queue_.rfind('-') + 1));
  }
  handlers_[key] = std::make_unique<TaskHandler>(std::move(options), *this, *this, *this);
}

void Scenario::play() {
  for (const json& entry : set_.wire) {
    const std::string kind = entry[0], run = entry[1];
    if (kind != "poll" && kind != "sticky") continue;
    RunScript& script = runs_[run];
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
      stop_worker(worker(key_of(script)));
      handlers_.erase(key_of(script));
      std::erase_if(cached_, [&](const auto& one) { return one.first == script.build_id; });
    }
    const bool was_lost = !script.lost_token.empty();
    const std::string token = entry[2]["taskToken"];
    if (is_lost(script, token)) script.lost_token = token;
    auto message = std::make_shared<ws::PollWorkflowTaskQueueResponse>(
        parse<ws::PollWorkflowTaskQueueResponse>(entry[2]));
    script.last_build_id = script.build_id;
    worker(key_of(script)).handle({message, nullptr});
    if (was_lost) lose(script);
    run_posted();
  }
  for (auto& [run, script] : runs_) {
    EXPECT_TRUE(script.exchanges.empty())
        << script.exchanges.size() << " activations were not made for run " << run
        << ", first: " << script.exchanges.front().activation.ShortDebugString();
    EXPECT_TRUE(script.wire.empty())
        << "not sent for run " << run << ": " << script.wire.front().dump();
  }
  for (auto& [id, handler] : handlers_) stop_worker(*handler);
}

// The official core pushes a run out while its local activity runs, and its task times out. Ours
// keeps the run, until the server no longer knows its task.
bool Scenario::is_lost(const RunScript& script, const json& token) {
  for (const json& answer : script.wire) {
    if (answer[2].value("taskToken", "") == token) return false;
  }
  for (const Exchange& exchange : script.exchanges) {
    if (is_eviction(exchange.activation)) {
      return exchange.activation.jobs(0).remove_from_cache().reason() ==
             coresdk::workflow_activation::RemoveFromCache::CACHE_FULL;
    }
  }
  return false;
}

void Scenario::lose(RunScript& script) {
  while (!script.locals.empty()) end_local(script, script.locals.begin()->first);
}

void Scenario::run_posted() {
  for (bool more = true; more;) {
    while (!posted_.empty()) {
      auto work = std::move(posted_.front());
      posted_.pop_front();
      std::move(work)();
    }
    more = false;
    for (auto& [run, script] : runs_) more = more || (!draining_ && go_on(script));
  }
}

std::vector<std::uint32_t> Scenario::ends_next(const RunScript& script) const {
  std::vector<std::uint32_t> seqs;
  if (script.exchanges.empty()) return seqs;
  for (const auto& job : script.exchanges.front().activation.jobs()) {
    if (job.has_resolve_activity() && job.resolve_activity().is_local() &&
        script.locals.contains(job.resolve_activity().seq()) &&
        script.ends.contains(job.resolve_activity().seq())) {
      seqs.push_back(job.resolve_activity().seq());
    }
  }
  return seqs;
}

bool Scenario::go_on(RunScript& script) {
  if (!script.lost_token.empty()) return false;
  const bool heartbeat = !script.wire.empty() && script.wire.front()[0] == "respond" &&
                         script.wire.front()[2].value("forceCreateNewWorkflowTask", false) &&
                         (script.exchanges.empty() || script.wire.front()[3].get<std::size_t>() <
                                                          script.exchanges.front().live_index);
  if (heartbeat) {
    if (wakes_.empty()) return false;
    steady_ += std::chrono::hours(1);
    for (auto& wake : std::exchange(wakes_, {})) std::move(wake)();
    return true;
  }
  const auto seqs = ends_next(script);
  if (!seqs.empty()) end_local(script, seqs.front());
  return !seqs.empty();
}

void Scenario::end_local(RunScript& script, std::uint32_t seq) {
  using Kind = LocalActivityOutcome::Kind;
  const LocalMarker& end = script.ends[seq];
  LocalActivityOutcome outcome;
  outcome.kind = !end.failure                               ? Kind::kCompleted
                 : end.failure->has_canceled_failure_info() ? Kind::kCancelled
                                                            : Kind::kFailed;
  if (end.result) outcome.result = *end.result;
  if (end.failure) outcome.failure = *end.failure;
  outcome.attempt = end.attempt;
  outcome.backoff = end.backoff;
  outcome.original_schedule_time = end.original_schedule_time.value_or(base::WallTime{});
  if (end.complete_time) outcome.ran = *end.complete_time - script.scheduled[seq];
  auto done = std::move(script.locals[seq]);
  script.locals.erase(seq);
  std::move(done)(std::move(outcome));
}

void Scenario::note_local(RunScript& script, const Activation& activation,
                          const Completion& answer) {
  const auto* success = std::get_if<Completion::Success>(&answer.status);
  if (!success) return;
  for (const Command& command : success->commands) {
    if (const auto* local = std::get_if<ScheduleLocalActivity>(&command.variant))
      script.scheduled[local->seq] = activation.time;
  }
}

absl::StatusOr<std::unique_ptr<WorkflowInstance>> Scenario::create(const RunContext& run) {
  cached_.insert({runs_[run.run_id].build_id, run.run_id});
  return std::make_unique<ScriptedInstance>(*this, run.run_id);
}

std::optional<Completion> Scenario::activate(const std::string& run_id,
                                             const Activation& activation, ActivationDone done) {
  const CoresdkActivation actual = to_coresdk(activation);
  RunScript& script = runs_[run_id];
  if (is_eviction(actual) && !draining_) cached_.erase({script.build_id, run_id});
  if (draining_) return Completion{Completion::Success{}};
  if (!script.lost_token.empty() && script.exchanges.size() > 0 &&
      is_eviction(script.exchanges.front().activation)) {
    // What the run still does for the lost task, and its end, which has another reason.
    if (!is_eviction(actual)) return Completion{Completion::Success{}};
    script.exchanges.pop_front();
    script.lost_token.clear();
    return Completion{Completion::Success{}};
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
    // Without a cache, both the end and the lack of room are reasons to go.
    if (!script.sticky && is_eviction(actual) && is_eviction(expected.activation)) {
      *expected.activation.mutable_jobs(0) = actual.jobs(0);
    }
    EXPECT_EQ(compare(expected.activation, actual), "")
        << "live entry " << expected.live_index << "\n"
        << actual.ShortDebugString();
    if (!expected.completion.empty()) answer = from_coresdk(expected.completion[0], task_queue_);
    note_local(script, activation, answer);
  }
  // Several ends in the activation to come: they came while the language was at work.
  const auto seqs = ends_next(script);
  if (seqs.size() < 2) return answer;
  post([this, &script, seqs, done = std::move(done), answer = std::move(answer)]() mutable {
    for (std::uint32_t seq : seqs) end_local(script, seq);
    std::move(done)(std::move(answer));
  });
  return std::nullopt;
}

// The recorded answer of that kind that comes next for the run.
const json* Scenario::expect(const std::string& run_id, const std::string& kind) {
  static json entry;
  RunScript& script = runs_[run_id];
  if (script.wire.empty() || script.wire.front()[0] != kind) {
    if (!draining_) {
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

// The error with which the server answered, as it was recorded; OK if none was.
absl::Status take_error(std::deque<json>& wire) {
  if (wire.empty() || wire.front()[0] != "error") return absl::OkStatus();
  const json error = std::move(wire.front()[2]);
  wire.pop_front();
  const auto name = error.at("code").get<std::string>();
  for (int code = 1; code <= static_cast<int>(absl::StatusCode::kUnauthenticated); ++code) {
    if (absl::StatusCodeToString(static_cast<absl::StatusCode>(code)) != name) continue;
    return {static_cast<absl::StatusCode>(code), error.at("message").get<std::string>()};
  }
  ADD_FAILURE() << "no such code: " << name;
  return absl::UnknownError(name);
}

void Scenario::respond_completed(std::shared_ptr<ws::RespondWorkflowTaskCompletedRequest> request,
                                 Done<CompletedReply> done) {
  absl::Status status;
  auto reply = std::make_shared<CompletedReply>();
  const std::string run_id = run_of(request->task_token());
  if (absl::Base64Escape(request->task_token()) == runs_[run_id].lost_token) {
    status = absl::NotFoundError("the task timed out");
  } else if (const json* recorded = expect(run_id, "respond")) {
    const auto expected = parse<ws::RespondWorkflowTaskCompletedRequest>((*recorded)[2]);
    EXPECT_EQ(compare(expected, *request), "") << request->ShortDebugString();
    auto& wire = runs_[run_id].wire;
    if (!wire.empty() && wire.front()[0] == "reply") {
      *reply = parse<ws::RespondWorkflowTaskCompletedResponse>(wire.front()[2]);
      wire.pop_front();
    } else {
      status = take_error(wire);
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
  absl::Status status;
  const std::string run_id = run_of(request->task_token());
  if (const json* recorded = expect(run_id, "fail")) {
    EXPECT_EQ(compare(parse<ws::RespondWorkflowTaskFailedRequest>((*recorded)[2]), *request), "")
        << request->ShortDebugString();
    status = take_error(runs_[run_id].wire);
  }
  post([status, done = std::move(done)]() mutable { std::move(done)(status); });
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
    ADD_FAILURE() << "an answer that was not recorded: " << request->ShortDebugString();
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
  const GoldenSet set = load_set(GetParam());

  Scenario scenario(set);
  scenario.play();
}

INSTANTIATE_TEST_SUITE_P(Sets, GoldenLiveTest, ::testing::ValuesIn(set_names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace chimera::core::testing
