#include "golden.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"

#include "core/base/check.h"
#include "core/history/json.h"

namespace chimera::core::testing {

using Json = nlohmann::json;
namespace fs = std::filesystem;
namespace ws = api::workflowservice::v1;

namespace {

const fs::path kSets = fs::path(CHIMERA_TEST_DATA) / "replay" / "golden" / "sets";

std::string read(const fs::path& path) {
  std::ifstream file(path);
  CHIMERA_CHECK(file.good(), path.string());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_out_events(Json& value, const Json& events) {
  if (!value.is_structured()) return;
  for (auto& [key, inner] : value.items()) {
    if (key != "history" || !inner.contains("events")) {
      write_out_events(inner, events);
      continue;
    }
    Json whole = Json::array();
    for (const Json& event : inner["events"]) {
      if (!event.contains("to")) {
        whole.push_back(event);
        continue;
      }
      for (int id = event["from"]; id <= event["to"]; ++id) whole.push_back(events[id - 1]);
    }
    inner["events"] = std::move(whole);
  }
}

template <class Message>
std::string difference(const Message& expected, const Message& actual) {
  std::string text;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&text);
  return differencer.Compare(expected, actual) ? std::string() : text;
}

// When a local activity was asked for that nobody waited for is the recorder's clock.
void drop_clock_times(api::command::v1::Command& command) {
  if (!command.has_record_marker_command_attributes()) return;
  auto& marker = *command.mutable_record_marker_command_attributes();
  if (marker.marker_name() != "core_local_activity") return;
  std::string& data = *(*marker.mutable_details())["data"].mutable_payloads(0)->mutable_data();
  Json json = Json::parse(data);
  if (json["attempt"] == 0) json["original_schedule_time"] = nullptr;
  data = json.dump();
}

}  // namespace

GoldenSet load_set(const std::string& name) {
  GoldenSet set;
  set.name = name;
  const fs::path folder = kSets / name;
  set.live = Json::parse(read(folder / "live.json"));
  set.replay = Json::parse(read(folder / "replay.json"));
  set.wire = Json::parse(read(folder / "wire.json"));
  std::map<std::string, Json> events;
  for (const Json& run : Json::parse(read(folder / "runs.json"))) {
    const std::string file = run["file"];
    const std::string text = read(folder / file);
    auto history = history_from_json(text);
    CHIMERA_CHECK(history.ok(), history.status().ToString());
    set.histories[file] = *std::move(history);
    set.workflow_ids[file] = run["workflowId"];
    events[run["runId"]] = Json::parse(text)["events"];
  }
  for (Json& entry : set.wire) write_out_events(entry[2], events[entry[1]]);
  return set;
}

std::vector<std::string> set_names() {
  std::vector<std::string> names;
  for (const auto& folder : fs::directory_iterator(kSets))
    names.push_back(folder.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

template <class Message>
Message parse(const Json& json) {
  Message message;
  const auto status = google::protobuf::util::JsonStringToMessage(json.dump(), &message);
  CHIMERA_CHECK(status.ok(), std::string(status.message()));
  return message;
}
template CoresdkActivation parse(const Json&);
template CoresdkCompletion parse(const Json&);
template ws::PollWorkflowTaskQueueResponse parse(const Json&);
template ws::RespondWorkflowTaskCompletedRequest parse(const Json&);
template ws::RespondWorkflowTaskCompletedResponse parse(const Json&);
template ws::RespondWorkflowTaskFailedRequest parse(const Json&);
template ws::RespondQueryTaskCompletedRequest parse(const Json&);
template ws::GetWorkflowExecutionHistoryResponse parse(const Json&);
template ws::GetWorkflowExecutionHistoryRequest parse(const Json&);

bool is_eviction(const CoresdkActivation& activation) {
  return activation.jobs_size() == 1 && activation.jobs(0).has_remove_from_cache();
}

std::string compare(CoresdkActivation expected, CoresdkActivation actual) {
  for (CoresdkActivation* one : {&expected, &actual}) {
    one->clear_history_size_bytes();  // Paths were cut out of the recorded stack traces.
    if (one->deployment_version_for_current_task().deployment_name().empty()) {
      one->clear_deployment_version_for_current_task();  // The build id of a worker without
                                                         // versioning.
    }
    if (!is_eviction(*one)) continue;
    // Of an eviction, the reason counts; where a nondeterminism is found, and its words, are ours.
    auto& job = *one->mutable_jobs(0)->mutable_remove_from_cache();
    job.clear_message();
    one->clear_timestamp();
    if (job.reason() == coresdk::workflow_activation::RemoveFromCache::NONDETERMINISM)
      one->clear_history_length();
    one->clear_last_sdk_version();
  }
  return difference(expected, actual);
}

std::string compare(ws::RespondWorkflowTaskCompletedRequest expected,
                    ws::RespondWorkflowTaskCompletedRequest actual) {
  for (auto* one : {&expected, &actual}) {
    ws::RespondWorkflowTaskCompletedRequest kept;
    kept.set_task_token(one->task_token());
    kept.mutable_commands()->Swap(one->mutable_commands());
    kept.mutable_messages()->Swap(one->mutable_messages());
    kept.mutable_query_results()->swap(*one->mutable_query_results());
    kept.mutable_sdk_metadata()->Swap(one->mutable_sdk_metadata());
    kept.set_force_create_new_workflow_task(one->force_create_new_workflow_task());
    kept.set_versioning_behavior(one->versioning_behavior());
    for (auto& command : *kept.mutable_commands()) {
      if (command.has_schedule_activity_task_command_attributes()) {
        command.mutable_schedule_activity_task_command_attributes()
            ->clear_request_eager_execution();
      }
    }
    for (auto& command : *kept.mutable_commands()) drop_clock_times(command);
    for (auto& [id, result] : *kept.mutable_query_results()) result.clear_failure();
    auto& flags = *kept.mutable_sdk_metadata()->mutable_core_used_flags();
    std::sort(flags.begin(), flags.end());
    *one = std::move(kept);
  }
  return difference(expected, actual);
}

std::string compare(ws::RespondWorkflowTaskFailedRequest expected,
                    ws::RespondWorkflowTaskFailedRequest actual) {
  for (auto* one : {&expected, &actual}) {
    ws::RespondWorkflowTaskFailedRequest kept;
    kept.set_task_token(one->task_token());
    kept.set_cause(one->cause());
    const bool ours =
        one->cause() == api::enums::v1::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR;
    kept.mutable_failure()->set_message(ours ? one->failure().message().substr(0, 11)
                                             : one->failure().message());
    *one = std::move(kept);
  }
  return difference(expected, actual);
}

std::string compare(ws::RespondQueryTaskCompletedRequest expected,
                    ws::RespondQueryTaskCompletedRequest actual) {
  for (auto* one : {&expected, &actual}) {
    one->clear_namespace_();
    one->clear_failure();
    one->clear_cause();
    one->clear_poller_group_id();
  }
  return difference(expected, actual);
}

}  // namespace chimera::core::testing
