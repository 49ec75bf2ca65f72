// Tracing by OpenTelemetry: an interceptor that makes spans of calls and carries their context from
// clients to workflows and activities, with the names, attributes and header of the official SDKs,
// so that a trace goes through workers of any of them.
//
//   auto client = chimera::Client::connect(
//       {.interceptors = {chimera::tracing_interceptor(my_tracer)}});  // Its workers trace, too.
//
// The tracer is otlp_tracer(), which sends spans to a collector, or yours: a few lines over
// opentelemetry-cpp, or whatever takes spans.
#ifndef CHIMERA_OPENTELEMETRY_H_
#define CHIMERA_OPENTELEMETRY_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "chimera/context.h"
#include "chimera/options.h"

namespace chimera {

class Interceptor;  // interceptor.h

// Which span, as W3C Trace Context writes it.
struct SpanContext {
  std::string trace_id = {};  // 32 lowercase hexadecimal digits, not all of them 0.
  std::string span_id = {};   // 16 of them.
  bool sampled = true;
  std::string trace_state = {};  // What tracing systems add; passed on as it is.

  // Nothing for what is no traceparent.
  static std::optional<SpanContext> from_traceparent(std::string_view traceparent,
                                                     std::string_view tracestate = "");
  std::string traceparent() const;
  bool valid() const;
  bool operator==(const SpanContext&) const = default;
};

using SpanAttributes = std::map<std::string, std::variant<std::string, bool, std::int64_t, double>>;

enum class SpanKind { kInternal = 1, kServer = 2, kClient = 3, kProducer = 4, kConsumer = 5 };

struct SpanOptions {
  SpanKind kind = SpanKind::kInternal;
  std::optional<SpanContext> parent = {};  // None: it begins a trace.
  std::vector<SpanContext> links = {};
  SpanAttributes attributes = {};
  std::optional<Time> start_time = {};  // Now, unless set.
};

// A span under way. Used by one thread at a time; what comes after end() has no effect.
class Span {
 public:
  virtual ~Span() = default;
  virtual SpanContext context() const = 0;
  virtual void add_event(std::string_view name, const SpanAttributes& attributes) = 0;
  virtual void set_error(std::string_view description) = 0;
  virtual void end(std::optional<Time> time) = 0;  // Now, unless set.
};

// Any thread, workflows' lanes among them: it must not block. What it throws is logged, and
// the call goes on; a null span is none.
class Tracer {
 public:
  virtual ~Tracer() = default;
  virtual std::shared_ptr<Span> start_span(std::string_view name, const SpanOptions& options) = 0;
};

struct OtlpTracerOptions {
  std::string endpoint = "http://localhost:4318/v1/traces";  // https, too.
  std::map<std::string, std::string> headers = {};
  std::string service_name = "chimera";
  SpanAttributes resource_attributes = {};
  double sampled_share = 1;  // 0 to 1, of the traces that begin here; others are as they came.
  // Spans are sent when there are so many, or so long after the first; what comes while so many
  // wait is dropped, counted and logged.
  std::size_t batch_size = 512, queue_size = 2048;
  std::chrono::milliseconds delay{5000};
  std::chrono::milliseconds timeout{10000};  // Of one report, tries that may pass included.
};

// What OpenTelemetry's variables say, the others as above: OTEL_EXPORTER_OTLP_ENDPOINT (/v1/traces
// is appended) or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS and _TIMEOUT (or
// _TRACES_...), OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER (_ARG),
// OTEL_BSP_SCHEDULE_DELAY, _MAX_QUEUE_SIZE and _MAX_EXPORT_BATCH_SIZE. Throws
// std::invalid_argument, naming the variable, for what cannot be read or is not had (protocol
// grpc).
OtlpTracerOptions otlp_options_from_environment();

// A tracer that sends what has ended by OTLP over HTTP (protobuf), from a thread of its own.
class OtlpTracer : public Tracer {
 public:
  // All that has ended is sent, or given up: true if all of it was taken.
  virtual bool flush(std::chrono::milliseconds timeout) = 0;
};

// Its end is a flush of at most OtlpTracerOptions::timeout. Throws std::invalid_argument.
std::shared_ptr<OtlpTracer> otlp_tracer(const OtlpTracerOptions& options = {});

struct TracingOptions {
  // Spans in workflows that were started without one, too (from a shell, by a schedule): they have
  // no parent, and of each worker that runs the workflow another trace.
  bool always_create_workflow_spans = false;
};

// Of a client: StartWorkflow:T, SignalWithStartWorkflow:T, SignalWorkflow:S, QueryWorkflow:Q,
// StartWorkflowUpdate:U and StartUpdateWithStartWorkflow:T, as long as the call. Of activities:
// RunActivity:A, as long as the attempt. Of Nexus handlers: RunStartNexusOperationHandler:S/O and
// RunCancelNexusOperationHandler:S/O. Of workflows, which may be replayed for years:
// RunWorkflow:T, CompleteWorkflow:T, HandleSignal:S, HandleQuery:Q, ValidateUpdate:U,
// HandleUpdate:U, StartActivity:A (local ones, too), StartChildWorkflow:T, StartNexusOperation:S/O,
// SignalChildWorkflow:S and SignalExternalWorkflow:S, each at one instant of the workflow's time,
// once, not in replay. Inside of workflows all have the span that started the workflow for their
// parent; handlers of signals and updates have a link to who sent them. Attributes:
// temporalWorkflowID, temporalRunID, temporalActivityID, temporalUpdateID.
std::shared_ptr<Interceptor> tracing_interceptor(std::shared_ptr<Tracer> tracer,
                                                 const TracingOptions& options = {});

// The span that the code is part of: the parent of what it starts. For spans of your own in
// activities and around calls of clients:
//   const auto span = tracer->start_span("charge", {.parent = chimera::current_span()});
//   const chimera::ContextScope scope(chimera::with_span(span->context()));
std::optional<SpanContext> current_span();
// The code's context with another span.
Context with_span(const SpanContext& span);

}  // namespace chimera

#endif  // CHIMERA_OPENTELEMETRY_H_
