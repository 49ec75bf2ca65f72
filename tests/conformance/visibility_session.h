// VisibilitySession, a session whose client lists executions.
#ifndef CHIMERA_TESTS_CONFORMANCE_VISIBILITY_SESSION_H_
#define CHIMERA_TESTS_CONFORMANCE_VISIBILITY_SESSION_H_

#include <functional>
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_join.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "tests/conformance/session.h"

namespace chimera::conformance {

namespace operatorservice = api::operatorservice::v1;

// Of a start, by name; as JSON.
using Attributes = std::map<std::string, std::string>;

inline std::function<void(wf::StartWorkflowExecutionRequest&)> with(const Attributes& attributes) {
  return [attributes](wf::StartWorkflowExecutionRequest& request) {
    for (const auto& [name, json_text] : attributes) {
      auto& payload = (*request.mutable_search_attributes()->mutable_indexed_fields())[name];
      (*payload.mutable_metadata())["encoding"] = "json/plain";
      payload.set_data(json_text);
    }
  };
}

class VisibilitySession : public Session {
 protected:
  // Starts workflow `id`-`suffix`.
  void start_as(const std::string& suffix, const std::function<void(Start&)>& change = {}) {
    start([&](Start& request) {
      request.set_workflow_id(absl::StrCat(id, "-", suffix));
      if (change) change(request);
    });
  }

  absl::StatusOr<wf::ListWorkflowExecutionsResponse> list(const std::string& query) {
    wf::ListWorkflowExecutionsRequest request;
    request.set_namespace_(ns);
    request.set_query(query);
    return patient_rpc<wf::ListWorkflowExecutionsResponse>(request);
  }

  // FilterDbl, FilterFlag, FilterAt and FilterList, beside those that every target has.
  void add_attributes() {
    operatorservice::AddSearchAttributesRequest add;
    add.set_namespace_(ns);
    auto& types = *add.mutable_search_attributes();
    types["FilterDbl"] = enums::INDEXED_VALUE_TYPE_DOUBLE;
    types["FilterFlag"] = enums::INDEXED_VALUE_TYPE_BOOL;
    types["FilterAt"] = enums::INDEXED_VALUE_TYPE_DATETIME;
    types["FilterList"] = enums::INDEXED_VALUE_TYPE_KEYWORD_LIST;
    const absl::Status added = rpc<operatorservice::AddSearchAttributesResponse>(add).status();
    ASSERT_TRUE(added.ok()) << added;
    for (int i = 0; i < 50 && !list("FilterList IS NULL").ok(); ++i)
      no_task_within(milliseconds(1));
  }

  // The sorted suffixes of this case's workflows that the query finds.
  std::string found(const std::string& query) {
    auto reply = list(query.empty() ? own : absl::StrCat(own, " AND (", query, ")"));
    EXPECT_TRUE(reply.ok()) << query << ": " << reply.status();
    std::set<std::string> suffixes;
    if (reply.ok()) {
      for (const auto& info : reply->executions())
        suffixes.insert(info.execution().workflow_id().substr(id.size() + 1));
    }
    return absl::StrJoin(suffixes, " ");
  }

  // The genuine server's visibility lags a little.
  void wait_until_found(const std::string& query, const std::string& suffixes) {
    for (int i = 0; i < 50 && found(query) != suffixes; ++i) no_task_within(milliseconds(1));
    ASSERT_EQ(found(query), suffixes) << query;
  }

  // What refuses the query.
  std::string refusal(const std::string& query) {
    auto reply = list(query);
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kInvalidArgument) << query;
    return std::string(reply.status().message());
  }

  // Finds this case's workflows.
  std::string own = absl::StrCat("TaskQueue = '", queue, "'");
};

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_VISIBILITY_SESSION_H_
