package parity;

import static parity.Bench.id;
import static parity.Bench.runId;

import io.grpc.Status;
import io.temporal.api.enums.v1.QueryRejectCondition;
import io.temporal.api.enums.v1.WorkflowIdConflictPolicy;
import io.temporal.api.enums.v1.WorkflowIdReusePolicy;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.api.sdk.v1.WorkflowMetadata;
import io.temporal.client.UpdateOptions;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.WorkflowExecutionAlreadyStarted;
import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowNotFoundException;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowQueryConditionallyRejectedException;
import io.temporal.client.WorkflowQueryException;
import io.temporal.client.WorkflowStub;
import io.temporal.client.WorkflowUpdateException;
import io.temporal.client.WorkflowUpdateHandle;
import io.temporal.client.WorkflowUpdateStage;
import io.temporal.failure.CanceledFailure;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Signals, queries and updates. */
final class MessageScenarios {
  static final Map<String, Bench.Scenario> ALL = new LinkedHashMap<>();

  private static final Object[] NO_ARGS = {};

  static {
    ALL.put("signal", MessageScenarios::signal);
    ALL.put("signals_before_worker", MessageScenarios::signalsBeforeWorker);
    ALL.put("signal_with_start", MessageScenarios::signalWithStart);
    ALL.put("external_signal_and_cancel", MessageScenarios::externalSignalAndCancel);
    ALL.put("query", MessageScenarios::query);
    ALL.put("query_reject_conditions", MessageScenarios::queryRejectConditions);
    ALL.put("update_accepted", MessageScenarios::updateAccepted);
    ALL.put("update_rejected", MessageScenarios::updateRejected);
    ALL.put("update_with_activity", MessageScenarios::updateWithActivity);
    ALL.put("update_failing", MessageScenarios::updateFailing);
    ALL.put("update_of_closing_workflow", MessageScenarios::updateOfClosingWorkflow);
    ALL.put("update_with_start", MessageScenarios::updateWithStart);
    ALL.put("dynamic_handlers", MessageScenarios::dynamicHandlers);
  }

  private MessageScenarios() {}

  static String signal(Bench b) {
    WorkflowStub run = b.start("messages");
    run.signal("add", "one");
    run.signal("addTimes", "two", 2);
    run.signal("end");
    b.expect("words", run.getResult(List.class), List.of("one", "two", "two"));
    b.failsAs("to a closed workflow", WorkflowNotFoundException.class, "", () -> run.signal("add", "late"));
    b.failsAs("to nobody", WorkflowNotFoundException.class, "", () -> b.run(b.newId()).signal("add", "lost"));
    return "in order, several arguments, then not found";
  }

  /** What is sent before there is a worker, is there when it comes. */
  static String signalsBeforeWorker(Bench b) throws Exception {
    String queue = b.newId();
    WorkflowStub run = b.start(b.options().setTaskQueue(queue), "messages");
    for (String word : List.of("one", "two", "three")) {
      run.signal("add", word);
    }
    run.signal("end");
    return b.withWorker(queue, () -> {
      b.expect("words", run.getResult(List.class), List.of("one", "two", "three"));
      b.expect("tasks", b.events(run, "WORKFLOW_TASK"),
          List.of("WORKFLOW_TASK_SCHEDULED", "WORKFLOW_TASK_STARTED", "WORKFLOW_TASK_COMPLETED"));
      return "four signals, one task";
    });
  }

  private static String signalWithStart(Bench b, WorkflowOptions options, String word) {
    return b.client().newUntypedWorkflowStub("messages", options)
        .signalWithStart("add", new Object[] {word}, NO_ARGS).getRunId();
  }

  static String signalWithStart(Bench b) {
    String id = b.newId();
    WorkflowOptions options = b.options().setWorkflowId(id).setMemo(Map.of("kept", "yes")).build();
    String first = signalWithStart(b, options, "new");
    b.expect("runs", signalWithStart(b, options, "again"), first);
    WorkflowStub run = b.run(id);
    run.signal("end");
    b.expect("words", run.getResult(List.class), List.of("new", "again"));
    b.keep(b.describe(id).getExecution());
    b.expect("memo", b.describe(id).getMemo("kept", String.class), "yes");
    WorkflowOptions never = WorkflowOptions.newBuilder(options).setWorkflowIdReusePolicy(
        WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE).build();
    b.failsAs("never again", WorkflowExecutionAlreadyStarted.class, "", () -> signalWithStart(b, never, "x"));
    String third = signalWithStart(b, options, "third");
    signalWithStart(b, WorkflowOptions.newBuilder(options).setWorkflowIdConflictPolicy(
        WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING).build(), "fourth");
    WorkflowStub fourth = b.run(id);
    fourth.signal("end");
    b.expect("words of the new run", fourth.getResult(List.class), List.of("fourth"));
    b.expect("the replaced run", b.status(id, third), "TERMINATED");
    return "a new run, the same run, refused, replaced";
  }

  static String externalSignalAndCancel(Bench b) {
    WorkflowStub target = b.start("messages");
    b.expect("caller", b.start("caller", id(target)).getResult(String.class), "nobody there");
    WorkflowFailedException failure =
        b.failsAs("target", WorkflowFailedException.class, "", () -> target.getResult(List.class));
    if (!(failure.getCause() instanceof CanceledFailure)) {
      throw new Wrong("the target ended with " + Bench.chain(failure));
    }
    b.expect("status", b.status(id(target)), "CANCELED");
    b.expect("words", target.query("text", String.class, "+"), "from outside");
    var request = b.event(target, HistoryEvent::hasWorkflowExecutionCancelRequestedEventAttributes);
    b.expect("reason", request.getWorkflowExecutionCancelRequestedEventAttributes().getCause(), "no longer needed");
    b.expect("cancelled signal", b.start("cancelsSignal").getResult(String.class), "CanceledFailure");
    return "delivered, with a reason; unknown ones told; one cancelled";
  }

  static String query(Bench b) {
    WorkflowStub run = b.start("messages");
    run.signal("add", "a");
    run.signal("add", "b");
    b.expect("running", run.query("text", String.class, "+"), "a+b");
    b.failsAs("failing query", WorkflowQueryException.class, "this query always fails",
        () -> run.query("broken", String.class));
    b.failsAs("unknown query", WorkflowQueryException.class, "noSuchQuery",
        () -> run.query("noSuchQuery", String.class));
    List<String> before = b.events(run);
    run.query("text", String.class, "+");
    b.expect("events after a query", b.events(run), before);
    b.contains("stack trace", run.query("__stack_trace", String.class), "MessagesImpl");
    WorkflowMetadata metadata = run.query("__temporal_workflow_metadata", WorkflowMetadata.class);
    b.expect("type", metadata.getDefinition().getType(), "messages");
    run.signal("end");
    run.getResult(List.class);
    b.expect("closed", b.run(id(run), runId(run)).query("text", String.class, "-"), "a-b");
    b.failsAs("nobody", WorkflowNotFoundException.class, "", () -> b.run(b.newId()).query("text", String.class, "-"));
    return "running a+b, closed a-b, failing and unknown ones refused";
  }

  static String queryRejectConditions(Bench b) {
    WorkflowStub open = b.start("messages");
    WorkflowStub done = b.start("echo", "x");
    done.getResult(String.class);
    WorkflowStub broken = b.start("fails", "x");
    b.failsAs("result", WorkflowFailedException.class, "", () -> broken.getResult(Void.class));
    List<String> seen = new ArrayList<>();
    for (QueryRejectCondition condition : List.of(QueryRejectCondition.QUERY_REJECT_CONDITION_NONE,
        QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_OPEN,
        QueryRejectCondition.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY)) {
      WorkflowClient client = WorkflowClient.newInstance(b.client().getWorkflowServiceStubs(),
          WorkflowClientOptions.newBuilder().setQueryRejectCondition(condition).build());
      for (WorkflowStub run : List.of(open, done, broken)) {
        try {
          client.newUntypedWorkflowStub(id(run)).query("__stack_trace", String.class);
          seen.add("answered");
        } catch (WorkflowQueryConditionallyRejectedException rejected) {
          seen.add(Bench.without(rejected.getWorkflowExecutionStatus().name(), "WORKFLOW_EXECUTION_STATUS_"));
        }
      }
    }
    b.expect("open, completed, failed", seen, List.of("answered", "answered", "answered", "answered", "COMPLETED",
        "FAILED", "answered", "answered", "FAILED"));
    return String.join(", ", seen);
  }

  private static <R> UpdateOptions<R> update(String name, String id, Class<R> type, WorkflowUpdateStage stage) {
    return UpdateOptions.newBuilder(type).setUpdateName(name).setUpdateId(id).setWaitForStage(stage).build();
  }

  static String updateAccepted(Bench b) {
    WorkflowStub run = b.start("messages");
    UpdateOptions<Integer> options = update("append", "u1", Integer.class, WorkflowUpdateStage.COMPLETED);
    b.expect("result", run.startUpdate(options, "one").getResult(), 1);
    b.expect("same id again", run.startUpdate(options, "one").getResult(), 1);
    b.expect("text", run.query("text", String.class, "+"), "one");
    // Accepted is not completed.
    WorkflowUpdateHandle<String> waiting =
        run.startUpdate(update("waitForEnd", "u2", String.class, WorkflowUpdateStage.ACCEPTED));
    b.expect("events", b.events(run, "UPDATE"), List.of("WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
        "WORKFLOW_EXECUTION_UPDATE_COMPLETED", "WORKFLOW_EXECUTION_UPDATE_ACCEPTED"));
    run.signal("end");
    b.expect("later", waiting.getResult(), "ended");
    run.getResult(List.class);
    b.expect("after the end", run.getUpdateHandle("u1", Integer.class).getResult(), 1);
    b.refuses("unknown update", Status.Code.NOT_FOUND, "u3",
        () -> run.getUpdateHandle("u3", Integer.class).getResult());
    b.failsAs("of a closed workflow", WorkflowNotFoundException.class, "",
        () -> run.update("append", Integer.class, "late"));
    return "completed once, known by its id, also after the end";
  }

  static String updateRejected(Bench b) throws Exception {
    WorkflowStub run = b.start("messages");
    b.eventually("first task", 1, () -> b.events(run, "WORKFLOW_TASK_COMPLETED").size());
    List<String> before = b.events(run);
    WorkflowUpdateException failure = b.failsAs("update", WorkflowUpdateException.class, "an empty word",
        () -> run.update("append", Integer.class, ""));
    String saw = Workflows.describeFailure(failure.getCause());
    b.contains("failure", saw, "/an empty word/false"); // The SDK wraps what a validator throws in a type of its own.
    b.expect("events after a rejection", b.events(run), before);
    b.failsAs("unknown update", WorkflowUpdateException.class, "noSuchUpdate",
        () -> run.update("noSuchUpdate", Integer.class));
    return saw + ", no trace in the history";
  }

  static String updateWithActivity(Bench b) {
    WorkflowStub run = b.start("messages");
    b.expect("result", run.update("appendEcho", String.class, "deep"), "deep");
    b.expect("events", b.events(run, "UPDATE", "ACTIVITY"), List.of("WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
        "ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_COMPLETED",
        "WORKFLOW_EXECUTION_UPDATE_COMPLETED"));
    return "accepted, ran an activity, completed";
  }

  static String updateFailing(Bench b) {
    WorkflowStub run = b.start("messages");
    WorkflowUpdateHandle<Void> handle =
        run.startUpdate(update("failLater", b.newId(), Void.class, WorkflowUpdateStage.ACCEPTED));
    WorkflowUpdateException failure =
        b.failsAs("update", WorkflowUpdateException.class, "accepted, then failed", handle::getResult);
    String saw = Workflows.describeFailure(failure.getCause());
    b.expect("failure", saw, "TooLate/accepted, then failed/false");
    b.expect("status", b.status(id(run)), "RUNNING");
    return saw + ", the workflow runs on";
  }

  static String updateOfClosingWorkflow(Bench b) {
    WorkflowStub run = b.start("leavesUpdate");
    WorkflowUpdateException failure =
        b.failsAs("update", WorkflowUpdateException.class, "", () -> run.update("never", Void.class));
    String saw = Workflows.describeFailure(failure.getCause());
    b.contains("failure", saw, "AcceptedUpdateCompletedWorkflow/");
    run.getResult(Void.class);
    return saw;
  }

  static String updateWithStart(Bench b) {
    String id = b.newId();
    WorkflowOptions existing = b.options().setWorkflowId(id).setWorkflowIdConflictPolicy(
        WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING).build();
    WorkflowOptions fail = WorkflowOptions.newBuilder(existing).setWorkflowIdConflictPolicy(
        WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL).build();
    b.expect("new", append(b, existing, "one"), 1);
    var first = b.describe(id).getExecution();
    b.keep(first);
    b.expect("existing", append(b, existing, "two"), 2);
    b.expect("the same run", b.describe(id).getExecution(), first);
    b.failsAs("rejected", WorkflowUpdateException.class, "an empty word", () -> append(b, existing, ""));
    b.refuses("taken", Status.Code.ALREADY_EXISTS, "already running", () -> append(b, fail, "three"));
    WorkflowUpdateHandle<String> waiting = b.client().newUntypedWorkflowStub("messages", existing)
        .startUpdateWithStart(update("waitForEnd", b.newId(), String.class, WorkflowUpdateStage.ACCEPTED), NO_ARGS,
            NO_ARGS);
    b.run(id).signal("end");
    b.expect("accepted first", waiting.getResult(), "ended");
    b.expect("after the end", append(b, existing, "new"), 1);
    return "a new run, the same run, rejected, refused, accepted, another new run";
  }

  private static int append(Bench b, WorkflowOptions options, String word) {
    return b.client().newUntypedWorkflowStub("messages", options).executeUpdateWithStart(
        update("append", b.newId(), Integer.class, WorkflowUpdateStage.COMPLETED), new Object[] {word}, NO_ARGS);
  }

  static String dynamicHandlers(Bench b) throws Exception {
    WorkflowStub run = b.start("dynamic");
    b.eventually("first task", 1, () -> b.events(run, "WORKFLOW_TASK_COMPLETED").size());
    run.signal("any", 1);
    b.expect("update", run.update("other", Integer.class, "x"), 2);
    b.expect("query", run.query("what", String.class, 3), "what(3) after [any(1), other(x)]");
    run.signal("end");
    b.expect("heard", run.getResult(List.class), List.of("any(1)", "other(x)", "end()"));
    return "a signal, an update and a query of any name";
  }
}
