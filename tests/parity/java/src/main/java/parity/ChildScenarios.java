package parity;

import static parity.Bench.id;

import io.temporal.api.enums.v1.ParentClosePolicy;
import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowStub;
import io.temporal.workflow.ChildWorkflowCancellationType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Children: how they end, how they are cancelled, what becomes of them when their parent ends. */
final class ChildScenarios {
  static final Map<String, Bench.Scenario> ALL = new LinkedHashMap<>();

  static {
    ALL.put("child_workflow", ChildScenarios::childWorkflow);
    ALL.put("child_failures", ChildScenarios::childFailures);
    ALL.put("child_retry", ChildScenarios::childRetry);
    ALL.put("child_ended_by_others", ChildScenarios::childEndedByOthers);
    ALL.put("child_cancel", ChildScenarios::childCancel);
    ALL.put("child_id_taken", ChildScenarios::childIdTaken);
    ALL.put("child_signal", ChildScenarios::childSignal);
    ALL.put("parent_close_policies", ChildScenarios::parentClosePolicies);
    ALL.put("parent_cancel", ChildScenarios::parentCancel);
  }

  private ChildScenarios() {}

  static String childWorkflow(Bench b) throws Exception {
    Attributes.add(b);
    String id = b.newId();
    WorkflowStub run = b.start("parent", "tellsInfo", List.of(), id, "many");
    Map<?, ?> told = run.getResult(Map.class);
    b.expect("what the child was told", List.of(told.get("parent"), told.get("root"), told.get("runTimeout"),
        told.get("memo"), told.get("priority")), List.of(id(run), id(run), 50, "yes", 4));
    var child = b.describe(id);
    b.keep(child.getExecution());
    b.expect("description", List.of(child.getParentExecution().getWorkflowId(),
        child.getRootExecution().getWorkflowId(), child.getMemo("kept", String.class),
        child.getTypedSearchAttributes().get(Workflows.COLOUR),
        child.getStaticSummary()), List.of(id(run), id(run), "yes", "blue", "a child"));
    b.expect("events", b.events(run, "CHILD"), List.of("START_CHILD_WORKFLOW_EXECUTION_INITIATED",
        "CHILD_WORKFLOW_EXECUTION_STARTED", "CHILD_WORKFLOW_EXECUTION_COMPLETED"));
    return "completed, with its options, and knows its parent";
  }

  static String childFailures(Bench b) {
    record Case(String type, List<?> args, String options, String wanted, String event) {}
    List<Case> cases = List.of(
        new Case("fails", List.of("child broke"), "", "RETRY_STATE_RETRY_POLICY_NOT_SET: "
            + "Broken/child broke/detail/7/true <- Root/the root/false", "CHILD_WORKFLOW_EXECUTION_FAILED"),
        new Case("failsUntil", List.of(9, "NotYet"), "twice",
            "RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED: NotYet/not yet/false", "CHILD_WORKFLOW_EXECUTION_FAILED"),
        new Case("cleansUp", List.of(), "briefly", "RETRY_STATE_RETRY_POLICY_NOT_SET: TimeoutFailure",
            "CHILD_WORKFLOW_EXECUTION_TIMED_OUT"));
    for (Case each : cases) {
      WorkflowStub run = b.start("parent", each.type, each.args, b.newId(), each.options);
      b.expect(each.type, run.getResult(String.class), each.wanted);
      List<String> events = b.events(run, "CHILD");
      b.expect(each.type, events.get(events.size() - 1), each.event);
    }
    return "failed, out of attempts, timed out";
  }

  static String childRetry(Bench b) {
    b.expect("retried", b.start("parent", "failsUntil", List.of(3, "NotYet"), b.newId(), "thrice")
        .getResult(Integer.class), 3);
    b.expect("continued as new", b.start("parent", "countdown", List.of(2, List.of()), b.newId(), "")
        .getResult(List.class).size(), 3);
    return "the third attempt's result; the third run's";
  }

  static String childEndedByOthers(Bench b) throws Exception {
    List<String> seen = new ArrayList<>();
    for (boolean terminates : List.of(true, false)) {
      String id = b.newId();
      WorkflowStub run = b.start("parent", "messages", List.of(), id, "");
      b.eventually("child", 1, () -> b.events(run, "CHILD_WORKFLOW_EXECUTION_STARTED").size());
      if (terminates) {
        b.run(id).terminate("no longer wanted");
      } else {
        b.run(id).cancel();
      }
      seen.add(run.getResult(String.class));
      List<String> events = b.events(run, "CHILD");
      seen.add(events.get(events.size() - 1));
    }
    b.expect("what the parent saw", seen, List.of(
        "RETRY_STATE_NON_RETRYABLE_FAILURE: TerminatedFailure", "CHILD_WORKFLOW_EXECUTION_TERMINATED",
        "RETRY_STATE_NON_RETRYABLE_FAILURE: CanceledFailure", "CHILD_WORKFLOW_EXECUTION_CANCELED"));
    return "terminated and cancelled, and the parent was told";
  }

  static String childCancel(Bench b) throws Exception {
    for (ChildWorkflowCancellationType type : ChildWorkflowCancellationType.values()) {
      String child = b.newId();
      WorkflowStub run = b.start("cancelsChild", type, child);
      b.eventually(type + ": started", 1, () -> b.events(run, "CHILD_WORKFLOW_EXECUTION_STARTED").size());
      boolean abandons = type == ChildWorkflowCancellationType.ABANDON;
      b.eventually(type + ": child", abandons ? "RUNNING" : "CANCELED", () -> b.status(child));
      run.signal("end");
      b.contains(type.name(), run.getResult(String.class), "CanceledFailure");
      if (abandons) {
        b.run(child).terminate("no longer wanted");
      }
    }
    b.expect("early", b.start("cancelsChildEarly", b.newId()).getResult(String.class), "cancelled before it started");
    return "waited for, requested, tried, abandoned, before its start";
  }

  /** A child under the id of a running workflow never starts. */
  static String childIdTaken(Bench b) {
    WorkflowStub taken = b.start("messages");
    WorkflowStub run = b.start("parent", "echo", List.of("hello"), id(taken), "");
    b.expect("result", run.getResult(String.class), "already started");
    b.expect("events", b.events(run, "CHILD"),
        List.of("START_CHILD_WORKFLOW_EXECUTION_INITIATED", "START_CHILD_WORKFLOW_EXECUTION_FAILED"));
    taken.signal("end");
    taken.getResult(List.class);
    b.expect("a closed one's id", b.start("parent", "echo", List.of("hello"), id(taken), "first")
        .getResult(String.class), "already started");
    b.expect("reused", b.start("parent", "echo", List.of("hello"), id(taken), "").getResult(String.class), "hello");
    return "refused while it runs, refused by policy, reused";
  }

  static String childSignal(Bench b) {
    b.expect("heard", b.start("signalsChild", b.newId()).getResult(List.class), List.of("from the parent"));
    return "heard by the child";
  }

  static String parentClosePolicies(Bench b) throws Exception {
    Map<ParentClosePolicy, String> wanted = Map.of(ParentClosePolicy.PARENT_CLOSE_POLICY_TERMINATE, "TERMINATED",
        ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON, "RUNNING",
        ParentClosePolicy.PARENT_CLOSE_POLICY_REQUEST_CANCEL, "CANCELED");
    for (Map.Entry<ParentClosePolicy, String> each : wanted.entrySet()) {
      String child = b.newId();
      b.start("leaver", each.getKey(), child).getResult(Void.class);
      b.eventually("child under " + each.getKey(), each.getValue(), () -> b.status(child));
      if (each.getValue().equals("RUNNING")) {
        b.run(child).terminate("no longer wanted");
      }
    }
    return "terminated, abandoned, cancelled";
  }

  static String parentCancel(Bench b) throws Exception {
    String child = b.newId();
    WorkflowStub run = b.start("parent", "cleansUp", List.of(), child, "");
    b.eventually("child", 1, () -> b.events(run, "CHILD_WORKFLOW_EXECUTION_STARTED").size());
    b.expect("pending child", b.describe(id(run)).getRawDescription().getPendingChildren(0).getWorkflowId(), child);
    run.cancel("enough");
    String saw;
    try {
      saw = run.getResult(String.class);
    } catch (WorkflowFailedException failure) {
      saw = Bench.chain(failure);
    }
    b.contains("result", saw, "CanceledFailure");
    b.expect("child", b.status(child), "CANCELED");
    return "the child heard of it, and cleaned up";
  }
}
