// Runs the C++ of docs/interceptors.md, which the build writes into one file.
#include <memory>

#include "gtest/gtest.h"

#include "chimera/testing.h"
#include "interceptors_example.h"
#include "tests/support/collector.h"

namespace chimera {
namespace {

TEST(InterceptorsExample, CountsIsPatientCarriesAndTraces) {
  const auto audit = std::make_shared<Audit>();
  const auto tracer = std::make_shared<Names>();
  TestEnvironment env({.client = with_everything(audit, tracer)});
  Worker worker(env.client(), {.task_queue = "greetings"});
  worker.add(kGreeting).add(kGreet);
  worker.start();

  EXPECT_EQ(greet_as(env.client(), "blue"), "blue greets Ann");

  EXPECT_EQ(audit->attempts, 2);
  worker.shutdown();
  worker.wait();
  // Started, run, an activity started, twice run, completed.
  EXPECT_EQ(tracer->spans, 6);
}

TEST(InterceptorsExample, ATraceGoesToACollector) {
  testing::Collector collector;
  setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collector.traces_url().c_str(), 1);
  {
    TestEnvironment env({.client = traced("greeter")});
    unsetenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    Worker worker(env.client(), {.task_queue = "greetings"});
    worker.add(kGreeting).add(kGreet);
    worker.start();
    EXPECT_EQ(greet_as(env.client(), "blue"), "nobody greets Ann");
    worker.shutdown();
    worker.wait();
  }
  std::map<std::string, testing::Collector::Span> by_name;
  for (const auto& span : collector.spans()) by_name[span.name()] = span;
  ASSERT_EQ(by_name.size(), 5u);
  const auto& start = by_name.at("StartWorkflow:Greeting");
  EXPECT_TRUE(start.parent_span_id().empty());
  for (const auto& [name, span] : by_name) EXPECT_EQ(span.trace_id(), start.trace_id()) << name;
  for (const char* inside : {"RunWorkflow:Greeting", "CompleteWorkflow:Greeting"})
    EXPECT_EQ(by_name.at(inside).parent_span_id(), start.span_id());
  EXPECT_EQ(by_name.at("RunActivity:greet").parent_span_id(),
            by_name.at("StartActivity:greet").span_id());
  EXPECT_EQ(testing::texts(by_name.at("RunActivity:greet").attributes())["temporalWorkflowID"],
            "greeting");
  const auto resource = collector.traces()[0].resource_spans(0).resource();
  EXPECT_EQ(testing::texts(resource.attributes())["service.name"], "greeter");
}

}  // namespace
}  // namespace chimera
