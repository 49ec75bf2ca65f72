// Replays of many histories: of files, and of what a server has.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/client.h"
#include "chimera/replayer.h"

namespace chimera {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> history_files(const std::string& path) {
  const fs::file_status status = fs::status(path);
  if (fs::is_regular_file(status)) return {path};
  if (!fs::is_directory(status))
    throw std::invalid_argument(absl::StrCat("replay_files: there is no '", path, "'"));
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file() && entry.path().extension() == ".json")
      found.push_back(entry.path());
  }
  if (found.empty())
    throw std::invalid_argument(absl::StrCat(
        "replay_files: no file in '", path,
        "' ends in .json; WorkflowHandle::fetch_history(), the Web UI and `temporal workflow show "
        "--output json` write histories"));
  std::ranges::sort(found);
  return found;
}

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.good() && !in.eof())
    throw std::invalid_argument(absl::StrCat("cannot read '", path.string(), "'"));
  return text;
}

void failed(ReplayResult& result, const std::exception& error) {
  result.error = std::current_exception();
  result.message = error.what();
}

}  // namespace

ReplayResult Replayer::try_replay(std::string source, const std::string& json,
                                  const std::string& workflow_id) {
  ReplayResult result{.source = std::move(source), .workflow_id = workflow_id};
  try {
    const WorkflowHistory history = WorkflowHistory::from_json(json, workflow_id);
    result.workflow_id = history.workflow_id();
    result.workflow_type = history.workflow_type();
    replay(history);
  } catch (const std::exception& error) {
    failed(result, error);
  }
  return result;
}

ReplayReport Replayer::replay_files(const std::string& path) {
  ReplayReport report;
  for (const fs::path& file : history_files(path)) {
    try {
      report.results.push_back(try_replay(file.string(), content_of(file), ""));
    } catch (const std::exception& error) {
      failed(report.results.emplace_back(ReplayResult{.source = file.string()}), error);
    }
  }
  return report;
}

ReplayReport Replayer::replay_workflows(const Client& client, const std::string& query,
                                        std::size_t limit) {
  ReplayReport report;
  for (const WorkflowExecution& found : client.list_workflows(query, {.limit = limit})) {
    const std::string source = absl::StrCat("workflow ", found.id, ", run ", found.run_id);
    std::string json;
    try {
      json = client.get_workflow_handle<void>(found.id, found.run_id).fetch_history();
    } catch (const std::exception& error) {  // It may have been deleted since.
      failed(report.results.emplace_back(ReplayResult{.source = source, .workflow_id = found.id}),
             error);
      continue;
    }
    report.results.push_back(try_replay(source, json, found.id));
  }
  if (report.results.empty())
    throw std::invalid_argument(absl::StrCat("replay_workflows: the filter \"", query,
                                             "\" finds no execution in namespace '",
                                             client.namespace_(), "'"));
  return report;
}

std::size_t ReplayReport::failures() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(results, [](const ReplayResult& each) { return !each.ok(); }));
}

std::string ReplayReport::text() const {
  std::string out =
      absl::StrCat(results.size() - failures(), " of ", results.size(), " histories replay");
  for (const ReplayResult& each : results) {
    if (each.ok()) continue;
    absl::StrAppend(&out, "\n\n", each.source);
    if (!each.workflow_type.empty())
      absl::StrAppend(&out, " (", each.workflow_type, " '", each.workflow_id, "')");
    absl::StrAppend(&out, ":\n", each.message);
  }
  return out;
}

}  // namespace chimera
