#include "server/service/archives.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "server/archival/query.h"
#include "server/archival/record_file.h"
#include "server/base/errors.h"
#include "server/engine/archival.h"
#include "server/service/handlers.h"
#include "server/service/listing.h"
#include "server/service/method_table.h"

namespace chimera::server {
namespace {

constexpr int kHistoryPageMax = 256;  // Events.
constexpr int kListPageMax = 10'000;

using ListCall = TypedCall<wf::ListArchivedWorkflowExecutionsRequest,
                           wf::ListArchivedWorkflowExecutionsResponse>;

absl::Status list_archived(Engine& engine, ListCall call) {
  const auto& request = call.request();
  if (request.page_size() > kListPageMax)
    return invalid(absl::StrCat("PageSize is larger than allowed ", kListPageMax, "."));
  if (!engine.archival->on()) return invalid("Cluster is not configured for visibility archival.");
  const absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  const archival::Setting setting = visibility_archival(**ns);
  if (!setting.enabled()) return invalid("Namespace is not configured for visibility archival.");
  const absl::StatusOr<std::string> folder = archival::folder_of(setting.uri);
  if (!folder.ok()) return folder.status();
  absl::StatusOr<archival::Filter> filter = archival::parse_filter(request.query());
  if (!filter.ok()) return filter.status();
  archival::RecordList list{*folder,
                            (*ns)->id,
                            (*ns)->search_attributes,
                            *std::move(filter),
                            request.next_page_token(),
                            request.page_size() > 0 ? request.page_size() : kListPageMax};
  engine.archival->archivist().post(
      [&engine, call, list = std::move(list)](archival::HistoryReader&) mutable {
        auto page = archival::list_records(list);
        if (page.ok()) tell_of_damage(page->damaged);
        auto response = std::make_shared<wf::ListArchivedWorkflowExecutionsResponse>();
        if (page.ok()) {
          for (archival::Info& info : page->infos) response->add_executions()->Swap(&info);
          response->set_next_page_token(page->next_token);
        }
        answer(engine, std::move(call), page.status(), std::move(response));
      });
  return absl::OkStatus();
}

}  // namespace

bool is_for_archive(Engine& engine, const Namespace& ns,
                    const wf::GetWorkflowExecutionHistoryRequest& request) {
  const common::WorkflowExecution& execution = request.execution();
  if (request.skip_archival() || !engine.archival->on() || execution.run_id().empty()) return false;
  return absl::IsNotFound(
      engine.runs().find(ns, execution.workflow_id(), execution.run_id()).status());
}

absl::Status read_archived(Engine& engine, const Namespace& ns, HistoryCall call) {
  const auto& request = call.request();
  const archival::Setting setting = history_archival(ns);
  if (setting.uri.empty())
    return invalid("Requested workflow history not found, may have passed retention period.");
  const absl::StatusOr<std::string> folder = archival::folder_of(setting.uri);
  if (!folder.ok()) return folder.status();
  const archival::RunKey key{ns.id, request.execution().workflow_id(),
                             request.execution().run_id()};
  const int size = request.maximum_page_size() > 0
                       ? std::min(request.maximum_page_size(), kHistoryPageMax)
                       : kHistoryPageMax;
  engine.archival->archivist().post(
      [&engine, call, folder = *folder, key, size,
       token = request.next_page_token()](archival::HistoryReader& reader) mutable {
        auto page = reader.read(folder, key, token, size);
        auto response = std::make_shared<wf::GetWorkflowExecutionHistoryResponse>();
        if (page.ok()) {
          response->mutable_history()->Swap(&page->events);
          response->set_next_page_token(page->next_token);
          response->set_archived(true);
        }
        answer(engine, std::move(call), page.status(), std::move(response));
      });
  return absl::OkStatus();
}

void register_archives(MethodTable& table) {
  table.add("ListArchivedWorkflowExecutions", list_archived);
}

}  // namespace chimera::server
