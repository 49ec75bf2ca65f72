package parity;

import static parity.Bench.id;
import static parity.Bench.runId;
import static parity.Workflows.describeFailure;

import io.grpc.Status;
import io.temporal.api.enums.v1.ContinueAsNewInitiator;
import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.api.enums.v1.WorkflowIdReusePolicy;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowExecutionAlreadyStarted;
import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.common.Priority;
import io.temporal.common.RetryOptions;
import io.temporal.common.SearchAttributeKey;
import io.temporal.common.SearchAttributes;
import io.temporal.failure.TerminatedFailure;
import io.temporal.failure.TimeoutFailure;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;

/** How runs start: options, policies for their ids, delays, retries, cron. */
final class StartScenarios {
  static final Map<String, Bench.Scenario> ALL = new LinkedHashMap<>();

  static {
    ALL.put("start_options", StartScenarios::startOptions);
    ALL.put("refused_starts", StartScenarios::refusedStarts);
    ALL.put("start_delay", StartScenarios::startDelay);
    ALL.put("start_request_id", StartScenarios::startRequestId);
    ALL.put("id_reuse_policies", StartScenarios::idReusePolicies);
    ALL.put("id_conflict_policies", StartScenarios::idConflictPolicies);
    ALL.put("workflow_retry", StartScenarios::workflowRetry);
    ALL.put("workflow_timeouts", StartScenarios::workflowTimeouts);
    ALL.put("cron", StartScenarios::cron);
    ALL.put("eager_start", StartScenarios::eagerStart);
    ALL.put("workflow_failure", StartScenarios::workflowFailure);
  }

  private StartScenarios() {}

  static String startOptions(Bench b) throws Exception {
    Attributes.add(b);
    SearchAttributes attributes = SearchAttributes.newBuilder().set(Workflows.COLOUR, "red").set(Workflows.SIZE, 42L)
        .set(Attributes.WEIGHT, 1.5).set(Attributes.FRESH, true)
        .set(Attributes.WHEN, OffsetDateTime.parse("2026-02-03T04:05:06.789Z"))
        .set(Attributes.TAGS, List.of("a", "b")).set(Attributes.STORY, "once upon a time").build();
    WorkflowStub run = b.start(b.options().setMemo(Map.of("kept", "yes")).setTypedSearchAttributes(attributes)
        .setStaticSummary("a summary").setStaticDetails("some *details*")
        .setPriority(Priority.newBuilder().setPriorityKey(2).build())
        .setRetryOptions(RetryOptions.newBuilder().setMaximumAttempts(3).build())
        .setWorkflowRunTimeout(Duration.ofSeconds(50)).setWorkflowExecutionTimeout(Duration.ofSeconds(100))
        .setWorkflowTaskTimeout(Duration.ofSeconds(9)), "tellsInfo");
    Map<?, ?> told = run.getResult(Map.class);
    Map<String, Object> wanted = Map.ofEntries(Map.entry("type", "tellsInfo"), Map.entry("queue", b.queue()),
        Map.entry("attempt", 1), Map.entry("namespace", "default"), Map.entry("first", runId(run)),
        Map.entry("memo", "yes"), Map.entry("runTimeout", 50), Map.entry("executionTimeout", 100),
        Map.entry("retry", 3), Map.entry("priority", 2), Map.entry("parent", ""), Map.entry("root", id(run)));
    for (Map.Entry<String, Object> each : wanted.entrySet()) {
      if (!each.getKey().equals("root")) { // Of a workflow without a parent; servers differ.
        b.expect("told " + each.getKey(), told.get(each.getKey()), each.getValue());
      }
    }
    var description = b.describe(id(run));
    b.expect("attributes", description.getTypedSearchAttributes().get(Attributes.WHEN),
        attributes.get(Attributes.WHEN));
    for (SearchAttributeKey<?> key : attributes.getUntypedValues().keySet()) {
      b.expect("attribute " + key.getName(), description.getTypedSearchAttributes().get(key), attributes.get(key));
    }
    b.expect("memo", description.getMemo("kept", String.class), "yes");
    b.expect("summary and details", List.of(description.getStaticSummary(), description.getStaticDetails()),
        List.of("a summary", "some *details*"));
    var info = description.getRawDescription();
    b.expect("priority and task timeout", List.of(info.getWorkflowExecutionInfo().getPriority().getPriorityKey(),
        info.getExecutionConfig().getDefaultWorkflowTaskTimeout().getSeconds()), List.of(2, 9L));
    return "told to the workflow and to those who describe it";
  }

  static String refusedStarts(Bench b) {
    b.refuses("an unknown attribute", Status.Code.INVALID_ARGUMENT, "ParityUnknown",
        () -> b.start(b.options().setTypedSearchAttributes(SearchAttributes.newBuilder()
            .set(SearchAttributeKey.forLong("ParityUnknown"), 1L).build()), "echo", "x"));
    b.refuses("a cron schedule that is none", Status.Code.INVALID_ARGUMENT, "nvalid CronSchedule",
        () -> b.start(b.options().setCronSchedule("whenever"), "echo", "x"));
    b.refuses("a delay with a cron schedule", Status.Code.INVALID_ARGUMENT, "CronSchedule and WorkflowStartDelay",
        () -> b.start(b.options().setCronSchedule("@every 1h").setStartDelay(Duration.ofSeconds(1)), "echo", "x"));
    return b.refuses("an id that is too long", Status.Code.INVALID_ARGUMENT, "length",
        () -> b.start(b.options().setWorkflowId("x".repeat(1001)), "echo", "x"));
  }

  static String startDelay(Bench b) {
    long begun = System.nanoTime();
    WorkflowStub delayed = b.start(b.options().setStartDelay(Duration.ofMillis(300)), "echo", "late");
    b.expect("result", delayed.getResult(String.class), "late");
    long took = Duration.ofNanos(System.nanoTime() - begun).toMillis();
    if (took < 300) {
      throw new Wrong("a delay of 300 ms took %d ms".formatted(took));
    }
    b.expect("delay in the history", b.started(id(delayed), runId(delayed))
        .getWorkflowExecutionStartedEventAttributes().getFirstWorkflowTaskBackoff().getNanos(), 300_000_000);
    // A signal waits, too.
    WorkflowStub signaled = b.start(b.options().setStartDelay(Duration.ofMillis(500)), "messages");
    signaled.signal("end");
    b.expect("words", signaled.getResult(List.class), List.of());
    Instant start = Bench.time(b.event(signaled, HistoryEvent::hasWorkflowExecutionStartedEventAttributes));
    Instant task = Bench.time(b.event(signaled, HistoryEvent::hasWorkflowTaskScheduledEventAttributes));
    if (task.isBefore(start.plusMillis(500))) {
      throw new Wrong("a signal ended the delay: started at %s, first task at %s".formatted(start, task));
    }
    return "waited 300 ms; a signal waited with another";
  }

  /** The same request again is the same run. */
  static String startRequestId(Bench b) {
    WorkflowOptions.Builder options = b.options().setRequestId(b.newId());
    WorkflowStub first = b.start(options, "messages");
    WorkflowStub again = b.startUnkept(options, "messages");
    b.expect("run", runId(again), runId(first));
    b.failsAs("another request", WorkflowExecutionAlreadyStarted.class, "",
        () -> b.start(options.setRequestId(b.newId()), "messages"));
    first.signal("end");
    first.getResult(List.class);
    b.expect("after its end", runId(b.startUnkept(b.options().setWorkflowId(id(first)), "echo", "x"))
        .equals(runId(first)), false);
    return "one run for a request that came twice";
  }

  static String idReusePolicies(Bench b) {
    WorkflowStub done = b.start("echo", "done");
    done.getResult(String.class);
    String id = id(done);
    b.failsAs("after a completed run", WorkflowExecutionAlreadyStarted.class, "", () -> b.start(b.options()
        .setWorkflowId(id).setWorkflowIdReusePolicy(
            WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY), "echo", "x"));
    b.failsAs("never again", WorkflowExecutionAlreadyStarted.class, "", () -> b.start(b.options().setWorkflowId(id)
        .setWorkflowIdReusePolicy(WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE), "echo", "x"));
    WorkflowStub second = b.start(b.options().setWorkflowId(id)
        .setWorkflowIdReusePolicy(WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE), "fails", "second");
    b.failsAs("the second", WorkflowFailedException.class, "", () -> second.getResult(Void.class));
    WorkflowStub third = b.start(b.options().setWorkflowId(id).setWorkflowIdReusePolicy(
        WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY), "messages");
    WorkflowStub fourth = b.start(b.options().setWorkflowId(id).setWorkflowIdReusePolicy(
        WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING), "echo", "fourth");
    b.expect("fourth", fourth.getResult(String.class), "fourth");
    List<String> statuses =
        List.of(done, second, third, fourth).stream().map(run -> b.status(id, runId(run))).toList();
    b.expect("statuses", statuses, List.of("COMPLETED", "FAILED", "TERMINATED", "COMPLETED"));
    return "four runs of one id, three refused or replaced";
  }

  static String idConflictPolicies(Bench b) {
    WorkflowStub run = b.start("messages");
    String id = id(run);
    b.failsAs("fail", WorkflowExecutionAlreadyStarted.class, "", () -> b.start(b.options().setWorkflowId(id)
        .setWorkflowIdConflictPolicy(WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL), "messages"));
    WorkflowStub same = b.startUnkept(b.options().setWorkflowId(id).setWorkflowIdConflictPolicy(
        WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING), "messages");
    b.expect("the existing run", runId(same), runId(run));
    WorkflowStub other = b.start(b.options().setWorkflowId(id).setWorkflowIdConflictPolicy(
        WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING), "messages");
    b.expect("the first run", b.status(id, runId(run)), "TERMINATED");
    other.signal("end");
    b.expect("the new run", other.getResult(List.class), List.of());
    return "refused, the same, replaced";
  }

  static String workflowRetry(Bench b) {
    RetryOptions retry = Workflows.soon().setMaximumAttempts(3).build();
    WorkflowStub run = b.start(b.options().setRetryOptions(retry), "failsUntil", 3, "NotYet");
    b.expect("result", run.getResult(Integer.class), 3);
    var last = b.describe(id(run)).getExecution();
    b.keep(last);
    b.expect("first attempt", b.status(id(run), runId(run)), "FAILED");
    if (last.getRunId().equals(runId(run))) {
      throw new Wrong("attempt 3 ran as attempt 1's run " + last.getRunId());
    }
    var started = b.started(id(run), last.getRunId()).getWorkflowExecutionStartedEventAttributes();
    b.expect("last failure", List.of(started.getAttempt(), started.getContinuedFailure().getMessage()),
        List.of(3, "not yet"));
    WorkflowFailedException spent = b.failsAs("out of attempts", WorkflowFailedException.class, "not yet", () ->
        b.start(b.options().setRetryOptions(retry), "failsUntil", 9, "NotYet").getResult(Integer.class));
    b.expect("retry state", spent.getRetryState().name(), "RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED");
    RetryOptions picky = Workflows.soon().setDoNotRetry("Final").build();
    WorkflowFailedException failure = b.failsAs("not to be retried", WorkflowFailedException.class, "not yet", () ->
        b.start(b.options().setRetryOptions(picky), "failsUntil", 3, "Final").getResult(Integer.class));
    b.expect("retry state", failure.getRetryState().name(), "RETRY_STATE_NON_RETRYABLE_FAILURE");
    return "attempt 3 in a run of its own; out of attempts; not to be retried";
  }

  static String workflowTimeouts(Bench b) {
    List<String> seen = new ArrayList<>();
    Duration second = Duration.ofSeconds(1);
    for (WorkflowOptions.Builder options : List.of(b.options().setWorkflowRunTimeout(second),
        b.options().setWorkflowExecutionTimeout(second),
        b.options().setWorkflowRunTimeout(second).setRetryOptions(Workflows.soon().setMaximumAttempts(2).build()))) {
      WorkflowStub run = b.start(options, "cleansUp");
      WorkflowFailedException failure =
          b.failsAs("timeout", WorkflowFailedException.class, "", () -> run.getResult(Void.class));
      if (!(failure.getCause() instanceof TimeoutFailure timeout)) {
        throw new Wrong("ended with " + Bench.chain(failure));
      }
      seen.add(Bench.without(timeout.getTimeoutType().name(), "TIMEOUT_TYPE_") + " "
          + Bench.without(failure.getRetryState().name(), "RETRY_STATE_"));
      b.expect("status", b.status(id(run)), "TIMED_OUT");
    }
    b.expect("timeouts", seen, List.of("START_TO_CLOSE RETRY_POLICY_NOT_SET", "START_TO_CLOSE TIMEOUT",
        "START_TO_CLOSE MAXIMUM_ATTEMPTS_REACHED"));
    return String.join(", ", seen);
  }

  /** Runs follow each other; the later ones know the last result and the last failure. */
  static String cron(Bench b) throws Exception {
    WorkflowStub run = b.start(b.options().setCronSchedule("@every 1s"), "counts");
    var result = run.getResultAsync(Integer.class);
    WorkflowStub fourth = b.run(id(run));
    b.eventually("what the fourth run knows", "2, then Third/no third/true",
        () -> fourth.query("seen", String.class));
    String last = b.describe(id(run)).getExecution().getRunId();
    fourth.terminate("seen enough");
    WorkflowFailedException failure = b.failsAs("the chain's result", WorkflowFailedException.class, "seen enough",
        () -> {
          try {
            result.get();
          } catch (ExecutionException wrapped) {
            throw (Exception) wrapped.getCause();
          }
        });
    if (!(failure.getCause() instanceof TerminatedFailure)) {
      throw new Wrong("the chain ended with " + Bench.chain(failure));
    }
    var started = b.started(id(run), last).getWorkflowExecutionStartedEventAttributes();
    b.expect("chain", List.of(started.getFirstExecutionRunId(), started.getCronSchedule(), started.getInitiator()),
        List.of(runId(run), "@every 1s", ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_CRON_SCHEDULE));
    b.expect("status of the first run", b.status(id(run), runId(run)), "COMPLETED");
    return "four runs: two results, a failure, and one that knows of them";
  }

  /** A worker of the same client gets the first task with the start's answer. */
  static String eagerStart(Bench b) {
    WorkflowStub run = b.start(b.options().setDisableEagerExecution(false), "echo", "eager");
    b.expect("result", run.getResult(String.class), "eager");
    b.expect("accepted", b.started(id(run), runId(run)).getWorkflowExecutionStartedEventAttributes()
        .getEagerExecutionAccepted(), true);
    WorkflowClient other = WorkflowClient.newInstance(b.client().getWorkflowServiceStubs());
    WorkflowStub without = b.with(other).start(b.options().setDisableEagerExecution(true), "echo", "not eager");
    without.getResult(String.class);
    b.expect("not asked for", b.started(id(without), runId(without)).getWorkflowExecutionStartedEventAttributes()
        .getEagerExecutionAccepted(), false);
    return "the first task came with the answer";
  }

  static String workflowFailure(Bench b) {
    WorkflowStub run = b.start("fails", "broken on purpose");
    WorkflowFailedException failure =
        b.failsAs("result", WorkflowFailedException.class, "broken on purpose", () -> run.getResult(Void.class));
    String saw = describeFailure(failure.getCause());
    b.expect("failure", saw, "Broken/broken on purpose/detail/7/true <- Root/the root/false");
    b.expect("status", b.status(id(run)), "FAILED");
    return saw + ", " + failure.getRetryState();
  }
}
