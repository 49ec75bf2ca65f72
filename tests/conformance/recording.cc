#include "tests/conformance/recording.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"

#include "core/base/utf8.h"

namespace chimera::conformance {
namespace {

using nlohmann::json;
// Case -> ways -> lines.
using Recorded = std::map<std::string, std::vector<std::vector<std::string>>>;

// Of no meaning, or different at each run.
const std::set<std::string>& left_out() {
  static const auto* names =
      new std::set<std::string>{"eventTime", "taskId", "version", "historySizeBytes", "eventId"};
  return *names;
}

// Payloads in words, long texts by their length, and without what is left out.
void simplify(json& value) {
  if (value.is_string()) {
    constexpr std::size_t kWhole = 1000;
    const std::size_t size = value.get_ref<const std::string&>().size();
    if (size > kWhole) value = absl::StrCat(size, " characters");
    return;
  }
  if (value.is_array()) {
    for (json& each : value) simplify(each);
    return;
  }
  if (!value.is_object()) return;
  for (const std::string& name : left_out()) value.erase(name);
  if (value.contains("metadata") && value["metadata"].is_object()) {
    for (auto& [key, text] : value["metadata"].items()) {
      std::string bytes;
      if (text.is_string() && absl::Base64Unescape(text.get<std::string>(), &bytes)) text = bytes;
    }
    std::string bytes;
    if (value.contains("data") && absl::Base64Unescape(value["data"].get<std::string>(), &bytes) &&
        base::is_utf8(bytes)) {
      constexpr std::size_t kShown = 200;
      value["data"] =
          bytes.size() > kShown ? absl::StrCat(bytes.size(), " bytes") : std::move(bytes);
    }
  }
  const bool continued = value.value("initiator", json("")) == "CONTINUE_AS_NEW_INITIATOR_WORKFLOW";
  const bool again = value.contains("attempt") && value["attempt"] != 1;
  for (auto& [key, each] : value.items()) {
    // Counted from the moment, or at random. The genuine server holds a continued run back until
    // its predecessor would be a second old.
    if (absl::EndsWith(key, "ackoff") || key == "backoffStartInterval") {
      if (each.is_string() && (continued || each != "0s")) each = "SOME";
      continue;
    }
    if (key == "startToCloseTimeout" && again) {
      each = "SOME";
      continue;
    }
    if (key == "initialSkippedDuration") {
      each = "SOME";
      continue;
    }
    // The server's own; 1.29 delivers by HTTP, and names itself beside.
    if (key == "temporal-callback-token") {
      each = "TOKEN";
      continue;
    }
    if ((key == "requestId" || key == "attachedRequestId") && each.is_string()) {
      each = "REQUEST";
      continue;
    }
    simplify(each);
  }
}

// The last event that does not depend on when a case ended: of a run that goes on, the one before
// the workflow tasks at its end.
int settled(const api::history::v1::History& history) {
  int end = history.events_size();
  for (; end > 0; --end) {
    switch (history.events(end - 1).event_type()) {
      case api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
      case api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_STARTED:
      case api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_FAILED:
      case api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
        continue;
      default:
        return end;
    }
  }
  return end;
}

Recorded read(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return {};
  return json::parse(in).get<Recorded>();
}

const std::vector<Recorded>& genuine() {
  static const auto* all = [] {
    auto* servers = new std::vector<Recorded>;
    const std::filesystem::path folder =
        std::filesystem::path(CHIMERA_TEST_DATA) / "conformance/recorded";
    std::vector<std::filesystem::path> files;
    if (std::filesystem::exists(folder)) {
      for (const auto& entry : std::filesystem::directory_iterator(folder))
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) servers->push_back(read(file));
    return servers;
  }();
  return *all;
}

// Cases whose histories are not compared, and why.
const std::map<std::string, std::string>& not_compared() {
  constexpr char kIdentity[] =
      "what a batch does has the identity of its caller; there that of a worker of the server";
  constexpr char kChance[] = "which of its activities starts first is chance";
  constexpr char kRequestIds[] =
      "server 1.32 writes the request ids of signals; here they are left out, as by 1.29";
  static const auto* cases = new std::map<std::string, std::string>{
      {"MatchingTest.worker_version",
       "events as by server 1.29, search attributes as by 1.32 (docs/differences.md)"},
      {"BatchTest.batch_terminate", kIdentity},
      {"BatchTest.batch_cancel_of_listed_executions", kIdentity},
      {"BatchTest.batch_reset", kIdentity},
      {"VersionsTest.ramp_by_id", "its ids are where chance has them on the ramp"},
      {"NexusCompletionTest.callbacks_attach_to_a_running_workflow",
       "which of its callbacks is delivered first is chance"},
      {"PauseTest.pause_workflow", kRequestIds},
      {"TimeSkippingTest.v2_signal_with_start", kRequestIds},
      {"TimeSkippingTest.v2_fast_forward",
       "server 1.32 takes \"enabled\" back in the event that has set it"},
      {"TimeSkippingTest.v2_continue_as_new",
       "the genuine server holds a run back that continues one of less than a second; here none "
       "is, "
       "and its first event says so"},
      {"MatchingTest.queue_rate_limit", kChance},
      {"MatchingTest.worker_rate_limit", kChance},
      {"MatchingTest.fairness_key_rate_limit", kChance},
      {"VisibilityTest.paging_while_rows_change", "whether its poll gets a task is a race"},
      {"UpdateTest.close_is_the_last_command_even_before_messages",
       "the genuine server drops a speculative task whose answer it refuses; here its worker may "
       "answer again"},
      {"LimitsTest.history_count_limit",
       "the genuine server drops what the task did that made its history too long; here it stays"},
  };
  return *cases;
}

// Server 1.32 notes the request of a signal in its event, whatever else a case asks of it; 1.29
// gives no reasons to continue as new.
bool is_same(const std::string& wanted, const std::string& got) {
  if (wanted == got) return true;
  if (absl::StrContains(got, "suggestContinueAsNewReasons")) {
    static const std::regex reasons(",\"suggestContinueAsNewReasons\":\\[[^\\]]*\\]");
    return wanted == std::regex_replace(got, reasons, "");
  }
  return absl::StrContains(wanted, " WORKFLOW_EXECUTION_SIGNALED ") &&
         absl::StrReplaceAll(wanted, {{"\"requestId\":\"REQUEST\",", ""}}) == got;
}

std::string first_difference(const std::vector<std::string>& wanted,
                             const std::vector<std::string>& got) {
  const std::size_t both = std::min(wanted.size(), got.size());
  for (std::size_t i = 0; i < both; ++i) {
    if (is_same(wanted[i], got[i])) continue;
    return absl::StrCat("line ", i + 1, "\n  genuine: ", wanted[i], "\n  here:    ", got[i]);
  }
  if (wanted.size() == got.size()) return "";
  return absl::StrCat("the genuine server's has ", wanted.size(), " lines, this one ", got.size(),
                      "\n  next: ", wanted.size() > both ? wanted[both] : got[both]);
}

}  // namespace

std::string Masked::mask(std::string text) {
  for (const auto& [word, instead] : own_) text = absl::StrReplaceAll(text, {{word, instead}});
  static const std::regex uuid("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
  static const std::regex time("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z");
  std::string masked;
  std::smatch found;
  for (std::string rest = text;; rest = found.suffix()) {
    if (!std::regex_search(rest, found, uuid)) {
      masked += rest;
      break;
    }
    masked += found.prefix();
    auto known = std::find(ids_.begin(), ids_.end(), found.str());
    if (known == ids_.end()) known = ids_.insert(ids_.end(), found.str());
    absl::StrAppend(&masked, "uuid-", known - ids_.begin() + 1);
  }
  return std::regex_replace(masked, time, "TIME");
}

void Masked::add(const std::string& workflow_id, const api::history::v1::History& history) {
  lines_.push_back(mask(absl::StrCat("= ", workflow_id)));
  const int end = settled(history);
  for (const auto& event : history.events()) {
    if (event.event_id() > end) break;
    std::string text;
    // What nests too deep for the library is judged by its type alone.
    if (!google::protobuf::util::MessageToJsonString(event, &text).ok()) text = "{}";
    json value = json::parse(text);
    const std::string type = api::enums::v1::EventType_Name(event.event_type());
    value.erase("eventType");
    simplify(value);
    // The attributes' own name says nothing new.
    const json whole = value;
    for (const auto& [key, attributes] : whole.items()) {
      if (!absl::EndsWith(key, "EventAttributes")) continue;
      value.erase(key);
      value.update(attributes);
    }
    lines_.push_back(mask(absl::StrCat(
        event.event_id(), " ", type.substr(std::string("EVENT_TYPE_").size()), " ", value.dump())));
  }
}

void Masked::add(const api::workflowservice::v1::DescribeWorkflowExecutionResponse& described) {
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(described, &text).ok()) return;
  json value = json::parse(text);
  simplify(value);
  // By request ids, which are the case's own.
  if (auto& extended = value["workflowExtendedInfo"]; extended.contains("requestIdInfos")) {
    json infos = json::array();
    for (const auto& [id, one] : extended["requestIdInfos"].items()) infos.push_back(one);
    std::sort(infos.begin(), infos.end());
    extended["requestIdInfos"] = std::move(infos);
  }
  // Server 1.32 leaves out what the API has of it beside.
  if (auto& extended = value["workflowExtendedInfo"]; extended.contains("timeSkippingInfo")) {
    extended["timeSkippingInfo"].erase("fastForwardInfo");
    extended["timeSkippingInfo"].erase("currentSessionSkipCount");
  }
  json& info = value["workflowExecutionInfo"];
  info.erase("stateTransitionCount");
  info.erase("executionDuration");
  // The genuine server has them in no order.
  if (value.contains("pendingActivities")) {
    auto& pending = value["pendingActivities"];
    // Servers 1.29 and 1.32 show it at different times.
    for (json& each : pending) each.erase("currentRetryInterval");
    std::sort(pending.begin(), pending.end(),
              [](const json& a, const json& b) { return a["activityId"] < b["activityId"]; });
  }
  // Here nothing is pending once a run has closed; the genuine server shows what was.
  if (info.contains("closeTime")) {
    for (const char* what :
         {"pendingActivities", "pendingChildren", "pendingWorkflowTask", "pendingNexusOperations"})
      value.erase(what);
  }
  // Of a run that goes on, what its last tasks did depends on the moment.
  if (!info.contains("closeTime")) {
    info.erase("historyLength");
    value.erase("pendingWorkflowTask");
  }
  for (const auto& [key, part] : value.items())
    lines_.push_back(mask(absl::StrCat("described ", key, " ", part.dump())));
}

std::vector<std::string> Masked::lines() const {
  constexpr std::size_t kFirst = 150, kLast = 20;
  if (lines_.size() <= kFirst + kLast) return lines_;
  std::vector<std::string> some(lines_.begin(), lines_.begin() + kFirst);
  some.push_back(absl::StrCat("... ", lines_.size() - kFirst - kLast, " lines"));
  some.insert(some.end(), lines_.end() - kLast, lines_.end());
  return some;
}

bool records() { return std::getenv("CHIMERA_RECORD_HISTORIES") != nullptr; }

void record(const std::string& test, const std::vector<std::string>& lines) {
  const std::filesystem::path file = std::getenv("CHIMERA_RECORD_HISTORIES");
  Recorded all = read(file);
  auto& ways = all[test];
  if (std::find(ways.begin(), ways.end(), lines) == ways.end()) ways.push_back(lines);
  std::ofstream(file) << json(all).dump(1) << "\n";
}

std::string difference_from_genuine(const std::string& test,
                                    const std::vector<std::string>& lines) {
  std::string difference;
  if (not_compared().contains(test)) return difference;
  for (const Recorded& server : genuine()) {
    const auto ways = server.find(test);
    if (ways == server.end()) continue;
    for (const auto& way : ways->second) {
      std::string differs = first_difference(way, lines);
      if (differs.empty()) return "";
      difference = std::move(differs);  // From the newest.
    }
  }
  return difference;
}

}  // namespace chimera::conformance
