// Spans and their contexts. The names and attributes of spans, and which are whose parents, are
// those of the official Python SDK 1.35 (temporalio.contrib.opentelemetry.TracingInterceptor).
#include "chimera/opentelemetry.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/interceptor.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/links_of.h"
#include "sdk-cpp/src/log.h"

namespace chimera {
namespace {

// In a Context: the span, and what came with it that is not ours to read.
struct Carried {
  SpanContext span;
  std::string baggage = {};  // As W3C Baggage writes it.
};
constexpr char kKey[] = "chimera.opentelemetry";
constexpr char kHeader[] = "_tracer-data";  // A JSON object, as a propagator of text fills it.

bool is_id(std::string_view text, std::size_t digits) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == digits && std::ranges::all_of(text, is_hex) &&
         !std::ranges::all_of(text, [](char c) { return c == '0'; });
}
int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

using Carrier = std::map<std::string, std::string>;  // Also the headers of Nexus requests.

std::optional<Carried> carried_by(const Carrier& carrier) {
  const auto text = [&](const char* name) -> std::string {
    const auto found = carrier.find(name);
    return found == carrier.end() ? "" : found->second;
  };
  const auto span = SpanContext::from_traceparent(text("traceparent"), text("tracestate"));
  if (!span) return std::nullopt;
  return Carried{*span, text("baggage")};
}

std::optional<Carried> carried_by(const Headers& headers) {
  const auto found = headers.find(kHeader);
  if (found == headers.end()) return std::nullopt;
  try {
    return carried_by(from_payload<Carrier>(found->second));
  } catch (const ConversionError&) {  // Somebody else's: as if there was none.
    return std::nullopt;
  }
}

void put(const Carried& carried, Carrier& carrier) {
  carrier["traceparent"] = carried.span.traceparent();
  if (!carried.span.trace_state.empty()) carrier["tracestate"] = carried.span.trace_state;
  if (!carried.baggage.empty()) carrier["baggage"] = carried.baggage;
}

void put(const Carried& carried, Headers& headers) {
  Carrier carrier;
  put(carried, carrier);
  headers[kHeader] = make_payload(carrier);
}

std::optional<Carried> current() { return Context::current().get<Carried>(kKey); }

Context with(const std::optional<Carried>& carried) {
  return carried ? Context::current().with(kKey, *carried) : Context::current().without(kKey);
}

bool is_benign(const std::exception& error) {
  const auto* const failure = dynamic_cast<const ApplicationError*>(&error);
  return failure != nullptr && failure->category() == ApplicationErrorCategory::kBenign;
}

class Tracing {
 public:
  Tracing(std::shared_ptr<Tracer> tracer, const TracingOptions& options)
      : tracer_(std::move(tracer)), options_(options) {}

  // Null where the tracer gives none.
  std::shared_ptr<Span> start(std::string_view name, const SpanOptions& options) const {
    std::shared_ptr<Span> span;
    guarded([&] { span = tracer_->start_span(name, options); });
    return span;
  }
  // Code of the user's tracer; its failures are none of the calls'.
  template <class Code>
  static void guarded(Code&& code) {
    try {
      code();
    } catch (...) {
      sdk::log(sdk::LogLevel::kWarning,
               absl::StrCat("the tracer of a call failed: ", sdk::describe_current()));
    }
  }
  bool always() const { return options_.always_create_workflow_spans; }
  static Carried carried_of(const Span& span, const std::optional<Carried>& outer) {
    Carried carried{span.context(), outer ? outer->baggage : ""};
    if (!carried.span.valid())
      throw std::runtime_error("a span whose context is no W3C trace context");
    return carried;
  }

  // A call that takes time, with its span around it.
  template <class Call>
  decltype(auto) around(std::string_view name, SpanOptions options, Headers* headers,
                        Call&& call) const {
    const std::optional<Carried> outer = current();
    if (outer) options.parent = outer->span;
    const std::shared_ptr<Span> span = start(name, options);
    std::optional<Carried> inner = outer;
    if (span != nullptr) guarded([&] { inner = carried_of(*span, outer); });
    if (headers != nullptr && inner) put(*inner, *headers);
    const ContextScope scope(with(inner));
    struct End {
      const std::shared_ptr<Span>& span;
      ~End() {
        if (span != nullptr) guarded([this] { span->end(std::nullopt); });
      }
    } const end{span};
    try {
      return call();
    } catch (const std::exception& error) {
      if (span != nullptr && !is_benign(error))
        guarded([&] { span->set_error(sdk::describe_current()); });
      throw;
    }
  }

 private:
  const std::shared_ptr<Tracer> tracer_;
  const TracingOptions options_;
};

// --- Clients ---

class TracedClient final : public ClientOutboundInterceptor {
 public:
  TracedClient(ClientOutboundInterceptor* next, const Tracing& tracing)
      : ClientOutboundInterceptor(next), tracing_(tracing) {}
  WorkflowHandle<Payload> start_workflow(StartWorkflowInput input) override {
    const char* const prefix =
        input.start_signal.empty() ? "StartWorkflow:" : "SignalWithStartWorkflow:";
    return tracing_.around(prefix + input.workflow, of_workflow(input.options.id), &input.headers,
                           [&] { return next().start_workflow(std::move(input)); });
  }
  void signal_workflow(SignalWorkflowInput input) override {
    tracing_.around("SignalWorkflow:" + input.signal, of_workflow(input.id), &input.headers,
                    [&] { next().signal_workflow(std::move(input)); });
  }
  Payload query_workflow(QueryWorkflowInput input) override {
    return tracing_.around("QueryWorkflow:" + input.query, of_workflow(input.id), &input.headers,
                           [&] { return next().query_workflow(std::move(input)); });
  }
  UpdateHandle<Payload> start_workflow_update(StartWorkflowUpdateInput input) override {
    return tracing_.around("StartWorkflowUpdate:" + input.update, of_workflow(input.id),
                           &input.headers,
                           [&] { return next().start_workflow_update(std::move(input)); });
  }
  UpdateHandle<Payload> start_update_with_start_workflow(StartUpdateWithStartInput input) override {
    SpanOptions options = of_workflow(input.start_workflow.options.id);
    const std::string& update_id = input.update_workflow.options.id;
    if (!update_id.empty()) options.attributes["temporalUpdateID"] = update_id;
    return tracing_.around("StartUpdateWithStartWorkflow:" + input.start_workflow.workflow,
                           std::move(options), &input.start_workflow.headers, [&] {
                             const auto found = input.start_workflow.headers.find(kHeader);
                             if (found != input.start_workflow.headers.end())
                               input.update_workflow.headers[kHeader] = found->second;
                             return next().start_update_with_start_workflow(std::move(input));
                           });
  }

 private:
  static SpanOptions of_workflow(const std::string& id) {
    return {.kind = SpanKind::kClient, .attributes = {{"temporalWorkflowID", id}}};
  }

  const Tracing& tracing_;
};

// --- Activities ---

class TracedActivity final : public ActivityInboundInterceptor {
 public:
  TracedActivity(ActivityInboundInterceptor* next, const Tracing& tracing)
      : ActivityInboundInterceptor(next), tracing_(tracing) {}
  Payload execute_activity(ExecuteActivityInput input) override {
    const activity::Info& info = activity::info();
    SpanOptions options{.kind = SpanKind::kServer,
                        .attributes = {{"temporalActivityID", info.activity_id}}};
    if (!info.workflow_id.empty()) options.attributes["temporalWorkflowID"] = info.workflow_id;
    if (!info.workflow_run_id.empty()) options.attributes["temporalRunID"] = info.workflow_run_id;
    const ContextScope scope(with(carried_by(input.headers)));
    return tracing_.around("RunActivity:" + info.activity_type, std::move(options), nullptr,
                           [&] { return next().execute_activity(std::move(input)); });
  }

 private:
  const Tracing& tracing_;
};

// --- Nexus services ---

class TracedNexus final : public NexusOperationInboundInterceptor {
 public:
  TracedNexus(NexusOperationInboundInterceptor* next, const Tracing& tracing)
      : NexusOperationInboundInterceptor(next), tracing_(tracing) {}
  nexus::StartResult<Payload> execute_nexus_operation_start(
      ExecuteNexusOperationStartInput input) override {
    const ContextScope scope(with(carried_by(nexus::info().headers)));
    return tracing_.around(name("RunStartNexusOperationHandler:"), {.kind = SpanKind::kServer},
                           nullptr,
                           [&] { return next().execute_nexus_operation_start(std::move(input)); });
  }
  void execute_nexus_operation_cancel(ExecuteNexusOperationCancelInput input) override {
    const ContextScope scope(with(carried_by(nexus::info().headers)));
    tracing_.around(name("RunCancelNexusOperationHandler:"), {.kind = SpanKind::kServer}, nullptr,
                    [&] { next().execute_nexus_operation_cancel(std::move(input)); });
  }

 private:
  static std::string name(const char* prefix) {
    return absl::StrCat(prefix, nexus::info().service, "/", nexus::info().operation);
  }

  const Tracing& tracing_;
};

// --- Workflows ---

// What has ended when it begins: a span that is open would have to be ended by whichever worker has
// the run then.
struct Instant {
  SpanKind kind = SpanKind::kInternal;
  std::optional<Carried> link = {};
  bool even_in_replay = false;
  std::string error = {};
};

// The span's context for what the call passes on; nothing where none was made.
std::optional<Carried> instant_span(const Tracing& tracing, const std::string& name,
                                    const Instant& what) {
  const workflow::Info& info = workflow::info();
  if (info.is_replaying && !what.even_in_replay) return std::nullopt;
  const std::optional<Carried> parent = current();
  if (!parent && !tracing.always()) return std::nullopt;
  SpanOptions options{
      .kind = what.kind,
      .attributes = {{"temporalWorkflowID", info.workflow_id}, {"temporalRunID", info.run_id}},
      .start_time = workflow::now()};
  if (parent) options.parent = parent->span;
  if (what.link) options.links.push_back(what.link->span);
  std::optional<Carried> made;
  if (const auto span = tracing.start(name, options)) {
    Tracing::guarded([&] {
      if (!what.error.empty()) span->add_event("exception", {{"exception.message", what.error}});
      span->end(options.start_time);
      made = Tracing::carried_of(*span, parent);
    });
  }
  return made;
}

class TracedWorkflow final : public WorkflowInboundInterceptor {
 public:
  TracedWorkflow(WorkflowInboundInterceptor* next, const Tracing& tracing)
      : WorkflowInboundInterceptor(next), tracing_(tracing) {}

  // Of these two a failure is the workflow's end.
  Payload execute_workflow(ExecuteWorkflowInput input) override {
    const ContextScope scope(of_workflow());
    try {
      span("RunWorkflow:" + workflow::info().workflow_type, {.kind = SpanKind::kServer});
      Payload result = next().execute_workflow(std::move(input));
      completed("");
      return result;
    } catch (const FailureError&) {
      completed(sdk::describe_current());
      throw;
    }
  }
  void handle_signal(HandleSignalInput input) override {
    const ContextScope scope(of_workflow());
    try {
      span("HandleSignal:" + input.signal, from(input));
      next().handle_signal(std::move(input));
    } catch (const FailureError&) {
      completed(sdk::describe_current());
      throw;
    }
  }
  // Of who asks, not of the workflow, which has no part in it.
  Payload handle_query(HandleQueryInput input) override {
    const std::optional<Carried> asked_by = carried_by(input.headers);
    const ContextScope scope(with(asked_by));
    Instant instant{.kind = SpanKind::kServer, .even_in_replay = true};
    if (asked_by) instant.link = carried_by(workflow::info().headers);
    span("HandleQuery:" + input.query, instant);
    return next().handle_query(std::move(input));
  }
  void handle_update_validator(HandleUpdateInput input) override {
    const ContextScope scope(of_workflow());
    span("ValidateUpdate:" + input.update, from(input));
    next().handle_update_validator(std::move(input));
  }
  Payload handle_update_handler(HandleUpdateInput input) override {
    const ContextScope scope(of_workflow());
    span("HandleUpdate:" + input.update, from(input));
    return next().handle_update_handler(std::move(input));
  }

 private:
  // The span that started the workflow.
  static Context of_workflow() { return with(carried_by(workflow::info().headers)); }
  template <class Input>
  static Instant from(const Input& input) {
    return {.kind = SpanKind::kServer, .link = carried_by(input.headers)};
  }
  void span(const std::string& name, const Instant& instant) const {
    instant_span(tracing_, name, instant);
  }
  void completed(const std::string& error) const {
    span("CompleteWorkflow:" + workflow::info().workflow_type, {.error = error});
  }

  const Tracing& tracing_;
};

class TracedCalls final : public WorkflowOutboundInterceptor {
 public:
  TracedCalls(WorkflowOutboundInterceptor* next, const Tracing& tracing)
      : WorkflowOutboundInterceptor(next), tracing_(tracing) {}
  workflow::ActivityHandle<Payload> start_activity(StartActivityInput input) override {
    span("StartActivity:" + input.activity, SpanKind::kClient, input.headers);
    return next().start_activity(std::move(input));
  }
  workflow::ActivityHandle<Payload> start_local_activity(StartLocalActivityInput input) override {
    span("StartActivity:" + input.activity, SpanKind::kClient, input.headers);
    return next().start_local_activity(std::move(input));
  }
  workflow::ChildWorkflowHandle<Payload> start_child_workflow(
      StartChildWorkflowInput input) override {
    span("StartChildWorkflow:" + input.workflow, SpanKind::kClient, input.headers);
    return next().start_child_workflow(std::move(input));
  }
  workflow::NexusOperationHandle<Payload> start_nexus_operation(
      StartNexusOperationInput input) override {
    span("StartNexusOperation:" + input.service + "/" + input.operation, SpanKind::kClient,
         input.options.headers);
    return next().start_nexus_operation(std::move(input));
  }
  void signal_child_workflow(SignalChildWorkflowInput input) override {
    span("SignalChildWorkflow:" + input.signal, SpanKind::kServer, input.headers);
    next().signal_child_workflow(std::move(input));
  }
  void signal_external_workflow(SignalExternalWorkflowInput input) override {
    span("SignalExternalWorkflow:" + input.signal, SpanKind::kClient, input.headers);
    next().signal_external_workflow(std::move(input));
  }
  // The next run is part of what this one is part of.
  void continue_as_new(ContinueAsNewInput input) override {
    if (const auto carried = current()) put(*carried, input.headers);
    next().continue_as_new(std::move(input));
  }

 private:
  template <class Into>
  void span(const std::string& name, SpanKind kind, Into& headers) const {
    if (const auto made = instant_span(tracing_, name, {.kind = kind})) put(*made, headers);
  }

  const Tracing& tracing_;
};

using TracingInterceptor =
    sdk::LinksOf<Tracing, TracedClient, TracedActivity, TracedWorkflow, TracedCalls, TracedNexus>;

}  // namespace

// W3C Trace Context, level 1: versions to come may have more behind the flags.
std::optional<SpanContext> SpanContext::from_traceparent(std::string_view traceparent,
                                                         std::string_view tracestate) {
  std::string_view text =
      traceparent.substr(std::min(traceparent.find_first_not_of(" \t"), traceparent.size()));
  text = text.substr(0, text.find_last_not_of(" \t") + 1);
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  if (hex(version[0]) < 0 || hex(version[1]) < 0 || version == "ff") return std::nullopt;
  if (text.size() > 55 && (version == "00" || text[55] != '-')) return std::nullopt;
  const int high = hex(text[53]), low = hex(text[54]);
  SpanContext out{.trace_id = std::string(text.substr(3, 32)),
                  .span_id = std::string(text.substr(36, 16)),
                  .sampled = (low & 1) != 0,
                  .trace_state = std::string(tracestate)};
  if (high < 0 || low < 0 || !out.valid()) return std::nullopt;
  return out;
}

std::string SpanContext::traceparent() const {
  return absl::StrCat("00-", trace_id, "-", span_id, sampled ? "-01" : "-00");
}

bool SpanContext::valid() const { return is_id(trace_id, 32) && is_id(span_id, 16); }

std::shared_ptr<Interceptor> tracing_interceptor(std::shared_ptr<Tracer> tracer,
                                                 const TracingOptions& options) {
  if (tracer == nullptr) throw std::invalid_argument("tracing_interceptor() was given no tracer");
  return std::make_shared<TracingInterceptor>(std::move(tracer), options);
}

std::optional<SpanContext> current_span() {
  const std::optional<Carried> carried = current();
  return carried ? std::optional(carried->span) : std::nullopt;
}

Context with_span(const SpanContext& span) {
  const std::optional<Carried> outer = current();
  return with(Carried{span, outer ? outer->baggage : ""});
}

}  // namespace chimera
