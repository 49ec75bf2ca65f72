#include "sdk-cpp/src/nexus_links.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

#include "sdk-cpp/src/http/message.h"

// The form is that of the official SDKs:
// temporal:///namespaces/NS/workflows/ID/RUN/history?eventID=5&eventType=...&referenceType=...
namespace chimera::sdk {
namespace {

using Event = ProtoLink::WorkflowEvent;

constexpr char kScheme[] = "temporal://";
constexpr char kEventReference[] = "EventReference", kRequestReference[] = "RequestIdReference";
constexpr char kEventType[] = "EVENT_TYPE_";

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", byte);
    }
  }
  return out;
}

// "NexusOperationScheduled" of EVENT_TYPE_NEXUS_OPERATION_SCHEDULED.
std::string short_name(api::enums::v1::EventType type) {
  std::string out;
  const std::string name = api::enums::v1::EventType_Name(type);
  const std::vector<std::string> words =
      absl::StrSplit(absl::StripPrefix(name, kEventType), '_', absl::SkipEmpty());
  for (const std::string& word : words)
    absl::StrAppend(&out, word.substr(0, 1), absl::AsciiStrToLower(word.substr(1)));
  return out;
}
// Of both forms.
std::optional<api::enums::v1::EventType> event_type(const std::string& name) {
  std::string whole;
  if (name.starts_with(kEventType)) {
    whole = name;
  } else {
    whole = "EVENT_TYPE";
    for (const char c : name) {
      if (absl::ascii_isupper(static_cast<unsigned char>(c))) whole += '_';
      whole += absl::ascii_toupper(static_cast<unsigned char>(c));
    }
  }
  api::enums::v1::EventType type{};
  if (!api::enums::v1::EventType_Parse(whole, &type)) return std::nullopt;
  return type;
}

using Query = std::map<std::string, std::string>;

Query query_of(const std::string& text) {
  Query out;
  const std::vector<std::string> parts = absl::StrSplit(text, '&', absl::SkipEmpty());
  for (const std::string& part : parts) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(part, absl::MaxSplits('=', 1));
    out[http::percent_decoded(pair.first)] = http::percent_decoded(pair.second);
  }
  return out;
}

bool read_reference(Query& query, Event& event) {
  const auto type = event_type(query["eventType"]);
  if (!type) return false;
  if (query["referenceType"] == kEventReference) {
    auto& reference = *event.mutable_event_ref();
    reference.set_event_type(*type);
    std::int64_t id = 0;
    const std::string& given = query["eventID"];
    if (!given.empty() && !absl::SimpleAtoi(given, &id)) return false;
    reference.set_event_id(id);
    return true;
  }
  if (query["referenceType"] != kRequestReference) return false;
  event.mutable_request_id_ref()->set_event_type(*type);
  event.mutable_request_id_ref()->set_request_id(query["requestID"]);
  return true;
}

std::string reference_of(const Event& event) {
  if (event.has_event_ref()) {
    const auto& reference = event.event_ref();
    return absl::StrCat(
        "?", reference.event_id() > 0 ? absl::StrCat("eventID=", reference.event_id(), "&") : "",
        "eventType=", short_name(reference.event_type()), "&referenceType=", kEventReference);
  }
  if (!event.has_request_id_ref()) return "";
  const auto& reference = event.request_id_ref();
  return absl::StrCat("?eventType=", short_name(reference.event_type()),
                      "&referenceType=", kRequestReference,
                      reference.request_id().empty()
                          ? ""
                          : absl::StrCat("&requestID=", escaped(reference.request_id())));
}

std::string url(const std::string& namespace_, const char* kind, const std::string& id,
                const std::string& run_id, const char* tail) {
  return absl::StrCat(kScheme, "/namespaces/", escaped(namespace_), "/", kind, "/", escaped(id),
                      "/", escaped(run_id), tail);
}

}  // namespace

std::optional<ProtoLink> to_proto(const nexus::Link& link) {
  absl::string_view text = link.url;
  if (!absl::ConsumePrefix(&text, kScheme)) return std::nullopt;
  const std::pair<std::string, std::string> halves = absl::StrSplit(text, absl::MaxSplits('?', 1));
  // "", "namespaces", NS, KIND, ID, RUN, and what follows.
  const std::vector<std::string> path = absl::StrSplit(halves.first, '/');
  if (path.size() < 6 || !path[0].empty() || path[1] != "namespaces") return std::nullopt;
  const std::string &kind = path[3], tail = path.size() > 6 ? path[6] : "";
  const auto fill = [&](auto& out) {
    out.set_namespace_(http::percent_decoded(path[2]));
    out.set_run_id(http::percent_decoded(path[5]));
    if constexpr (requires { out.set_workflow_id(""); })
      out.set_workflow_id(http::percent_decoded(path[4]));
    else if constexpr (requires { out.set_activity_id(""); })
      out.set_activity_id(http::percent_decoded(path[4]));
    else
      out.set_operation_id(http::percent_decoded(path[4]));
  };
  Query query = query_of(halves.second);
  ProtoLink out;
  if (link.type == Event::descriptor()->full_name() && kind == "workflows" && tail == "history") {
    fill(*out.mutable_workflow_event());
    if (!read_reference(query, *out.mutable_workflow_event())) return std::nullopt;
  } else if (link.type == ProtoLink::Workflow::descriptor()->full_name() && kind == "workflows") {
    fill(*out.mutable_workflow());
    out.mutable_workflow()->set_reason(query["reason"]);
  } else if (link.type == ProtoLink::Activity::descriptor()->full_name() && kind == "activities") {
    fill(*out.mutable_activity());
  } else if (link.type == ProtoLink::NexusOperation::descriptor()->full_name() &&
             kind == "nexus-operations") {
    fill(*out.mutable_nexus_operation());
  } else {
    return std::nullopt;
  }
  return out;
}

std::optional<nexus::Link> to_public(const ProtoLink& link) {
  const auto of = [](const auto& one, std::string where) {
    return nexus::Link{.url = std::move(where), .type = one.GetTypeName()};
  };
  switch (link.variant_case()) {
    case ProtoLink::kWorkflowEvent: {
      const auto& one = link.workflow_event();
      return of(one, absl::StrCat(url(one.namespace_(), "workflows", one.workflow_id(),
                                      one.run_id(), "/history"),
                                  reference_of(one)));
    }
    case ProtoLink::kWorkflow: {
      const auto& one = link.workflow();
      return of(one,
                absl::StrCat(
                    url(one.namespace_(), "workflows", one.workflow_id(), one.run_id(), ""),
                    one.reason().empty() ? "" : absl::StrCat("?reason=", escaped(one.reason()))));
    }
    case ProtoLink::kActivity: {
      const auto& one = link.activity();
      return of(one,
                url(one.namespace_(), "activities", one.activity_id(), one.run_id(), "/details"));
    }
    case ProtoLink::kNexusOperation: {
      const auto& one = link.nexus_operation();
      return of(one, url(one.namespace_(), "nexus-operations", one.operation_id(), one.run_id(),
                         "/details"));
    }
    default:
      return std::nullopt;
  }
}

}  // namespace chimera::sdk
