// What an operator asks of the server as a whole.
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

namespace op = ::temporal::api::operatorservice::v1;

class OperatorTest : public Session {
 protected:
  template <class Reply, class Request>
  void expect_refused(Request request, absl::StatusCode code, const std::string& text) {
    const absl::Status status = rpc<Reply>(std::move(request)).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_EQ(status.message(), text);
  }
};

// Clients compare the parts of it as numbers.
TEST_F(OperatorTest, version_of_the_server) {
  const auto info = rpc<wf::GetSystemInfoResponse>(wf::GetSystemInfoRequest());

  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_THAT(info->server_version(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST_F(OperatorTest, names_of_search_attributes_that_are_reserved) {
  for (const char* name : {"WorkflowType", "BuildIds", "TemporalMine"}) {
    op::AddSearchAttributesRequest request;
    request.set_namespace_(ns);
    (*request.mutable_search_attributes())[name] = enums::INDEXED_VALUE_TYPE_KEYWORD;
    expect_refused<op::AddSearchAttributesResponse>(
        request, absl::StatusCode::kInvalidArgument,
        absl::StrCat("Search attribute ", name, " is reserved by system."));
  }
}

TEST_F(OperatorTest, there_is_no_remote_cluster) {
  const auto clusters = rpc<op::ListClustersResponse>(op::ListClustersRequest());
  ASSERT_TRUE(clusters.ok()) << clusters.status();
  ASSERT_EQ(clusters->clusters_size(), 1);
  EXPECT_EQ(clusters->clusters(0).cluster_name(), "active");

  op::RemoveRemoteClusterRequest request;
  request.set_cluster_name("other");
  expect_refused<op::RemoveRemoteClusterResponse>(
      request, absl::StatusCode::kNotFound,
      "The cluster to be deleted cannot be found in clusters cache.");
}

TEST_F(OperatorTest, deprecated_ways_of_versioning_are_off) {
  constexpr char kSets[] =
      "Worker versioning v0.1 (Version Set-based, deprecated) is disabled on this namespace.";
  constexpr char kRules[] =
      "Worker versioning v0.2 (Rules-based, deprecated) is disabled on this namespace.";
  auto refused = [this](auto request, auto reply, const char* text) {
    request.set_namespace_(ns);
    expect_refused<decltype(reply)>(std::move(request), absl::StatusCode::kPermissionDenied, text);
  };
  refused(wf::GetWorkerBuildIdCompatibilityRequest(), wf::GetWorkerBuildIdCompatibilityResponse(),
          kSets);
  refused(wf::UpdateWorkerBuildIdCompatibilityRequest(),
          wf::UpdateWorkerBuildIdCompatibilityResponse(), kSets);
  refused(wf::GetWorkerVersioningRulesRequest(), wf::GetWorkerVersioningRulesResponse(), kRules);
  refused(wf::UpdateWorkerVersioningRulesRequest(), wf::UpdateWorkerVersioningRulesResponse(),
          kRules);
  refused(wf::GetWorkerTaskReachabilityRequest(), wf::GetWorkerTaskReachabilityResponse(), kRules);
}

TEST_F(OperatorTest, a_partition_that_nobody_polls) {
  wf::DescribeTaskQueueRequest request;
  request.set_namespace_(ns);
  request.mutable_task_queue()->set_name(absl::StrCat("/_sys/", queue, "/1"));

  const auto described = rpc<wf::DescribeTaskQueueResponse>(request);

  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_EQ(described->pollers_size(), 0);
  request.mutable_task_queue()->set_name("/_sys/nonsense");
  expect_refused<wf::DescribeTaskQueueResponse>(request, absl::StatusCode::kInvalidArgument,
                                                "invalid task queue partition name /_sys/nonsense");
}

}  // namespace
}  // namespace chimera::conformance
