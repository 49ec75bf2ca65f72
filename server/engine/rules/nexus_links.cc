#include "server/engine/rules/nexus_links.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "server/engine/rules/enum_names.h"
#include "server/engine/rules/urls.h"

namespace chimera::server {
namespace {

using Event = common::Link::WorkflowEvent;
constexpr char kEventRef[] = "EventReference", kRequestRef[] = "RequestIdReference";
constexpr char kPrefix[] = "EVENT_TYPE_";

std::string event_type_name(enums::EventType type) {
  return short_enum_name(enums::EventType_Name(type), kPrefix, type);
}

bool parse_event_type(const std::string& name, enums::EventType& type) {
  if (enums::EventType_Parse(name, &type)) return true;
  static const auto* types = [] {
    auto* all = new std::map<std::string, enums::EventType>;
    for (int value = enums::EventType_MIN; value <= enums::EventType_MAX; ++value) {
      const auto each = static_cast<enums::EventType>(value);
      if (enums::EventType_IsValid(value)) (*all)[event_type_name(each)] = each;
    }
    return all;
  }();
  const auto found = types->find(name);
  if (found == types->end()) return false;
  type = found->second;
  return true;
}

using Query = std::map<std::string, std::string>;

std::string query_text(const Query& query) {
  std::string text;
  for (const auto& [name, value] : query)
    absl::StrAppend(&text, text.empty() ? "?" : "&", escape_query(name), "=", escape_query(value));
  return text;
}

bool parse_query(absl::string_view text, Query& query) {
  for (absl::string_view part : absl::StrSplit(text, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> both =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    std::string name, value;
    if (!unescape(both.first, name) ||
        !unescape(absl::StrReplaceAll(both.second, {{"+", " "}}), value))
      return false;
    query.try_emplace(name, value);
  }
  return true;
}

// "/namespaces/NS/KIND/ID/RUN/END", its three names in the middle.
bool parse_path(absl::string_view path, absl::string_view kind, absl::string_view end,
                std::vector<std::string>& names) {
  const std::vector<absl::string_view> parts = absl::StrSplit(path, '/');
  if (parts.size() != 7 - (end.empty() ? 1 : 0) || !parts[0].empty() || parts[1] != "namespaces" ||
      parts[3] != kind || (!end.empty() && parts[6] != end))
    return false;
  for (const std::size_t at : {2, 4, 5}) {
    std::string name;
    if (parts[at].empty() || !unescape(parts[at], name)) return false;
    names.push_back(std::move(name));
  }
  return true;
}

bool parse_reference(const Query& query, Event& event) {
  const auto of = [&query](const char* name) {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
  };
  enums::EventType type{};
  if (!parse_event_type(of("eventType"), type)) return false;
  const std::string reference = of("referenceType");
  if (reference == kRequestRef) {
    event.mutable_request_id_ref()->set_request_id(of("requestID"));
    event.mutable_request_id_ref()->set_event_type(type);
    return true;
  }
  if (reference != kEventRef) return false;
  std::int64_t id = 0;
  if (const std::string text = of("eventID"); !text.empty() && !absl::SimpleAtoi(text, &id))
    return false;
  event.mutable_event_ref()->set_event_id(id);
  event.mutable_event_ref()->set_event_type(type);
  return true;
}

}  // namespace

nexus::Link to_nexus(const Event& event) {
  Query query;
  if (event.has_request_id_ref()) {
    query["referenceType"] = kRequestRef;
    query["requestID"] = event.request_id_ref().request_id();
    query["eventType"] = event_type_name(event.request_id_ref().event_type());
  } else {
    query["referenceType"] = kEventRef;
    query["eventType"] = event_type_name(event.event_ref().event_type());
    if (event.event_ref().event_id() > 0)
      query["eventID"] = absl::StrCat(event.event_ref().event_id());
  }
  nexus::Link link;
  link.set_type(Event::descriptor()->full_name());
  link.set_url(absl::StrCat("temporal:///namespaces/", escape_path_part(event.namespace_()),
                            "/workflows/", escape_path_part(event.workflow_id()), "/",
                            escape_path_part(event.run_id()), "/history", query_text(query)));
  return link;
}

nexus::Link to_nexus(const common::Link::NexusOperation& operation) {
  nexus::Link link;
  link.set_type(common::Link::NexusOperation::descriptor()->full_name());
  link.set_url(absl::StrCat("temporal:///namespaces/", escape_path_part(operation.namespace_()),
                            "/nexus-operations/", escape_path_part(operation.operation_id()), "/",
                            escape_path_part(operation.run_id()), "/details"));
  return link;
}

std::optional<common::Link> from_nexus(const nexus::Link& from) {
  Url url;
  if (!parse_url(from.url(), url).empty() || url.scheme != "temporal") return std::nullopt;
  const std::pair<absl::string_view, absl::string_view> both =
      absl::StrSplit(url.path, absl::MaxSplits('?', 1));
  std::vector<std::string> names;
  common::Link link;
  if (from.type() == Event::descriptor()->full_name()) {
    Event& event = *link.mutable_workflow_event();
    Query query;
    if (!parse_path(both.first, "workflows", "history", names) ||
        !parse_query(both.second, query) || !parse_reference(query, event))
      return std::nullopt;
    event.set_namespace_(names[0]);
    event.set_workflow_id(names[1]);
    event.set_run_id(names[2]);
    return link;
  }
  if (from.type() == common::Link::Activity::descriptor()->full_name()) {
    if (!parse_path(both.first, "activities", "details", names)) return std::nullopt;
    auto& activity = *link.mutable_activity();
    activity.set_namespace_(names[0]);
    activity.set_activity_id(names[1]);
    activity.set_run_id(names[2]);
    return link;
  }
  if (from.type() == common::Link::Workflow::descriptor()->full_name()) {
    Query query;
    if (!parse_path(both.first, "workflows", "", names) || !parse_query(both.second, query))
      return std::nullopt;
    auto& workflow = *link.mutable_workflow();
    workflow.set_namespace_(names[0]);
    workflow.set_workflow_id(names[1]);
    workflow.set_run_id(names[2]);
    workflow.set_reason(query["reason"]);
    return link;
  }
  return std::nullopt;
}

Links from_nexus(const google::protobuf::RepeatedPtrField<nexus::Link>& links) {
  Links result;
  for (const nexus::Link& link : links) {
    if (auto known = from_nexus(link)) *result.Add() = *std::move(known);
  }
  return result;
}

}  // namespace chimera::server
