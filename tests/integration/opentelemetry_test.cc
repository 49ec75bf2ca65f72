// Tracing: which spans there are, whose parents they are, and what crosses to other SDKs.
#include "chimera/opentelemetry.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chimera/interceptor.h"
#include "chimera/testing.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"

namespace chimera {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::Key;
using testing::Pair;

constexpr char kQueue[] = "traced";

TEST(SpanContextTest, ReadsAndWritesWhatW3cSays) {
  const std::string text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto read = SpanContext::from_traceparent(text, "a=b");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(read->span_id, "b7ad6b7169203331");
  EXPECT_TRUE(read->sampled);
  EXPECT_EQ(read->trace_state, "a=b");
  EXPECT_EQ(read->traceparent(), text);

  std::string other = text;
  other.back() = '0';
  EXPECT_FALSE(SpanContext::from_traceparent(other)->sampled);
  EXPECT_EQ(SpanContext::from_traceparent(other)->traceparent(), other);
  // A version to come may have more.
  EXPECT_TRUE(SpanContext::from_traceparent("01" + text.substr(2) + "-more"));
  for (const std::string& wrong :
       {std::string(), std::string("00"), text + "-more", text.substr(0, 54), "ff" + text.substr(2),
        "0x" + text.substr(2), "00-" + std::string(32, '0') + text.substr(35),
        text.substr(0, 36) + std::string(16, '0') + "-01", "00-0AF7" + text.substr(7),
        text.substr(0, 53) + "0g"}) {
    EXPECT_FALSE(SpanContext::from_traceparent(wrong)) << wrong;
  }
}

struct Recorded {
  std::string name;
  SpanContext context;
  SpanOptions options;
  std::string error;
  std::vector<std::string> events;
  bool ended = false;
};

// Keeps the spans. Any thread.
class Recorder : public Tracer {
 public:
  std::shared_ptr<Span> start_span(std::string_view name, const SpanOptions& options) override {
    const std::lock_guard lock(mutex_);
    auto span = std::make_shared<Recorded>();
    const std::string number = std::to_string(++last_);
    span->name = name;
    span->options = options;
    span->context.span_id = std::string(16 - number.size(), 'a') + number;
    span->context.trace_id =
        options.parent ? options.parent->trace_id : std::string(32 - number.size(), 'b') + number;
    if (options.parent) span->context.trace_state = options.parent->trace_state;
    spans_.push_back(span);
    return std::make_shared<One>(*this, span);
  }
  std::vector<std::string> names() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& span : spans_) out.push_back(span->name);
    return out;
  }
  Recorded only(const std::string& name) {
    const std::lock_guard lock(mutex_);
    std::vector<Recorded> found;
    for (const auto& span : spans_)
      if (span->name == name) found.push_back(*span);
    EXPECT_EQ(found.size(), 1u) << name;
    return found.empty() ? Recorded{} : found[0];
  }
  bool all_ended() {
    const std::lock_guard lock(mutex_);
    return std::ranges::all_of(spans_, [](const auto& span) { return span->ended; });
  }

 private:
  class One : public Span {
   public:
    One(Recorder& recorder, std::shared_ptr<Recorded> span)
        : recorder_(recorder), span_(std::move(span)) {}
    SpanContext context() const override { return span_->context; }
    void add_event(std::string_view name, const SpanAttributes& attributes) override {
      const std::lock_guard lock(recorder_.mutex_);
      span_->events.emplace_back(name);
      EXPECT_THAT(attributes, Contains(Key("exception.message")));
    }
    void set_error(std::string_view description) override {
      const std::lock_guard lock(recorder_.mutex_);
      span_->error = description;
    }
    void end(std::optional<Time>) override {
      const std::lock_guard lock(recorder_.mutex_);
      EXPECT_FALSE(std::exchange(span_->ended, true));
    }

   private:
    Recorder& recorder_;
    const std::shared_ptr<Recorded> span_;
  };
  std::mutex mutex_;
  std::vector<std::shared_ptr<Recorded>> spans_;
  int last_ = 0;
};

std::string span_here() { return current_span() ? current_span()->span_id : "none"; }
constexpr auto kSpanHere = define_activity<&span_here>("span_here");
void fail() { throw ApplicationError("broken", {.type = "Broken", .non_retryable = true}); }
constexpr auto kFail = define_activity<&fail>("fail");

class Child {
 public:
  void run() {
    workflow::wait_condition([this] { return told_; });
  }
  void tell() { told_ = true; }

 private:
  bool told_ = false;
};
const auto kChild = define_workflow<&Child::run>("TracedChild").signal<&Child::tell>("tell");

class Traced {
 public:
  std::string run(bool fails) {
    const std::string first =
        workflow::execute_activity<kSpanHere>({.start_to_close_timeout = 30s});
    (void)workflow::execute_local_activity<kSpanHere>({.start_to_close_timeout = 30s});
    auto child = workflow::start_child_workflow<kChild>({.id = "child"});
    child.signal<&Child::tell>();
    child.get();
    workflow::wait_condition([this] { return done_; });
    if (fails) workflow::execute_activity<kFail>({.start_to_close_timeout = 30s});
    return first;
  }
  void finish() { done_ = true; }
  int ask() const { return 1; }
  int change(int to) { return to; }
  void check(int to) const {
    if (to < 0) throw ApplicationError("less than nothing");
  }

 private:
  bool done_ = false;
};
const auto kTraced = define_workflow<&Traced::run>("Traced")
                         .signal<&Traced::finish>("finish")
                         .query<&Traced::ask>("ask")
                         .update<&Traced::change, &Traced::check>("change");

class TracingTest : public testing::TestWithParam<std::size_t> {
 protected:
  void begin(std::vector<std::shared_ptr<Interceptor>> interceptors) {
    TestEnvironmentOptions options;
    options.client.interceptors = std::move(interceptors);
    env.emplace(options);
    worker.emplace(env->client(),
                   WorkerOptions{.task_queue = kQueue, .max_cached_workflows = GetParam()});
    worker->add(kTraced).add(kChild).add(kSpanHere).add(kFail);
    worker->start();
  }
  WorkflowOptions options(const std::string& id) { return {.id = id, .task_queue = kQueue}; }
  // The name of a span's parent.
  void expect_parent(const std::string& child, const std::string& parent) {
    const Recorded of = recorder->only(child), above = recorder->only(parent);
    ASSERT_TRUE(of.options.parent) << child;
    EXPECT_EQ(of.options.parent->span_id, above.context.span_id) << child << " < " << parent;
    EXPECT_EQ(of.context.trace_id, above.context.trace_id) << child;
  }

  std::shared_ptr<Recorder> recorder = std::make_shared<Recorder>();
  std::optional<TestEnvironment> env;
  std::optional<Worker> worker;
};

TEST_P(TracingTest, SpansAreTheOfficialOnesInOneTrace) {
  begin({tracing_interceptor(recorder)});
  Client& client = env->client();
  const auto handle = client.start_workflow<&Traced::run>(options("t"), false);
  handle.query<&Traced::ask>();
  EXPECT_EQ(handle.execute_update<&Traced::change>(UpdateOptions{.id = "u"}, 3), 3);
  handle.signal<&Traced::finish>();
  const std::string in_activity = handle.result();
  worker.reset();

  EXPECT_TRUE(recorder->all_ended());
  EXPECT_FALSE(recorder->only("StartWorkflow:Traced").options.parent);
  for (const char* each : {"RunWorkflow:Traced", "CompleteWorkflow:Traced", "HandleSignal:finish",
                           "ValidateUpdate:change", "HandleUpdate:change",
                           "StartChildWorkflow:TracedChild", "SignalChildWorkflow:tell"}) {
    expect_parent(each, "StartWorkflow:Traced");
  }
  expect_parent("HandleQuery:ask", "QueryWorkflow:ask");
  expect_parent("RunWorkflow:TracedChild", "StartChildWorkflow:TracedChild");
  expect_parent("HandleSignal:tell", "StartChildWorkflow:TracedChild");

  const auto linked = [&](const std::string& span, const std::string& to) {
    const Recorded found = recorder->only(span);
    ASSERT_EQ(found.options.links.size(), 1u) << span;
    EXPECT_EQ(found.options.links[0].span_id, recorder->only(to).context.span_id) << span;
  };
  linked("HandleSignal:finish", "SignalWorkflow:finish");
  linked("HandleUpdate:change", "StartWorkflowUpdate:change");
  linked("HandleQuery:ask", "StartWorkflow:Traced");
  linked("HandleSignal:tell", "SignalChildWorkflow:tell");

  // Two activities: one of them local.
  const std::vector<std::string> names = recorder->names();
  EXPECT_EQ(std::ranges::count(names, "StartActivity:span_here"), 2);
  EXPECT_EQ(std::ranges::count(names, "RunActivity:span_here"), 2);
  EXPECT_NE(in_activity, "none");

  const Recorded run = recorder->only("RunWorkflow:Traced");
  EXPECT_EQ(run.options.kind, SpanKind::kServer);
  EXPECT_THAT(run.options.attributes,
              ElementsAre(Pair("temporalRunID", testing::_), Pair("temporalWorkflowID", "t")));
  const Recorded start = recorder->only("StartWorkflow:Traced");
  EXPECT_EQ(start.options.kind, SpanKind::kClient);
  EXPECT_THAT(start.options.attributes, ElementsAre(Pair("temporalWorkflowID", "t")));
}

TEST_P(TracingTest, FailuresAreTold) {
  begin({tracing_interceptor(recorder)});
  Client& client = env->client();
  const auto handle = client.start_workflow<&Traced::run>(options("f"), true);
  EXPECT_THROW(handle.execute_update<&Traced::change>(-1), WorkflowUpdateFailedError);
  handle.signal<&Traced::finish>();
  EXPECT_THROW(handle.result(), WorkflowFailureError);
  EXPECT_THROW(client.get_workflow_handle<kTraced>("none").signal("ask"), RpcError);
  worker.reset();

  EXPECT_THAT(recorder->only("RunActivity:fail").error, testing::HasSubstr("broken"));
  EXPECT_THAT(recorder->only("CompleteWorkflow:Traced").events, ElementsAre("exception"));
  EXPECT_EQ(recorder->only("StartWorkflow:Traced").error, "");
  EXPECT_NE(recorder->only("SignalWorkflow:ask").error, "");
  expect_parent("RunActivity:fail", "StartActivity:fail");
  EXPECT_THAT(recorder->only("RunActivity:fail").options.attributes,
              Contains(Key("temporalActivityID")));
}

// As a client of the official Python SDK sends it, baggage included.
struct FromPython : Interceptor {
  struct Link : ClientOutboundInterceptor {
    using ClientOutboundInterceptor::ClientOutboundInterceptor;
    WorkflowHandle<Payload> start_workflow(StartWorkflowInput input) override {
      input.headers["_tracer-data"] = Payload{
          .metadata = {{"encoding", "json/plain"}},
          .data = R"({"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",)"
                  R"("tracestate":"vendor=x","baggage":"user=ann"})"};
      return next().start_workflow(std::move(input));
    }
  };
  std::unique_ptr<ClientOutboundInterceptor> intercept_client(
      ClientOutboundInterceptor* next) override {
    return std::make_unique<Link>(next);
  }
};
std::mutex headers_mutex;
Headers last_headers;
struct SeesHeaders : Interceptor {
  struct Link : ActivityInboundInterceptor {
    using ActivityInboundInterceptor::ActivityInboundInterceptor;
    Payload execute_activity(ExecuteActivityInput input) override {
      {
        const std::lock_guard lock(headers_mutex);
        last_headers = input.headers;
      }
      return next().execute_activity(std::move(input));
    }
  };
  std::unique_ptr<ActivityInboundInterceptor> intercept_activity(
      ActivityInboundInterceptor* next) override {
    return std::make_unique<Link>(next);
  }
};

TEST_P(TracingTest, ATraceOfAnotherSdkGoesOn) {
  TestEnvironmentOptions with;
  with.client.interceptors = {std::make_shared<FromPython>(), std::make_shared<SeesHeaders>()};
  env.emplace(with);
  worker.emplace(env->client(), WorkerOptions{.task_queue = kQueue,
                                              .max_cached_workflows = GetParam(),
                                              .interceptors = {tracing_interceptor(recorder)}});
  worker->add(kTraced).add(kChild).add(kSpanHere).add(kFail);
  worker->start();
  const auto handle = env->client().start_workflow<&Traced::run>(options("p"), false);
  handle.signal<&Traced::finish>();
  handle.result();
  worker.reset();

  const Recorded run = recorder->only("RunWorkflow:Traced");
  ASSERT_TRUE(run.options.parent);
  EXPECT_EQ(run.options.parent->traceparent(),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const std::lock_guard lock(headers_mutex);
  const auto carrier =
      from_payload<std::map<std::string, std::string>>(last_headers.at("_tracer-data"));
  EXPECT_THAT(carrier.at("traceparent"),
              testing::StartsWith("00-0af7651916cd43dd8448eb211c80319c-"));
  EXPECT_EQ(carrier.at("tracestate"), "vendor=x");
  EXPECT_EQ(carrier.at("baggage"), "user=ann");
}

TEST_P(TracingTest, WithoutASpanOfAClientWorkflowsMakeNoneUnlessToldTo) {
  TestEnvironmentOptions none;
  env.emplace(none);
  const auto always = std::make_shared<Recorder>();
  for (const bool wanted : {false, true}) {
    const auto tracer = wanted ? always : recorder;
    worker.emplace(env->client(),
                   WorkerOptions{.task_queue = kQueue,
                                 .max_cached_workflows = GetParam(),
                                 .interceptors = {tracing_interceptor(
                                     tracer, {.always_create_workflow_spans = wanted})}});
    worker->add(kTraced).add(kChild).add(kSpanHere).add(kFail);
    worker->start();
    const auto handle =
        env->client().start_workflow<&Traced::run>(options(wanted ? "always" : "never"), false);
    handle.signal<&Traced::finish>();
    handle.result();
    worker.reset();
  }
  for (const std::string& name : recorder->names()) EXPECT_EQ(name, "RunActivity:span_here");
  EXPECT_THAT(always->names(), Contains("RunWorkflow:Traced"));
}

struct Broken : Tracer {
  std::shared_ptr<Span> start_span(std::string_view name, const SpanOptions&) override {
    if (name.starts_with("Start")) throw std::runtime_error("no spans today");
    return nullptr;
  }
};

TEST_P(TracingTest, ATracerThatFailsFailsNothing) {
  begin({tracing_interceptor(std::make_shared<Broken>())});
  const auto handle = env->client().start_workflow<&Traced::run>(options("b"), false);
  handle.signal<&Traced::finish>();
  EXPECT_EQ(handle.result(), "none");
  EXPECT_THROW(tracing_interceptor(nullptr), std::invalid_argument);
}

TEST_P(TracingTest, SpansOfOnesOwnAreParents) {
  begin({tracing_interceptor(recorder)});
  const auto span = recorder->start_span("request", {});
  {
    const ContextScope scope(with_span(span->context()));
    const auto handle = env->client().start_workflow<&Traced::run>(options("o"), false);
    handle.signal<&Traced::finish>();
    handle.result();
  }
  span->end(std::nullopt);
  EXPECT_FALSE(current_span());
  expect_parent("StartWorkflow:Traced", "request");
  expect_parent("SignalWorkflow:finish", "request");
}
INSTANTIATE_TEST_SUITE_P(, TracingTest, testing::Values(std::size_t{1000}, std::size_t{0}));

}  // namespace
}  // namespace chimera
