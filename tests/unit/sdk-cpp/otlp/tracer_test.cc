// otlp_tracer() against a collector: what a span is on the wire, sampling, and failing collectors.
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "absl/strings/escaping.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chimera/opentelemetry.h"
#include "sdk-cpp/src/otlp/sender.h"
#include "sdk-cpp/src/otlp/span.h"
#include "tests/support/collector.h"

namespace chimera::otlp {
namespace {

using namespace std::chrono_literals;
using testing::Collector;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Pair;
using testing::texts;

void end_spans(Tracer& tracer, int count) {
  for (int i = 0; i < count; ++i) tracer.start_span("s", {})->end(std::nullopt);
}

TEST(OtlpTracerTest, ASpanArrivesWithAllThatItHas) {
  Collector collector;
  const auto tracer = otlp_tracer({.endpoint = collector.traces_url(),
                                   .headers = {{"api-key", "k"}},
                                   .service_name = "orders",
                                   .resource_attributes = {{"host", std::string("h")}}});
  const auto parent = *SpanContext::from_traceparent(
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b");
  const Time start{1s + 5ns}, end{2s};
  const auto span = tracer->start_span("charge", {.kind = SpanKind::kClient,
                                                  .parent = parent,
                                                  .links = {parent},
                                                  .attributes = {{"text", std::string("\xff")},
                                                                 {"flag", true},
                                                                 {"count", std::int64_t{7}},
                                                                 {"share", 0.5}},
                                                  .start_time = start});
  span->add_event("exception", {{"exception.message", std::string("no")}});
  span->set_error("broken");
  span->end(end);
  span->end(std::nullopt);
  span->set_error("too late");
  ASSERT_TRUE(tracer->flush(10s));

  ASSERT_EQ(collector.requests().size(), 1u);
  const http::Request request = collector.requests()[0];
  EXPECT_EQ(request.header("content-type"), "application/x-protobuf");
  EXPECT_EQ(request.header("api-key"), "k");
  const auto resource = collector.traces()[0].resource_spans(0);
  EXPECT_THAT(
      texts(resource.resource().attributes()),
      IsSupersetOf({Pair("service.name", "orders"), Pair("host", "h"),
                    Pair("telemetry.sdk.name", "chimera"), Pair("telemetry.sdk.language", "cpp")}));
  EXPECT_EQ(resource.scope_spans(0).scope().name(), "chimera");
  ASSERT_EQ(collector.spans().size(), 1u);
  const Collector::Span sent = collector.spans()[0];
  EXPECT_EQ(sent.name(), "charge");
  EXPECT_EQ(sent.kind(), Collector::Span::SPAN_KIND_CLIENT);
  EXPECT_EQ(absl::BytesToHexString(sent.trace_id()), parent.trace_id);
  EXPECT_EQ(absl::BytesToHexString(sent.parent_span_id()), parent.span_id);
  EXPECT_EQ(absl::BytesToHexString(sent.span_id()), span->context().span_id);
  EXPECT_EQ(sent.trace_state(), "a=b");
  EXPECT_EQ(sent.start_time_unix_nano(), 1'000'000'005u);
  EXPECT_EQ(sent.end_time_unix_nano(), 2'000'000'000u);
  EXPECT_THAT(texts(sent.attributes()),
              IsSupersetOf({Pair("text", "\xef\xbf\xbd"), Pair("flag", "true"), Pair("count", "7"),
                            Pair("share", "0.5")}));
  EXPECT_EQ(absl::BytesToHexString(sent.links(0).span_id()), parent.span_id);
  EXPECT_EQ(sent.events(0).name(), "exception");
  EXPECT_THAT(texts(sent.events(0).attributes()), Contains(Pair("exception.message", "no")));
  EXPECT_EQ(sent.status().message(), "broken");
}

TEST(OtlpTracerTest, WithoutAParentATraceBegins) {
  Collector collector;
  const auto tracer = otlp_tracer({.endpoint = collector.traces_url()});
  const auto one = tracer->start_span("one", {}), two = tracer->start_span("two", {});
  EXPECT_TRUE(one->context().valid());
  EXPECT_NE(one->context().trace_id, two->context().trace_id);
  EXPECT_TRUE(one->context().sampled);
}

TEST(OtlpTracerTest, AParentsDecisionHolds) {
  Collector collector;
  const auto never = otlp_tracer({.endpoint = collector.traces_url(), .sampled_share = 0});
  const auto skipped = never->start_span("skipped", {});
  EXPECT_FALSE(skipped->context().sampled);
  EXPECT_TRUE(skipped->context().valid());
  SpanContext parent = skipped->context();
  parent.sampled = true;
  never->start_span("kept", {.parent = parent})->end(std::nullopt);
  skipped->end(std::nullopt);
  ASSERT_TRUE(never->flush(10s));
  ASSERT_EQ(collector.spans().size(), 1u);
  EXPECT_EQ(collector.spans()[0].name(), "kept");

  const auto always = otlp_tracer({.endpoint = collector.traces_url()});
  parent.sampled = false;
  EXPECT_FALSE(always->start_span("x", {.parent = parent})->context().sampled);
}

TEST(OtlpTracerTest, AShareIsSampledByTheTracesId) {
  int sampled = 0;
  for (int i = 0; i < 10'000; ++i) {
    const SpanContext context = new_context(std::nullopt, 0.25);
    // As Go and Python decide.
    EXPECT_EQ(context.sampled, context.trace_id[16] < '4') << context.trace_id;
    sampled += context.sampled;
  }
  EXPECT_NEAR(sampled, 2500, 300);
}

TEST(OtlpTracerTest, ABatchThatIsFullGoesWithoutAnybodyAsking) {
  Collector collector;
  const auto tracer =
      otlp_tracer({.endpoint = collector.traces_url(), .batch_size = 3, .delay = 1h});
  end_spans(*tracer, 7);
  collector.wait_for_requests(2);
  ASSERT_TRUE(tracer->flush(10s));
  EXPECT_EQ(collector.requests().size(), 3u);
  EXPECT_EQ(collector.spans().size(), 7u);
}

TEST(OtlpTracerTest, WhatWaitsLongEnoughGoes) {
  Collector collector;
  const auto tracer = otlp_tracer({.endpoint = collector.traces_url(), .delay = 1ms});
  end_spans(*tracer, 1);
  collector.wait_for_requests(1);
}

TEST(OtlpTracerTest, ItsEndIsAFlush) {
  Collector collector;
  {
    const auto tracer = otlp_tracer({.endpoint = collector.traces_url(), .delay = 1h});
    end_spans(*tracer, 2);
  }
  EXPECT_EQ(collector.spans().size(), 2u);
}

TEST(OtlpTracerTest, WhatMayPassIsTriedAgain) {
  Collector collector;
  collector.answer_next({{.status = 503}, {.status = 429, .headers = {{"Retry-After", "0"}}}});
  const auto tracer = otlp_tracer({.endpoint = collector.traces_url()});
  end_spans(*tracer, 1);
  EXPECT_TRUE(tracer->flush(10s));
  EXPECT_EQ(collector.requests().size(), 3u);
  EXPECT_EQ(collector.spans().size(), 1u);
}

TEST(OtlpTracerTest, WhatDoesNotPassIsLostAndTold) {
  Collector collector;
  collector.answer_next({{.status = 400, .body = "not these"}});
  const auto tracer = otlp_tracer({.endpoint = collector.traces_url()});
  end_spans(*tracer, 1);
  ::testing::internal::CaptureStderr();
  EXPECT_FALSE(tracer->flush(10s));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("1 spans are lost: " + collector.traces_url() + ": status 400: not these"));
  EXPECT_EQ(collector.requests().size(), 1u);
  end_spans(*tracer, 1);
  EXPECT_TRUE(tracer->flush(10s));
}

TEST(OtlpTracerTest, WhatTheCollectorRejectsCountsAsLost) {
  Collector collector;
  chimera_otlp::collector::trace::v1::ExportTraceServiceResponse answer;
  answer.mutable_partial_success()->set_rejected_spans(1);
  answer.mutable_partial_success()->set_error_message("too old");
  collector.answer_next({{.body = answer.SerializeAsString()}});
  const auto tracer = otlp_tracer({.endpoint = collector.traces_url()});
  end_spans(*tracer, 2);
  EXPECT_FALSE(tracer->flush(10s));
}

TEST(OtlpTracerTest, ALongPauseThatIsAskedForIsNotWaitedOutBeyondTheTimeout) {
  Collector collector;
  collector.answer_next({{.status = 429, .headers = {{"Retry-After", "3600"}}}});
  const auto tracer = otlp_tracer({.endpoint = collector.traces_url()});
  end_spans(*tracer, 1);
  EXPECT_FALSE(tracer->flush(5s));
}

TEST(OtlpTracerTest, ACollectorThatHangsKeepsNeitherMemoryNorTheEnd) {
  Collector collector;
  collector.hold();
  auto tracer = otlp_tracer({.endpoint = collector.traces_url(),
                             .batch_size = 2,
                             .queue_size = 4,
                             .delay = 1h,
                             .timeout = 300ms});
  end_spans(*tracer, 2);
  collector.wait_for_requests(1);
  end_spans(*tracer, 100);
  EXPECT_FALSE(tracer->flush(1ms));
  ::testing::internal::CaptureStderr();
  tracer.reset();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("96 spans were dropped"));
  collector.let_go();
}

TEST(OtlpTracerTest, ASpanMayOutliveTheTracer) {
  Collector collector;
  std::shared_ptr<Span> span;
  {
    const auto tracer = otlp_tracer({.endpoint = collector.traces_url()});
    span = tracer->start_span("s", {});
  }
  span->end(std::nullopt);
  EXPECT_TRUE(collector.spans().empty());
}

TEST(OtlpTracerTest, ManyThreadsEndSpans) {
  Collector collector;
  const auto tracer =
      otlp_tracer({.endpoint = collector.traces_url(), .batch_size = 64, .queue_size = 4000});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { end_spans(*tracer, 500); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(tracer->flush(30s));
  EXPECT_EQ(collector.spans().size(), 2000u);
}

TEST(OtlpTracerTest, AProcessThatExitsSendsWhatItHas) {
  Collector collector;
  const std::string url = collector.traces_url();
  EXPECT_EXIT(
      {
        static const auto tracer = new std::shared_ptr<OtlpTracer>(otlp_tracer({.endpoint = url}));
        end_spans(**tracer, 3);
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EQ(collector.spans().size(), 3u);
}

TEST(OtlpTracerTest, WrongOptionsAreNamed) {
  const auto refused = [](const OtlpTracerOptions& options, const std::string& name) {
    try {
      otlp_tracer(options);
      ADD_FAILURE() << name;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), HasSubstr("OtlpTracerOptions::" + name));
    }
  };
  refused({.endpoint = "localhost:4318"}, "endpoint");
  refused({.headers = {{"a b", "c"}}}, "headers");
  refused({.service_name = ""}, "service_name");
  refused({.resource_attributes = {{"service.name", std::string("x")}}}, "resource_attributes");
  refused({.sampled_share = 1.5}, "sampled_share");
  refused({.batch_size = 0}, "batch_size");
  refused({.batch_size = 10, .queue_size = 5}, "queue_size");
  refused({.delay = 0ms}, "delay");
  refused({.timeout = 0ms}, "timeout");
}

TEST(RetryAfterTest, ReadsSecondsAndDates) {
  EXPECT_EQ(retry_after("2"), 2s);
  EXPECT_EQ(retry_after("-2"), 0s);
  EXPECT_EQ(retry_after("Fri, 31 Dec 1999 23:59:59 GMT"), 0s);
  EXPECT_GT(retry_after("Fri, 31 Dec 2099 23:59:59 GMT"), 1h);
  EXPECT_EQ(retry_after("soon"), 0s);
}

// Sets variables for as long as it lives.
class Variables {
 public:
  explicit Variables(std::map<std::string, std::string> values) : values_(std::move(values)) {
    for (const auto& [name, value] : values_) setenv(name.c_str(), value.c_str(), 1);
  }
  ~Variables() {
    for (const auto& [name, value] : values_) unsetenv(name.c_str());
  }
  Variables(const Variables&) = delete;

 private:
  const std::map<std::string, std::string> values_;
};

TEST(OtlpEnvironmentTest, ReadsTheStandardVariables) {
  {
    const OtlpTracerOptions plain = otlp_options_from_environment();
    EXPECT_EQ(plain.endpoint, "http://localhost:4318/v1/traces");
    EXPECT_EQ(plain.service_name, "chimera");
  }
  const Variables set({{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318/base/"},
                       {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"},
                       {"OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, other = c"},
                       {"OTEL_EXPORTER_OTLP_TIMEOUT", "3000"},
                       {"OTEL_RESOURCE_ATTRIBUTES", "service.name=from_here,team=x"},
                       {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"},
                       {"OTEL_TRACES_SAMPLER_ARG", "0.25"},
                       {"OTEL_BSP_SCHEDULE_DELAY", "100"},
                       {"OTEL_BSP_MAX_QUEUE_SIZE", "100"}});
  const OtlpTracerOptions options = otlp_options_from_environment();
  EXPECT_EQ(options.endpoint, "https://collector:4318/base/v1/traces");
  EXPECT_THAT(options.headers, ::testing::ElementsAre(Pair("api-key", "a b"), Pair("other", "c")));
  EXPECT_EQ(options.timeout, 3s);
  EXPECT_EQ(options.service_name, "from_here");
  EXPECT_THAT(options.resource_attributes, ::testing::ElementsAre(::testing::Key("team")));
  EXPECT_EQ(options.sampled_share, 0.25);
  EXPECT_EQ(options.delay, 100ms);
  EXPECT_EQ(options.queue_size, 100u);
  EXPECT_EQ(options.batch_size, 100u);

  const Variables more({{"OTEL_SERVICE_NAME", "named"},
                        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other/spans"}});
  EXPECT_EQ(otlp_options_from_environment().service_name, "named");
  EXPECT_EQ(otlp_options_from_environment().endpoint, "http://other/spans");
}

TEST(OtlpEnvironmentTest, NamesTheVariableThatIsWrong) {
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"},
                                          {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
                                          {"OTEL_EXPORTER_OTLP_HEADERS", "api-key"},
                                          {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1s"},
                                          {"OTEL_RESOURCE_ATTRIBUTES", "=x"},
                                          {"OTEL_TRACES_SAMPLER", "always_on"},
                                          {"OTEL_BSP_MAX_QUEUE_SIZE", "-1"}}) {
    const Variables set(std::map<std::string, std::string>{{name, value}});
    try {
      otlp_options_from_environment();
      ADD_FAILURE() << name;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), ::testing::StartsWith(name));
    }
  }
}

}  // namespace
}  // namespace chimera::otlp
