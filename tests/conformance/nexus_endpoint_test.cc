// O: Nexus endpoints.
#include <set>

#include "tests/conformance/nexus_session.h"
#include "tests/conformance/own_server.h"

namespace chimera::conformance {
namespace {

namespace op = operatorservice;

template <class Base>
class Endpoints : public Base {
 protected:
  using Base::endpoint;
  using Base::spec;

  absl::StatusOr<nexus::Endpoint> update(const std::string& id, std::int64_t version,
                                         const nexus::EndpointSpec& wanted) {
    op::UpdateNexusEndpointRequest request;
    request.set_id(id);
    request.set_version(version);
    *request.mutable_spec() = wanted;
    auto reply = this->template rpc<op::UpdateNexusEndpointResponse>(request);
    if (!reply.ok()) return reply.status();
    return reply->endpoint();
  }
  absl::StatusOr<nexus::Endpoint> get(const std::string& id) {
    op::GetNexusEndpointRequest request;
    request.set_id(id);
    auto reply = this->template rpc<op::GetNexusEndpointResponse>(request);
    if (!reply.ok()) return reply.status();
    return reply->endpoint();
  }
  absl::Status erase(const std::string& id, std::int64_t version) {
    op::DeleteNexusEndpointRequest request;
    request.set_id(id);
    request.set_version(version);
    return this->template rpc<op::DeleteNexusEndpointResponse>(request).status();
  }
  absl::StatusOr<op::ListNexusEndpointsResponse> list(
      const op::ListNexusEndpointsRequest& request) {
    return this->template rpc<op::ListNexusEndpointsResponse>(request);
  }
  static void expect(const absl::Status& status, absl::StatusCode code, const std::string& text) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_EQ(status.message(), text);
  }
};

class NexusEndpointTest : public Endpoints<NexusSession> {
 protected:
  static constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  static constexpr char kNobody[] = "0f1d6a3e-6d4b-4c7a-9a53-2b8a51a7f001";

  void expect_refused(const std::string& text,
                      const std::function<void(nexus::EndpointSpec&)>& change,
                      absl::StatusCode code = kInvalid) {
    nexus::EndpointSpec wrong = spec(endpoint);
    change(wrong);
    expect(try_create(wrong).status(), code, text);
  }
};

TEST_F(NexusEndpointTest, lives_and_goes) {
  nexus::EndpointSpec wanted = spec(endpoint);
  *wanted.mutable_description() = payload("\"what it is for\"");
  const auto made = try_create(wanted);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->version(), 1);
  EXPECT_TRUE(made->has_created_time());
  EXPECT_FALSE(made->has_last_modified_time());
  EXPECT_EQ(made->url_prefix(), absl::StrCat("/nexus/endpoints/", made->id(), "/services"));
  EXPECT_EQ(made->spec().SerializeAsString(), wanted.SerializeAsString());
  expect(try_create(wanted).status(), absl::StatusCode::kAlreadyExists,
         absl::StrCat("error creating Nexus endpoint. Endpoint with name ", endpoint,
                      " already registered"));

  wanted.set_name(endpoint + "-renamed");
  wanted.clear_description();
  const auto changed = update(made->id(), 1, wanted);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->version(), 2);
  EXPECT_TRUE(changed->has_last_modified_time());
  expect(update(made->id(), 1, wanted).status(), absl::StatusCode::kFailedPrecondition,
         "nexus endpoint version mismatch. received: 1 expected 2");
  const auto got = get(made->id());
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->spec().name(), endpoint + "-renamed");
  EXPECT_FALSE(got->spec().has_description());

  EXPECT_TRUE(erase(made->id(), 2).ok());
  expect(get(made->id()).status(), absl::StatusCode::kNotFound,
         absl::StrCat("Nexus endpoint with ID `", made->id(), "` not found"));
  expect(erase(made->id(), 2), absl::StatusCode::kNotFound,
         absl::StrCat("error deleting nexus endpoint with ID: ", made->id()));
}

TEST_F(NexusEndpointTest, specs_that_are_refused) {
  constexpr char kPattern[] =
      R"(endpoint name must match the regex: "^[a-zA-Z][a-zA-Z0-9\\-]*[a-zA-Z0-9]$")";
  expect(try_create({}).status(), kInvalid, "endpoint name not set, empty target variant");
  for (const char* name : {"1a", "a", "a_b", "a-", "a b"})
    expect_refused(kPattern, [name](auto& spec) { spec.set_name(name); });
  expect_refused("endpoint name exceeds length limit of 200",
                 [](auto& spec) { spec.set_name(std::string(201, 'a')); });
  expect_refused("empty target variant", [](auto& spec) { spec.clear_target(); });
  expect_refused("target namespace not set",
                 [](auto& spec) { spec.mutable_target()->mutable_worker()->clear_namespace_(); });
  expect_refused(
      "could not verify namespace referenced by target exists: Namespace nowhere is not found.",
      [](auto& spec) { spec.mutable_target()->mutable_worker()->set_namespace_("nowhere"); },
      absl::StatusCode::kFailedPrecondition);
  expect_refused("invalid target task queue: \"taskQueue is not set\"",
                 [](auto& spec) { spec.mutable_target()->mutable_worker()->clear_task_queue(); });
  expect_refused("description size exceeds limit of 20000",
                 [](auto& spec) { spec.mutable_description()->set_data(std::string(20001, 'x')); });
}

TEST_F(NexusEndpointTest, urls_that_are_refused) {
  const auto expect_url = [&](const std::string& url, const std::string& text) {
    expect_refused(text,
                   [&](auto& spec) { spec.mutable_target()->mutable_external()->set_url(url); });
  };
  expect_url("", "empty target URL");
  expect_url("ftp://host", "invalid target URL scheme: \"ftp\", expected http or https");
  expect_url("host", "invalid target URL scheme: \"\", expected http or https");
  expect_url(":x", "invalid target URL: parse \":x\": missing protocol scheme");
  expect_url("http://a b/",
             "invalid target URL: parse \"http://a b/\": invalid character \" \" in host name");
  expect_url("http://" + std::string(4097, 'x'), "target URL length exceeds limit of 4096");
}

TEST_F(NexusEndpointTest, a_url_as_a_target) {
  nexus::EndpointSpec wanted = spec(endpoint);
  wanted.mutable_target()->mutable_external()->set_url("https://host:123/path?x=1");

  const auto made = try_create(wanted);

  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->spec().target().external().url(), "https://host:123/path?x=1");
  EXPECT_TRUE(erase(made->id(), 1).ok());
}

TEST_F(NexusEndpointTest, ids_that_are_refused) {
  expect(get("").status(), kInvalid, "endpoint ID not set");
  expect(get("zz").status(), kInvalid, "malformed endpoint ID: \"invalid UUID length: 2\"");
  expect(get("0f1d6a3e-6d4b-4c7a-9a53-2b8a51a7f00g").status(), kInvalid,
         "malformed endpoint ID: \"invalid UUID format\"");
  expect(get(kNobody).status(), absl::StatusCode::kNotFound,
         absl::StrCat("Nexus endpoint with ID `", kNobody, "` not found"));
  expect(erase("", 0), kInvalid, "endpoint ID not set, endpoint version is non-positive");
  expect(erase(kNobody, 0), kInvalid, "endpoint version is non-positive");
  expect(update(kNobody, 1, spec(endpoint)).status(), absl::StatusCode::kNotFound,
         absl::StrCat("error updating Nexus endpoint. endpoint ID ", kNobody, " not found"));
}

TEST_F(NexusEndpointTest, lists_in_pages) {
  std::set<std::string> made;
  for (const char* suffix : {"-a", "-b", "-c"}) {
    const auto one = try_create(spec(endpoint + suffix));
    ASSERT_TRUE(one.ok()) << one.status();
    made.insert(one->id());
  }
  std::set<std::string> found;
  op::ListNexusEndpointsRequest request;
  request.set_page_size(2);
  do {
    const auto page = list(request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->endpoints_size(), 2);
    for (const auto& each : page->endpoints()) {
      if (made.contains(each.id())) found.insert(each.id());
    }
    request.set_next_page_token(page->next_page_token());
  } while (!request.next_page_token().empty());
  EXPECT_EQ(found, made);
  request.set_name(endpoint + "-b");
  auto by_name = list(request);
  ASSERT_TRUE(by_name.ok()) << by_name.status();
  ASSERT_EQ(by_name->endpoints_size(), 1);
  EXPECT_EQ(by_name->endpoints(0).spec().name(), endpoint + "-b");
  request.set_name(endpoint);
  by_name = list(request);
  EXPECT_EQ(by_name->endpoints_size(), 0);
  request.clear_name();
  request.set_page_size(-1);
  expect(list(request).status(), kInvalid, "page_size is negative");
  request.set_page_size(1001);
  expect(list(request).status(), kInvalid, "page_size exceeds limit of 1000");
  for (const std::string& id : made) EXPECT_TRUE(erase(id, 1).ok());
}

class NexusDurabilityTest : public Endpoints<OnOwnServer<NexusSession>> {};

TEST_F(NexusDurabilityTest, kill9_endpoint) {
  const nexus::Endpoint made = create_endpoint();
  nexus::EndpointSpec wanted = spec(endpoint);
  *wanted.mutable_description() = payload("\"text\"");
  ASSERT_TRUE(update(made.id(), 1, wanted).ok());

  die_and_come_back();

  const auto found = get(made.id());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->version(), 2);
  EXPECT_EQ(found->spec().SerializeAsString(), wanted.SerializeAsString());
}

TEST_F(NexusDurabilityTest, kill9_request_under_way) {
  const NexusTask lost = call();

  die_and_come_back();

  const NexusTask again = poll_nexus(std::chrono::seconds(25));
  EXPECT_EQ(again.request().start_operation().request_id(),
            lost.request().start_operation().request_id());
  ASSERT_TRUE(answer(again, result("\"out\"")).ok());
  finish();
  EXPECT_EQ(event_of(enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED).event_id(), 6);
}

TEST_F(NexusDurabilityTest, kill9_attempt_that_waits) {
  ASSERT_TRUE(refuse_as(call(), "INTERNAL").ok());
  eventually([&] { return pending().attempt() == 1; });

  die_and_come_back();

  EXPECT_EQ(pending().attempt(), 1);
  EXPECT_EQ(pending().last_attempt_failure().nexus_handler_failure_info().type(), "INTERNAL");
  ASSERT_TRUE(answer(poll_nexus(std::chrono::seconds(25)), result("\"out\"")).ok());
  finish();
}

TEST_F(NexusDurabilityTest, kill9_operation_that_goes_on) {
  if (target().genuine) GTEST_SKIP() << "started again, 1.29 listens elsewhere for its callbacks";
  const NexusTask task = call();
  start_work(task);
  ASSERT_TRUE(answer(task, started("token")).ok());
  respond(poll(), {cancel_operation(5)});
  poll_nexus();

  die_and_come_back();

  EXPECT_EQ(pending().operation_token(), "token");
  EXPECT_EQ(callback_info().state(), enums::CALLBACK_STATE_STANDBY);
  EXPECT_TRUE(poll_nexus().request().has_cancel_operation()) << "it is asked again";
  respond(poll_work(), {complete_workflow("worked")});
  finish();
  EXPECT_EQ(event_of(enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED)
                .nexus_operation_completed_event_attributes()
                .result()
                .data(),
            "\"worked\"");

  die_and_come_back();

  EXPECT_EQ(callback_info().state(), enums::CALLBACK_STATE_SUCCEEDED);
  EXPECT_EQ(callback_info().attempt(), 1);
}

}  // namespace
}  // namespace chimera::conformance
