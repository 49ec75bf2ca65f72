package parity;

import static parity.Bench.id;
import static parity.Bench.runId;

import io.grpc.Status;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.enums.v1.ResetReapplyExcludeType;
import io.temporal.api.enums.v1.WorkflowTaskFailedCause;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.api.workflowservice.v1.ResetStickyTaskQueueRequest;
import io.temporal.api.workflowservice.v1.ResetWorkflowExecutionRequest;
import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowNotFoundException;
import io.temporal.client.WorkflowStub;
import io.temporal.client.WorkflowTargetOptions;
import io.temporal.common.WorkflowExecutionHistory;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TerminatedFailure;
import io.temporal.testing.WorkflowReplayer;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerFactoryOptions;
import io.temporal.worker.WorkflowImplementationOptions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** How runs end, follow each other, and survive their worker. */
final class LifecycleScenarios {
  static final Map<String, Bench.Scenario> ALL = new LinkedHashMap<>();

  private static final long STOP_MS = 3000;
  private static final int LONG = 1200;

  static {
    ALL.put("workflow_cancel", LifecycleScenarios::workflowCancel);
    ALL.put("workflow_terminate", LifecycleScenarios::workflowTerminate);
    ALL.put("cancellation_scopes", LifecycleScenarios::cancellationScopes);
    ALL.put("timers", LifecycleScenarios::timers);
    ALL.put("task_failure", LifecycleScenarios::taskFailure);
    ALL.put("continue_as_new", LifecycleScenarios::continueAsNew);
    ALL.put("chain_ids", LifecycleScenarios::chainIds);
    ALL.put("continue_as_other", LifecycleScenarios::continueAsOther);
    ALL.put("reset", LifecycleScenarios::reset);
    ALL.put("sticky_cache_lost", LifecycleScenarios::stickyCacheLost);
    ALL.put("no_cache", LifecycleScenarios::noCache);
    ALL.put("long_history", LifecycleScenarios::longHistory);
    ALL.put("worker_stops_at_once", LifecycleScenarios::workerStopsAtOnce);
  }

  private LifecycleScenarios() {}

  static String workflowCancel(Bench b) {
    WorkflowStub run = b.start("cleansUp");
    run.cancel("no longer wanted");
    WorkflowFailedException failure =
        b.failsAs("result", WorkflowFailedException.class, "", () -> run.getResult(Void.class));
    if (!(failure.getCause() instanceof CanceledFailure)) {
      throw new Wrong("ended with " + Bench.chain(failure));
    }
    b.expect("status", b.status(id(run)), "CANCELED");
    b.expect("clean-up", b.events(run, "ACTIVITY_TASK_COMPLETED"), List.of("ACTIVITY_TASK_COMPLETED"));
    var request = b.event(run, HistoryEvent::hasWorkflowExecutionCancelRequestedEventAttributes);
    b.expect("reason", request.getWorkflowExecutionCancelRequestedEventAttributes().getCause(), "no longer wanted");
    run.cancel(); // Of a closed one: nothing happens.
    b.failsAs("nobody", WorkflowNotFoundException.class, "", () -> b.run(b.newId()).cancel());
    return "cleaned up by an activity, then cancelled";
  }

  static String workflowTerminate(Bench b) {
    WorkflowStub run = b.start("cleansUp");
    run.terminate("no longer wanted", "a detail");
    WorkflowFailedException failure =
        b.failsAs("result", WorkflowFailedException.class, "no longer wanted", () -> run.getResult(Void.class));
    if (!(failure.getCause() instanceof TerminatedFailure)) {
      throw new Wrong("ended with " + Bench.chain(failure));
    }
    List<HistoryEvent> events = b.history(id(run));
    var end = events.get(events.size() - 1).getWorkflowExecutionTerminatedEventAttributes();
    b.expect("reason and detail", List.of(end.getReason(), end.getDetails().getPayloads(0).getData().toStringUtf8()),
        List.of("no longer wanted", "\"a detail\""));
    b.expect("status", b.status(id(run)), "TERMINATED");
    b.failsAs("again", WorkflowNotFoundException.class, "", () -> run.terminate(""));
    return "terminated: " + end.getReason();
  }

  static String cancellationScopes(Bench b) throws Exception {
    WorkflowStub run = b.start("scopes");
    b.eventually("timers", 4, () -> b.events(run, "TIMER_STARTED").size());
    run.cancel("enough of all");
    // The SDK ends a workflow as cancelled that returns after the request.
    b.failsAs("result", WorkflowFailedException.class, "CanceledFailure", () -> run.getResult(Void.class));
    List<?> seen = run.query("seen", List.class);
    b.expect("scopes", seen, List.of("open cancelled", "inner cancelled", "detached ended", "root cancelled",
        "true: enough of all"));
    return seen.toString();
  }

  static String timers(Bench b) {
    WorkflowStub run = b.start("timers");
    b.expect("time passed", run.getResult(String.class), "late");
    b.expect("events", b.events(run, "TIMER"), List.of("TIMER_STARTED", "TIMER_STARTED", "TIMER_FIRED",
        "TIMER_CANCELED", "TIMER_STARTED", "TIMER_FIRED"));
    HistoryEvent first = b.event(run, HistoryEvent::hasTimerStartedEventAttributes);
    b.expect("summary", first.getUserMetadata().getSummary().getData().toStringUtf8(), "\"never fires\"");
    return "200 ms, never early; the other one cancelled";
  }

  /** Code that throws what is no failure: its task fails, again and again, until there is better code. */
  static String taskFailure(Bench b) throws Exception {
    WorkflowStub run = b.startUnkept(b.options(), "hasABug");
    b.eventually("failed task", 1, () -> b.events(run, "WORKFLOW_TASK_FAILED").size());
    var failed = b.event(run, HistoryEvent::hasWorkflowTaskFailedEventAttributes)
        .getWorkflowTaskFailedEventAttributes();
    b.expect("cause", failed.getCause(),
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE);
    b.contains("failure", failed.getFailure().toString(), "a bug of the program");
    b.eventually("attempt", true,
        () -> b.describe(id(run)).getRawDescription().getPendingWorkflowTask().getAttempt() > 1);
    b.expect("status", b.status(id(run)), "RUNNING");
    run.terminate("no longer wanted");
    // Where the worker says that such exceptions are failures, they end the workflow.
    String queue = b.newId();
    WorkerFactory factory = WorkerFactory.newInstance(b.client());
    Worker worker = factory.newWorker(queue);
    worker.registerWorkflowImplementationTypes(WorkflowImplementationOptions.newBuilder()
        .setFailWorkflowExceptionTypes(IllegalStateException.class).build(), LifecycleWorkflows.HasABugImpl.class);
    factory.start();
    try {
      b.failsAs("result", WorkflowFailedException.class, "a bug of the program",
          () -> b.startUnkept(b.options().setTaskQueue(queue), "hasABug").getResult(Void.class));
      return "failed, tried again; elsewhere a failure of the workflow";
    } finally {
      Bench.stop(factory);
    }
  }

  static String continueAsNew(Bench b) {
    WorkflowStub run = b.start(b.options().setMemo(Map.of("kept", "yes")), "countdown", 2, List.of());
    List<String> runs = ((List<?>) run.getResult(List.class)).stream().map(Object::toString).toList();
    b.expect("runs", runs.size(), 3);
    b.expect("statuses", runs.stream().map(each -> b.status(id(run), each)).toList(),
        List.of("CONTINUED_AS_NEW", "CONTINUED_AS_NEW", "COMPLETED"));
    b.keep(WorkflowExecution.newBuilder().setWorkflowId(id(run)).setRunId(runs.get(2)).build());
    var started = b.started(id(run), runs.get(2)).getWorkflowExecutionStartedEventAttributes();
    b.expect("chain", List.of(started.getContinuedExecutionRunId(), started.getFirstExecutionRunId()),
        List.of(runs.get(1), runs.get(0)));
    // The SDK carries no memo to the next run unless it is told to.
    b.expect("memo", b.describe(id(run)).getMemo("kept", String.class), null);
    return "three runs, result followed";
  }

  static String continueAsOther(Bench b) throws Exception {
    Attributes.add(b);
    WorkflowStub run = b.start(b.options().setMemo(Map.of("step", "first"))
        .setWorkflowRunTimeout(Duration.ofSeconds(50)), "changes");
    b.expect("what the next run was told", run.getResult(List.class),
        List.of("argument", "changed", "second", "green", 90));
    var next = b.describe(id(run));
    b.expect("description", List.of(next.getWorkflowType(), next.getMemo("step", String.class),
        next.getTypedSearchAttributes().get(Workflows.COLOUR)), List.of("changed", "second", "green"));
    return "another type, memo, attribute and timeout";
  }

  /** A stub may mean a chain of runs: its later runs, not another chain under the same id. */
  static String chainIds(Bench b) throws Exception {
    WorkflowStub first = b.start("moves");
    String id = id(first);
    b.eventually("type", "messages", () -> b.describe(id).getWorkflowType());
    WorkflowStub ofFirst = b.client().newUntypedWorkflowStub(WorkflowTargetOptions.newBuilder().setWorkflowId(id)
        .setFirstExecutionRunId(runId(first)).build());
    ofFirst.update("append", Integer.class, "moved");
    ofFirst.cancel();
    b.failsAs("result", WorkflowFailedException.class, "CanceledFailure", () -> ofFirst.getResult(List.class));
    WorkflowStub second = b.start(b.options().setWorkflowId(id), "moves");
    b.eventually("type", "messages", () -> b.describe(id).getWorkflowType());
    b.failsAs("cancel of the first chain", WorkflowNotFoundException.class, "", ofFirst::cancel);
    b.failsAs("termination of the first chain", WorkflowNotFoundException.class, "", () -> ofFirst.terminate(""));
    b.failsAs("update of the first chain", WorkflowNotFoundException.class, "",
        () -> ofFirst.update("append", Integer.class, "lost"));
    b.expect("the second chain", b.status(id), "RUNNING");
    b.run(id).terminate("no longer wanted");
    return "cancelled and terminated by its own stub alone, run " + second.getExecution().getRunId();
  }

  private static String resetTo(Bench b, WorkflowExecution run, long event, ResetReapplyExcludeType... without) {
    String runId = b.service().resetWorkflowExecution(ResetWorkflowExecutionRequest.newBuilder()
        .setNamespace("default").setWorkflowExecution(run).setReason("try again").setRequestId(b.newId())
        .setWorkflowTaskFinishEventId(event).addAllResetReapplyExcludeTypes(List.of(without)).build()).getRunId();
    b.keep(run.toBuilder().setRunId(runId).build());
    return runId;
  }

  /** Back to the first workflow task: signals and updates after it are applied again, or left out. */
  static String reset(Bench b) {
    WorkflowStub run = b.start("messages");
    String id = id(run);
    b.expect("update", run.update("append", Integer.class, "first"), 1);
    run.signal("add", "second");
    String again = resetTo(b, run.getExecution(), 4);
    b.expect("base", b.status(id, runId(run)), "TERMINATED");
    b.run(id, again).signal("end");
    b.expect("words after the reset", b.run(id, again).getResult(List.class), List.of("first", "second"));
    String without = resetTo(b, run.getExecution().toBuilder().setRunId(again).build(), 4,
        ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL);
    b.expect("a closed base", b.status(id, again), "COMPLETED");
    b.run(id, without).signal("end");
    b.expect("words without signals", b.run(id, without).getResult(List.class), List.of("first"));
    b.refuses("to no task", Status.Code.INVALID_ARGUMENT, "", () -> resetTo(b, run.getExecution(), 2));
    return "an open run terminated, a closed one left; signal and update applied again, then the update alone";
  }

  /** The first worker goes away, then its cache: the next one replays from the beginning. */
  static String stickyCacheLost(Bench b) throws Exception {
    String queue = b.newId();
    WorkflowStub run = b.withWorker(queue, () -> {
      WorkflowStub started = b.start(b.options().setTaskQueue(queue), "messages");
      started.update("appendEcho", String.class, "before");
      return started;
    });
    return b.withWorker(queue, () -> {
      b.expect("after the restart", run.query("text", String.class, "+"), "before");
      run.update("appendEcho", String.class, "after");
      b.service().resetStickyTaskQueue(ResetStickyTaskQueueRequest.newBuilder().setNamespace("default")
          .setExecution(run.getExecution()).build());
      b.expect("without its sticky queue", run.query("text", String.class, "+"), "before+after");
      run.signal("end");
      b.expect("words", run.getResult(List.class), List.of("before", "after"));
      return "two workers and a lost sticky queue, one state";
    });
  }

  static String noCache(Bench b) throws Exception {
    String queue = b.newId();
    WorkerFactoryOptions.Builder options = WorkerFactoryOptions.newBuilder().setWorkflowCacheSize(0);
    return b.withWorker(queue, options, () -> {
      WorkflowStub run = b.start(b.options().setTaskQueue(queue), "messages");
      for (String word : List.of("a", "b")) {
        run.update("appendEcho", String.class, word);
      }
      b.expect("query", run.query("text", String.class, "+"), "a+b");
      run.signal("end");
      b.expect("words", run.getResult(List.class), List.of("a", "b"));
      return "every task replayed";
    });
  }

  /** More events than a page holds, for a worker that has seen none of them. */
  static String longHistory(Bench b) throws Exception {
    String queue = b.newId();
    WorkflowStub run = b.start(b.options().setTaskQueue(queue), "messages");
    IntStream.range(0, LONG).parallel().forEach(i -> run.signal("add", "."));
    String text = ".".repeat(LONG);
    b.withWorker(queue, () -> {
      b.expect("text", run.query("text", String.class, ""), text);
      return null;
    });
    return b.withWorker(queue, () -> {
      b.expect("text of a replay", run.query("text", String.class, ""), text);
      run.signal("end");
      b.expect("words", run.getResult(List.class).size(), LONG);
      b.expect("signals in the history", b.events(run, "SIGNALED").size(), LONG + 1);
      return LONG + " signals, taken at once and replayed";
    });
  }

  static String workerStopsAtOnce(Bench b) throws Exception {
    String queue = b.newId();
    WorkerFactory factory = b.worker(queue, WorkerFactoryOptions.newBuilder());
    WorkflowStub run = b.start(b.options().setTaskQueue(queue), "messages");
    run.update("append", Integer.class, "seen");
    long begun = System.nanoTime();
    Bench.stop(factory);
    long took = Duration.ofNanos(System.nanoTime() - begun).toMillis();
    if (took > STOP_MS) {
      throw new Wrong("an idle worker took %d ms to stop".formatted(took));
    }
    // What comes while nobody is there waits for the next worker, though the sticky queue is gone.
    run.signal("end");
    return b.withWorker(queue, () -> {
      b.expect("words", run.getResult(List.class), List.of("seen"));
      return "within 3 s; its workflow goes on with the next worker";
    });
  }

  /** Sends every history that the scenarios left through the official replayer, and a wrong one. Runs last. */
  static String replay(Bench b) throws Exception {
    int replayed = 0;
    WorkflowExecutionHistory ofTimers = null;
    for (WorkflowExecution run : b.runs()) {
      WorkflowExecutionHistory history = b.client().fetchHistory(run.getWorkflowId(), run.getRunId());
      // The replayer takes no history that was ended from outside.
      if (history.getLastEvent().hasWorkflowExecutionTerminatedEventAttributes()) {
        continue;
      }
      try {
        WorkflowReplayer.replayWorkflowExecution(history, Workflows.ALL[0],
            java.util.Arrays.copyOfRange(Workflows.ALL, 1, Workflows.ALL.length));
      } catch (Exception | Error failure) {
        throw new Wrong(run.getWorkflowId() + ": " + Bench.chain(failure));
      }
      replayed++;
      ofTimers = run.getWorkflowId().startsWith("timers") ? history : ofTimers;
    }
    b.expect("there is a history to replay", replayed > 0, true);
    if (ofTimers != null) {
      String other = ofTimers.toJson(false).replace("\"timers\"", "\"cleansUp\"");
      b.failsAs("another program", Throwable.class, "onDeterministic", () ->
          WorkflowReplayer.replayWorkflowExecution(other, LifecycleWorkflows.CleansUpImpl.class));
    }
    return replayed + " histories, and another program's refused";
  }
}
