#include "server/engine/rules/nexus_links.h"

#include <gtest/gtest.h>

#include "server/engine/rules/urls.h"

namespace chimera::server {
namespace {

nexus::Link link(const std::string& url, const std::string& kind = "WorkflowEvent") {
  nexus::Link link;
  link.set_url(url);
  link.set_type("temporal.api.common.v1.Link." + kind);
  return link;
}

TEST(NexusLinksTest, AnEventThereAndBack) {
  common::Link::WorkflowEvent event;
  event.set_namespace_("a b");
  event.set_workflow_id("c/d?e");
  event.set_run_id("r");
  event.mutable_event_ref()->set_event_id(5);
  event.mutable_event_ref()->set_event_type(enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED);

  const nexus::Link there = to_nexus(event);
  EXPECT_EQ(there.url(),
            "temporal:///namespaces/a%20b/workflows/c%2Fd%3Fe/r/history"
            "?eventID=5&eventType=NexusOperationScheduled&referenceType=EventReference");

  const auto back = from_nexus(there);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->workflow_event().SerializeAsString(), event.SerializeAsString());
}

TEST(NexusLinksTest, AnOperationThatStandsAlone) {
  common::Link::NexusOperation operation;
  operation.set_namespace_("a b");
  operation.set_operation_id("c/d");
  operation.set_run_id("r");
  const nexus::Link there = to_nexus(operation);
  EXPECT_EQ(there.type(), "temporal.api.common.v1.Link.NexusOperation");
  EXPECT_EQ(there.url(), "temporal:///namespaces/a%20b/nexus-operations/c%2Fd/r/details");
  EXPECT_FALSE(from_nexus(there).has_value()) << "as by the genuine server";
}

TEST(NexusLinksTest, ARequestThereAndBack) {
  common::Link::WorkflowEvent event;
  event.set_namespace_("n");
  event.set_workflow_id("w");
  event.set_run_id("r");
  event.mutable_request_id_ref()->set_request_id("a b&c");
  event.mutable_request_id_ref()->set_event_type(
      enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);

  const auto back = from_nexus(to_nexus(event));

  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->workflow_event().SerializeAsString(), event.SerializeAsString());
}

TEST(NexusLinksTest, OtherThings) {
  EXPECT_EQ(from_nexus(link("temporal:///namespaces/n/activities/a/r/details", "Activity"))
                ->activity()
                .activity_id(),
            "a");
  EXPECT_EQ(from_nexus(link("temporal:///namespaces/n/workflows/w/r?reason=x", "Workflow"))
                ->workflow()
                .reason(),
            "x");
}

TEST(NexusLinksTest, WhatIsNoneIsLeftOut) {
  for (const char* url :
       {"", "http://host/namespaces/n/workflows/w/r/history?referenceType=EventReference",
        "temporal:///namespaces/n/workflows/w/history",
        "temporal:///namespaces/n/workflows/w/r/history",
        "temporal:///namespaces/n/workflows/w/r/history?referenceType=Other&eventType=Unspecified",
        "temporal:///namespaces/n/workflows/%2/r/history?referenceType=EventReference",
        "temporal:///namespaces/n/workflows/w/r/"
        "history?eventType=Nothing&referenceType=EventReference",
        "temporal:///namespaces/n/workflows/w/r/history?eventID=x&eventType=WorkflowTaskFailed"
        "&referenceType=EventReference"})
    EXPECT_FALSE(from_nexus(link(url)).has_value()) << url;
  EXPECT_FALSE(from_nexus(link("temporal:///namespaces/n/workflows/w/r/history", "New")));
}

TEST(NexusLinksTest, UrlsInParts) {
  Url url;
  EXPECT_EQ(parse_url("HTTPS://user@host:1/p?q", url), "");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.host, "host:1");
  EXPECT_EQ(url.path, "/p?q");
  EXPECT_EQ(parse_url(":x", url), "parse \":x\": missing protocol scheme");
  EXPECT_NE(parse_url("http://a b", url), "");
  EXPECT_NE(parse_url(std::string("a\nb"), url), "");
}

}  // namespace
}  // namespace chimera::server
