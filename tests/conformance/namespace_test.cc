// O: namespaces, as a client changes them.
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

namespace operatorservice = api::operatorservice::v1;

class NamespaceTest : public Session {
 protected:
  NamespaceTest() : name(id.substr(id.find("-") + 1)) {
    wf::RegisterNamespaceRequest request;
    request.set_namespace_(name);
    request.mutable_workflow_execution_retention_period()->set_seconds(86400);
    const auto reply = rpc<wf::RegisterNamespaceResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
  }

  wf::DescribeNamespaceResponse described() {
    wf::DescribeNamespaceRequest request;
    request.set_namespace_(name);
    const auto reply = rpc<wf::DescribeNamespaceResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? *reply : wf::DescribeNamespaceResponse();
  }

  absl::Status update(const std::function<void(wf::UpdateNamespaceRequest&)>& change) {
    wf::UpdateNamespaceRequest request;
    request.set_namespace_(name);
    change(request);
    return rpc<wf::UpdateNamespaceResponse>(request).status();
  }

  absl::Status set_state(int state) {
    return update([state](auto& request) {
      request.mutable_update_info()->set_state(static_cast<enums::NamespaceState>(state));
    });
  }

  absl::Status try_start() {
    Start request = start_request();
    request.set_namespace_(name);
    return rpc<wf::StartWorkflowExecutionResponse>(request).status();
  }

  // The genuine server looks at its namespaces every few seconds only.
  absl::Status start_after_a_while(absl::StatusCode expected) {
    absl::Status status = try_start();
    for (int i = 0; i < 100 && status.code() != expected; ++i) {
      no_task_within(milliseconds(1));
      status = try_start();
    }
    return status;
  }

  const std::string name;
};

TEST_F(NamespaceTest, a_refused_update_changes_nothing) {
  const absl::Status refused = update([](auto& request) {
    request.mutable_update_info()->set_description("changed");
    request.mutable_config()->mutable_workflow_execution_retention_ttl()->set_seconds(5);
  });

  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
  EXPECT_EQ(refused.message(), "A valid retention period is not set on request.");
  EXPECT_EQ(described().namespace_info().description(), "");
}

// The web UI shows a namespace's schedules only then.
TEST_F(NamespaceTest, has_schedules) {
  wf::DescribeNamespaceRequest request;
  request.set_namespace_("default");
  EXPECT_TRUE(rpc<wf::DescribeNamespaceResponse>(request)->namespace_info().supports_schedules());
}

TEST_F(NamespaceTest, states_only_go_on) {
  for (const int state : {77, -1}) {
    const absl::Status refused = set_state(state);
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
    EXPECT_EQ(refused.message(), "Invalid namespace state update.") << state;
  }

  EXPECT_TRUE(set_state(enums::NAMESPACE_STATE_DEPRECATED).ok());

  const absl::Status back = set_state(enums::NAMESPACE_STATE_REGISTERED);
  EXPECT_EQ(back.code(), absl::StatusCode::kInvalidArgument) << back;
  EXPECT_EQ(described().namespace_info().state(), enums::NAMESPACE_STATE_DEPRECATED);
}

TEST_F(NamespaceTest, a_deprecated_one_starts_nothing) {
  ASSERT_TRUE(start_after_a_while(absl::StatusCode::kOk).ok());

  ASSERT_TRUE(set_state(enums::NAMESPACE_STATE_DEPRECATED).ok());

  const absl::Status refused = start_after_a_while(absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_EQ(refused.message(), "Namespace has invalid state: Deprecated. Must be Registered.");
  wf::SignalWorkflowExecutionRequest signal;
  signal.set_namespace_(name);
  *signal.mutable_workflow_execution() = execution();
  signal.set_signal_name("go");
  EXPECT_TRUE(rpc<wf::SignalWorkflowExecutionResponse>(signal).ok()) << "what runs goes on";
}

TEST_F(NamespaceTest, deprecated_by_its_own_call) {
  ASSERT_TRUE(start_after_a_while(absl::StatusCode::kOk).ok());
  wf::DeprecateNamespaceRequest deprecate;
  deprecate.set_namespace_(name);
  ASSERT_TRUE(rpc<wf::DeprecateNamespaceResponse>(deprecate).ok());

  EXPECT_EQ(start_after_a_while(absl::StatusCode::kFailedPrecondition).code(),
            absl::StatusCode::kFailedPrecondition);
  wf::DescribeNamespaceRequest describe;
  describe.set_namespace_(name);
  const auto described = rpc<wf::DescribeNamespaceResponse>(describe);
  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_EQ(described->namespace_info().state(), enums::NAMESPACE_STATE_DEPRECATED);
}

TEST_F(NamespaceTest, a_deleted_one_does_nothing) {
  ASSERT_TRUE(start_after_a_while(absl::StatusCode::kOk).ok());

  ASSERT_TRUE(set_state(enums::NAMESPACE_STATE_DELETED).ok());

  EXPECT_FALSE(start_after_a_while(absl::StatusCode::kFailedPrecondition).ok());
  wf::SignalWorkflowExecutionRequest signal;
  signal.set_namespace_(name);
  *signal.mutable_workflow_execution() = execution();
  signal.set_signal_name("go");
  const auto refused = rpc<wf::SignalWorkflowExecutionResponse>(signal);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition) << refused.status();
  EXPECT_EQ(refused.status().message(),
            "Namespace has invalid state: Deleted. Must be Registered or Deprecated.");
  EXPECT_EQ(described().namespace_info().state(), enums::NAMESPACE_STATE_DELETED);
}

TEST_F(NamespaceTest, a_name_that_is_taken) {
  wf::RegisterNamespaceRequest request;
  request.mutable_workflow_execution_retention_period()->set_seconds(86400);
  for (const std::string& taken : {name, std::string("temporal-system")}) {
    request.set_namespace_(taken);
    const absl::Status refused = rpc<wf::RegisterNamespaceResponse>(request).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists) << refused;
    EXPECT_EQ(refused.message(), "Namespace \"" + taken + "\" already exists");
  }
}

TEST_F(NamespaceTest, its_cluster_is_the_only_one) {
  wf::RegisterNamespaceRequest request;
  request.set_namespace_(name + "-elsewhere");
  request.mutable_workflow_execution_retention_period()->set_seconds(86400);
  request.add_clusters()->set_cluster_name("other");
  const absl::Status registered = rpc<wf::RegisterNamespaceResponse>(request).status();
  EXPECT_EQ(registered.message(), "Invalid cluster name: other") << registered;

  EXPECT_EQ(update([](auto& change) {
              change.mutable_replication_config()->set_active_cluster_name("other");
            }).message(),
            "Invalid cluster name: other");
  EXPECT_EQ(update([](auto& change) {
              change.mutable_replication_config()->add_clusters()->set_cluster_name("other");
            }).message(),
            "Invalid cluster name: other");
  EXPECT_EQ(update([](auto& change) {
              change.mutable_replication_config()->set_state(enums::REPLICATION_STATE_HANDOVER);
            }).message(),
            "Handover can only be set for global namespace");
  EXPECT_TRUE(update([](auto& change) {
                change.mutable_replication_config()->set_active_cluster_name("active");
              }).ok());
}

TEST_F(NamespaceTest, an_update_answers_with_the_whole_of_it) {
  wf::UpdateNamespaceRequest request;
  request.set_namespace_(name);
  request.mutable_update_info()->set_description("changed");

  const auto reply = rpc<wf::UpdateNamespaceResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->namespace_info().description(), "changed");
  ASSERT_EQ(reply->replication_config().clusters_size(), 1);
  EXPECT_EQ(reply->replication_config().clusters(0).cluster_name(), "active");
  EXPECT_EQ(described().replication_config().state(), enums::REPLICATION_STATE_NORMAL);
}

TEST_F(NamespaceTest, that_of_the_system) {
  wf::DescribeNamespaceRequest request;
  request.set_namespace_("temporal-system");

  const auto reply = rpc<wf::DescribeNamespaceResponse>(request);

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->namespace_info().id(), "32049b68-7872-4094-8e63-d0dd59896a83");
  EXPECT_EQ(reply->namespace_info().description(), "Temporal internal system namespace");
  EXPECT_EQ(reply->namespace_info().owner_email(), "temporal-core@temporal.io");
  EXPECT_EQ(reply->config().workflow_execution_retention_ttl().seconds(), 7 * 24 * 3600);
  EXPECT_EQ(reply->replication_config().state(), enums::REPLICATION_STATE_UNSPECIFIED);
}

TEST_F(NamespaceTest, delete_namespace) {
  ASSERT_TRUE(start_after_a_while(absl::StatusCode::kOk).ok());
  operatorservice::DeleteNamespaceRequest request;
  request.set_namespace_(name);

  const auto deleted = rpc<operatorservice::DeleteNamespaceResponse>(request);

  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_TRUE(deleted->deleted_namespace().starts_with(name + "-deleted-"));
  EXPECT_EQ(start_after_a_while(absl::StatusCode::kNotFound).code(), absl::StatusCode::kNotFound);
  wf::DescribeNamespaceRequest describe;
  describe.set_namespace_(deleted->deleted_namespace());
  absl::Status gone = rpc<wf::DescribeNamespaceResponse>(describe).status();
  for (int i = 0; i < 100 && gone.ok(); ++i) {  // Its executions go first.
    no_task_within(milliseconds(1));
    gone = rpc<wf::DescribeNamespaceResponse>(describe).status();
  }
  EXPECT_EQ(gone.code(), absl::StatusCode::kNotFound) << gone;
}

TEST_F(NamespaceTest, delete_namespace_bad_input) {
  const auto refused = [this](const std::string& by_name, const std::string& by_id) {
    operatorservice::DeleteNamespaceRequest request;
    request.set_namespace_(by_name);
    request.set_namespace_id(by_id);
    return std::string(rpc<operatorservice::DeleteNamespaceResponse>(request).status().message());
  };
  EXPECT_EQ(refused("", ""), "Namespace not set on request.");
  EXPECT_EQ(refused(name, "an-id"), "Only one of namespace name or Id should be set on request.");
  EXPECT_EQ(refused("there-is-none", ""), "Namespace there-is-none is not found.");
  EXPECT_EQ(refused("temporal-system", ""), "unable to delete system namespace");
}

}  // namespace
}  // namespace chimera::conformance
