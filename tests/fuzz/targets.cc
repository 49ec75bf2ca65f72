// What reads from outside: histories, tasks, payloads, failures, JSON, configuration.
#include <deque>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <variant>

#include "absl/strings/str_cat.h"
#include "temporal/api/failure/v1/message.pb.h"

#include "chimera/envconfig.h"
#include "chimera/replayer.h"
#include "core/converter/failure.h"
#include "core/converter/failure_size.h"
#include "core/history/json.h"
#include "core/workflow/replay.h"
#include "core/workflow/task_handler.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/workflow_language.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/workflows.h"

namespace chimera::fuzz {
namespace {

using api::history::v1::History;
using PollReply = api::workflowservice::v1::PollWorkflowTaskQueueResponse;

// The text of what it threw, or of what it gave.
template <class Code>
std::string outcome(Code&& code) {
  try {
    return code();
  } catch (const std::exception& error) {
    return error.what();
  }
}

Target of_message(std::string name, const google::protobuf::Message& prototype,
                  std::vector<std::string> seeds,
                  std::function<std::string(const std::string&)> run) {
  return {.name = std::move(name),
          .seeds = std::move(seeds),
          .run = std::move(run),
          .mutate = [&prototype](const std::string& input, Rng& rng) {
            return mutate_message(prototype, input, rng);
          }};
}

// --- Histories ---

Replayer& replayer() {
  static Replayer& replayer = *[] {
    auto* made = new Replayer;
    add_to(*made);
    return made;
  }();
  return replayer;
}

std::string replay(const WorkflowHistory& history) {
  replayer().replay(history);
  return "it agrees";
}

std::string json_of(const std::string& history) {
  History message;
  message.ParseFromString(history);
  return core::history_to_json(message).value_or("");
}

// --- Tasks ---

core::WorkflowLanguage& language() {
  static core::WorkflowLanguage& language = *[] {
    auto* made = new sdk::CppWorkflowLanguage(nullptr);
    Registry types;
    add_to(types);
    for (const detail::WorkflowType& type : types.workflows()) made->add(type);
    return made;
  }();
  return language;
}

// A server that takes everything, and local activities that end at once.
class World : public core::TaskHandlerIo, public core::TaskHandlerObserver, public base::Clock {
 public:
  void respond_completed(
      std::shared_ptr<api::workflowservice::v1::RespondWorkflowTaskCompletedRequest> request,
      Done<CompletedReply> done) override {
    absl::StrAppend(&told, "completed");
    for (const auto& command : request->commands())
      absl::StrAppend(&told, " ", command.command_type());
    posted.push_back([done = std::move(done)]() mutable {
      std::move(done)(std::make_shared<CompletedReply>());
    });
  }
  void respond_failed(
      std::unique_ptr<api::workflowservice::v1::RespondWorkflowTaskFailedRequest> request,
      absl::AnyInvocable<void(absl::Status) &&> done) override {
    absl::StrAppend(&told, "failed ", request->failure().message());
    posted.push_back([done = std::move(done)]() mutable { std::move(done)(absl::OkStatus()); });
  }
  void respond_query(
      std::unique_ptr<api::workflowservice::v1::RespondQueryTaskCompletedRequest> request,
      absl::AnyInvocable<void(absl::Status) &&> done) override {
    absl::StrAppend(&told, "answered ", request->error_message());
    posted.push_back([done = std::move(done)]() mutable { std::move(done)(absl::OkStatus()); });
  }
  void fetch_history(const api::common::v1::WorkflowExecution&, std::string,
                     Done<HistoryReply> done) override {
    absl::StrAppend(&told, "fetched ");
    posted.push_back([done = std::move(done)]() mutable {
      std::move(done)(absl::NotFoundError("no such page"));
    });
  }
  void start_local_activity(core::LocalActivityStart start,
                            absl::AnyInvocable<void(core::LocalActivityOutcome) &&> done) override {
    absl::StrAppend(&told, "local ", start.activity->activity_type, " ");
    posted.push_back([done = std::move(done)]() mutable {
      std::move(done)({.kind = core::LocalActivityOutcome::Kind::kDropped});
    });
  }
  void cancel_local_activity(const core::RunContext&, std::uint32_t) override {}
  void wake_after(std::chrono::nanoseconds, absl::AnyInvocable<void() &&>) override {}
  void post(absl::AnyInvocable<void() &&> work) override { posted.push_back(std::move(work)); }
  base::WallTime now() const override { return {}; }
  base::SteadyTime steady() const override { return {}; }

  void run_posted() {
    while (!posted.empty()) {
      auto work = std::move(posted.front());
      posted.pop_front();
      std::move(work)();
    }
  }

  std::string told;
  std::deque<absl::AnyInvocable<void() &&>> posted;
};

std::string run_task(const std::string& input) {
  auto task = std::make_shared<PollReply>();
  if (!task->ParseFromString(input)) return "no task";
  World world;
  core::TaskHandlerOptions options;
  options.cached_runs_max = 2;
  options.namespace_ = "default";
  options.task_queue = "fuzz";
  options.language_of = [](const std::string& type) { return type == "" ? nullptr : &language(); };
  options.nondeterminism_fails_workflow = [](const std::string&) { return false; };
  core::TaskHandler handler(std::move(options), world, world, world);
  for (int times = 0; times < 2; ++times) {  // The second time the run may be there.
    handler.handle({task, nullptr});
    world.run_posted();
  }
  handler.begin_drain();
  world.run_posted();
  if (!handler.drained()) std::abort();  // It would hang for ever.
  return world.told;
}

std::vector<std::string> tasks(const std::vector<std::string>& histories) {
  std::vector<std::string> out;
  for (const std::string& bytes : histories) {
    History history;
    history.ParseFromString(bytes);
    // As after each task that was started: with what had happened until then.
    for (int i = 0; i < history.events_size(); ++i) {
      if (history.events(i).event_type() != api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_STARTED)
        continue;
      History until;
      for (int each = 0; each <= i; ++each) *until.add_events() = history.events(each);
      PollReply task(*core::recorded_task("fuzz", std::move(until)).value());
      out.push_back(task.SerializeAsString());
      (*task.mutable_queries())["q"].set_query_type("look");
      out.push_back(task.SerializeAsString());
    }
  }
  return out;
}

// --- Values ---

enum class Color { kRed, kGreen };
struct Wide {
  Part part;
  Color color = Color::kRed;
  std::variant<std::int64_t, std::string, std::vector<bool>> either;
  std::tuple<int, std::string> pair;
  std::map<std::int32_t, Part> numbered;
  std::unordered_map<std::string, std::set<std::string>> sets;
  std::array<std::uint8_t, 3> bytes{};
  std::chrono::milliseconds wait{};
  std::chrono::system_clock::time_point when{};
  std::unique_ptr<Part> maybe;
  float share = 0;
};

template <class T>
std::string read_as(const Payload& payload) {
  return outcome([&] {
    T value = from_payload<T>(payload);
    // What was read can be written, and reads as the same again.
    const Payload written = make_payload(value);
    if (make_payload(from_payload<T>(written)).data != written.data) std::abort();
    return std::string("read");
  });
}

std::string read_value(const Payload& payload) {
  return absl::StrCat(read_as<Wide>(payload), read_as<Part>(payload),
                      read_as<std::vector<std::optional<std::string>>>(payload),
                      read_as<std::vector<std::byte>>(payload), read_as<double>(payload),
                      read_as<std::chrono::nanoseconds>(payload),
                      read_as<std::chrono::system_clock::time_point>(payload),
                      read_as<std::map<std::string, std::vector<int>>>(payload));
}

std::vector<std::string> values() {
  return {
      R"({"part":{"name":"a","quantity":3,"weight":1.5,"inside":[{"name":"b"}],"notes":{"k":""}}})",
      R"({"color":"kGreen","either":[true],"pair":[1,"x"],"numbered":{"7":{"name":"x"}}})",
      R"({"sets":{"a":["x","y"]},"bytes":[1,2,3],"wait":1.25,"share":-1e-7,"maybe":null})",
      R"({"when":"2026-01-31T09:00:00.000001+02:00","maybe":{"quantity":-9223372036854775808}})",
      R"([null,"A😀\\\n"])",
      "NaN",
      "-Infinity",
      "1e308",
      "9223372036854775807",
      R"("2026-01-31T09:00:00Z")",
      "[[[[[[1]]]]]]"};
}

// --- Failures ---

std::string read_failure(const std::string& input) {
  api::failure::v1::Failure failure;
  if (!failure.ParseFromString(input)) return "no failure";
  return outcome([&] {
    const auto error = sdk::to_error(failure, nullptr);
    api::failure::v1::Failure again = sdk::to_failure(*error, nullptr);
    core::shorten(again, 2000);
    core::cut_causes(again);
    return describe(error.get()) + std::to_string(again.ByteSizeLong() <= 4000);
  });
}

std::vector<std::string> failures(const std::vector<std::string>& histories) {
  std::vector<std::string> out;
  for (const std::string& bytes : histories) {
    History history;
    history.ParseFromString(bytes);
    for (const auto& event : history.events()) {
      if (event.has_activity_task_failed_event_attributes())
        out.push_back(event.activity_task_failed_event_attributes().failure().SerializeAsString());
      if (event.has_workflow_execution_failed_event_attributes())
        out.push_back(
            event.workflow_execution_failed_event_attributes().failure().SerializeAsString());
    }
  }
  return out;
}

// --- Configuration ---

std::string read_config(const std::string& input) {
  std::string out;
  for (const bool strict : {false, true}) {
    out += outcome([&] {
      const ClientConfigOptions options{
          .config_data = input,
          .config_file_strict = strict,
          .override_env_vars = std::map<std::string, std::string>{{"TEMPORAL_ADDRESS", input}}};
      const ClientConfig config = ClientConfig::load(options);
      std::string names;
      for (const auto& [name, profile] : config.profiles)
        names += outcome([&] { return profile.to_client_options().target_host; });
      return names + load_client_options(options).namespace_;
    });
  }
  return out;
}

}  // namespace

std::vector<Target> all_targets() {
  static const History history;
  static const PollReply task;
  static const api::common::v1::Payload payload;
  static const api::failure::v1::Failure failure;
  const std::vector<std::string> recorded = record_histories();

  std::vector<std::string> json, payloads;
  for (const std::string& each : recorded) json.push_back(json_of(each));
  for (const std::string& value : values()) {
    api::common::v1::Payload of;
    (*of.mutable_metadata())["encoding"] = "json/plain";
    of.set_data(value);
    payloads.push_back(of.SerializeAsString());
  }

  std::vector<Target> all;
  all.push_back(of_message("history", history, recorded, [](const std::string& input) {
    return outcome([&] { return replay(WorkflowHistory::from_binary(input)); });
  }));
  all.push_back({"history_json", json, [](const std::string& input) {
                   return outcome([&] { return replay(WorkflowHistory::from_json(input)); });
                 }});
  all.push_back(of_message("task", task, tasks(recorded), run_task));
  all.push_back(of_message("payload", payload, payloads, [](const std::string& input) {
    api::common::v1::Payload of;
    if (!of.ParseFromString(input)) return std::string("no payload");
    return read_value(sdk::to_public(of));
  }));
  all.push_back({"json", values(), [](const std::string& input) {
                   return read_value({.metadata = {{"encoding", "json/plain"}}, .data = input});
                 }});
  all.push_back(of_message("failure", failure, failures(recorded), read_failure));
  all.push_back({"config",
                 {"[profile.default]\naddress = \"h:7233\"\nnamespace = \"n\"\n"
                  "api_key = \"k\"\n[profile.default.tls]\ndisabled = false\nserver_name = \"s\"\n"
                  "[profile.default.grpc_meta]\na-b = \"c\"\n",
                  "[profile.x]\ncodec = { endpoint = \"http://h\", auth = \"a\" }\n"
                  "tls = { client_cert_data = \"c\", client_key_data = \"k\" }\n"},
                 read_config});
  return all;
}

}  // namespace chimera::fuzz
