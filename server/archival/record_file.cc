#include "server/archival/record_file.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "server/archival/files.h"
#include "server/archival/fingerprint.h"
#include "server/archival/message_json.h"
#include "server/base/errors.h"

namespace chimera::server::archival {
namespace {

constexpr char kCloseTime[] = "LastCloseTime", kRunId[] = "LastRunID";
// Those that an info and a record have by the same name.
constexpr const char* kShared[] = {"startTime", "executionTime", "closeTime", "executionDuration",
                                   "status",    "historyLength", "memo"};

std::int64_t nanos(WallTime time) { return time.time_since_epoch().count(); }

// A search attribute as a text; none for one without a value.
std::optional<std::string> flat(const common::Payload& payload) {
  const Json value = parse_json(payload.data());
  if (value.is_null()) return std::nullopt;
  if (value.is_string()) return value.get<std::string>();
  if (value.is_discarded()) return payload.data();
  if (!value.is_number_float()) return text_of(value);
  char text[400];
  const auto end = std::to_chars(std::begin(text), std::end(text), value.get<double>(),
                                 std::chars_format::fixed);
  return std::string(text, end.ptr);
}

// What a text is whose attribute the namespace does not have.
Json guessed(const std::string& text) {
  Json value = parse_json(text);
  if (value.is_number() || value.is_boolean() || value.is_array()) return value;
  return text;
}

Json unflattened(const std::string& text, std::optional<enums::IndexedValueType> type) {
  if (!type) return guessed(text);
  const absl::string_view bare = absl::StripAsciiWhitespace(text);
  const bool list = !bare.empty() && bare.front() == '[' && bare.back() == ']';
  const bool plain = *type == enums::INDEXED_VALUE_TYPE_INT ||
                     *type == enums::INDEXED_VALUE_TYPE_DOUBLE ||
                     *type == enums::INDEXED_VALUE_TYPE_BOOL;
  if (!list && !plain) return text;
  Json value = parse_json(text);
  return value.is_discarded() ? Json(text) : value;
}

void unflatten(const Json& texts, const AttributeTypes& own, Info& info) {
  auto& fields = *info.mutable_search_attributes()->mutable_indexed_fields();
  for (const auto& [name, text] : texts.items()) {
    if (!text.is_string()) continue;
    common::Payload& payload = fields[name];
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    payload.set_data(text_of(unflattened(text.get<std::string>(), settable_type(own, name))));
  }
  *info.mutable_search_attributes() = with_types(own, std::move(*info.mutable_search_attributes()));
}

struct FileName {
  std::string name;
  std::int64_t closed = 0;
  std::string run;  // The hash of its id.
  // In the order of a list. Hashes compare as texts.
  bool operator<(const FileName& other) const {
    return closed != other.closed ? closed > other.closed : run > other.run;
  }
};

std::string hash_of(const std::string& run_id) { return absl::StrCat(fingerprint64(run_id)); }

std::optional<FileName> parse_name(std::string name) {
  const std::vector<std::string> parts = absl::StrSplit(name, absl::ByAnyChar("_."));
  FileName parsed;
  if (parts.size() != 3 || parts[2] != "visibility" || !absl::SimpleAtoi(parts[0], &parsed.closed))
    return std::nullopt;
  parsed.run = parts[1];
  parsed.name = std::move(name);
  return parsed;
}

// A page's token is the genuine server's.
std::string encode_token(const Info& last) {
  const absl::Time time = absl::FromUnixNanos(nanos(to_wall(last.close_time())));
  return text_of({{kCloseTime, absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone())},
                  {kRunId, last.execution().run_id()}});
}

absl::StatusOr<FileName> decode_token(const std::string& text) {
  const Json json = parse_json(text);
  const auto member = [&json](const char* name) {
    return json.is_object() && json.contains(name) && json[name].is_string()
               ? json[name].get<std::string>()
               : "";
  };
  absl::Time time;
  if (!absl::ParseTime(absl::RFC3339_full, member(kCloseTime), &time, nullptr))
    return invalid("next page token is corrupted");
  return FileName{"", absl::ToUnixNanos(time), hash_of(member(kRunId))};
}

bool may_match(const FileName& name, const Filter& filter) {
  return name.closed <= filter.latest && (!filter.run_id || name.run == hash_of(*filter.run_id));
}

bool matches(const Info& info, const Filter& filter) {
  const auto is = [](const auto& wanted, const auto& value) { return !wanted || *wanted == value; };
  return is(filter.workflow_id, info.execution().workflow_id()) &&
         is(filter.run_id, info.execution().run_id()) &&
         is(filter.workflow_type, info.type().name()) && is(filter.status, info.status());
}

// Of a file's bytes. A record that is another than its name tells would be listed in the wrong
// place, and again.
absl::StatusOr<Record> decode_file(const FileName& file, const std::string& bytes,
                                   const AttributeTypes& own) {
  absl::StatusOr<Record> record = decode_record(bytes, own);
  if (record.ok() && (hash_of(record->info.execution().run_id()) != file.run ||
                      nanos(to_wall(record->info.close_time())) != file.closed))
    return absl::DataLossError("its record is another than its name tells");
  return record;
}

std::string folder_of(const std::string& folder, const std::string& namespace_id) {
  return absl::StrCat(folder, "/", namespace_id);
}

}  // namespace

std::string encode_record(const Record& record) {
  const Json info = to_json(record.info);
  Json json;
  json["namespaceId"] = record.namespace_id;
  json["namespace"] = record.namespace_name;
  json["workflowId"] = record.info.execution().workflow_id();
  json["runId"] = record.info.execution().run_id();
  json["workflowTypeName"] = record.info.type().name();
  for (const char* name : kShared) {
    if (info.contains(name)) json[name] = info[name];
  }
  for (const auto& [name, payload] : record.info.search_attributes().indexed_fields()) {
    if (auto value = flat(payload)) json["searchAttributes"][name] = *std::move(value);
  }
  if (!record.history_uri.empty()) json["historyArchivalUri"] = record.history_uri;
  return text_of(json);
}

absl::StatusOr<Record> decode_record(const std::string& text, const AttributeTypes& own) {
  const Json json = parse_json(text);
  if (!json.is_object()) return absl::DataLossError("no object of JSON");
  Record record;
  const auto member = [&json](const char* name) {
    return json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : "";
  };
  record.namespace_id = member("namespaceId");
  record.namespace_name = member("namespace");
  record.history_uri = member("historyArchivalUri");
  Json info = Json::object();
  for (const char* name : kShared) {
    if (json.contains(name)) info[name] = json[name];
  }
  if (absl::Status status = from_json(info, record.info); !status.ok()) return status;
  record.info.mutable_execution()->set_workflow_id(member("workflowId"));
  record.info.mutable_execution()->set_run_id(member("runId"));
  record.info.mutable_type()->set_name(member("workflowTypeName"));
  if (!record.info.has_execution_time() && record.info.has_start_time())
    *record.info.mutable_execution_time() = record.info.start_time();
  if (json.contains("searchAttributes") && json["searchAttributes"].is_object())
    unflatten(json["searchAttributes"], own, record.info);
  return record;
}

absl::Status write_record(const std::string& folder, const Record& record) {
  const std::string name = absl::StrCat(nanos(to_wall(record.info.close_time())), "_",
                                        hash_of(record.info.execution().run_id()), ".visibility");
  // The genuine server lists no folder with names that it does not know.
  return write_file(folder_of(folder, record.namespace_id), name, folder, encode_record(record));
}

absl::StatusOr<RecordPage> list_records(const RecordList& list) {
  RecordPage page;
  if (list.filter.nothing) return page;
  std::optional<FileName> after;
  if (!list.token.empty()) {
    absl::StatusOr<FileName> place = decode_token(list.token);
    if (!place.ok()) return place.status();
    after = *std::move(place);
  }
  const std::string folder = folder_of(list.folder, list.namespace_id);
  auto names = names_in(folder);
  if (!names.ok()) return names.status();
  std::vector<FileName> files;
  for (std::string& name : names->value_or(std::vector<std::string>())) {
    auto parsed = parse_name(std::move(name));
    if (parsed && (!after || *after < *parsed)) files.push_back(*std::move(parsed));
  }
  std::sort(files.begin(), files.end());
  for (const FileName& file : files) {
    if (file.closed < list.filter.earliest) break;
    if (!may_match(file, list.filter)) continue;
    const auto json = read_file(folder, file.name);
    if (!json.ok()) return json.status();
    if (!json->has_value()) continue;  // It went away, or is no file.
    absl::StatusOr<Record> record = decode_file(file, **json, list.own);
    if (!record.ok()) {
      page.damaged.push_back(absl::StrCat("the archive's file ", folder, "/", file.name,
                                          " is damaged: ", record.status().message()));
      continue;
    }
    if (!matches(record->info, list.filter)) continue;
    page.infos.push_back(std::move(record->info));
    if (static_cast<int>(page.infos.size()) < list.page_size) continue;
    page.next_token = encode_token(page.infos.back());
    break;
  }
  return page;
}

}  // namespace chimera::server::archival
