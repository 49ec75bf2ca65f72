package parity;

import static parity.Bench.id;

import io.grpc.Status;
import io.temporal.api.enums.v1.HistoryEventFilterType;
import io.temporal.api.workflowservice.v1.GetWorkflowExecutionHistoryRequest;
import io.temporal.api.workflowservice.v1.GetWorkflowExecutionHistoryResponse;
import io.temporal.client.ActivityCompletionClient;
import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowNotFoundException;
import io.temporal.client.WorkflowStub;
import io.temporal.common.SearchAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;

/** What the service tells of its runs: describe, lists, counts, history in long polls. */
final class ServiceScenarios {
  static final Map<String, Bench.Scenario> ALL = new LinkedHashMap<>();

  static {
    ALL.put("search_attributes_and_memo", ServiceScenarios::searchAttributesAndMemo);
    ALL.put("list_workflows", ServiceScenarios::listWorkflows);
    ALL.put("describe", ServiceScenarios::describe);
    ALL.put("history_long_poll", ServiceScenarios::historyLongPoll);
    ALL.put("many_results", ServiceScenarios::manyResults);
  }

  private ServiceScenarios() {}

  private static List<String> listed(Bench b, String query) {
    return b.client().listExecutions(query).map(run -> run.getExecution().getWorkflowId()).sorted().toList();
  }

  static String searchAttributesAndMemo(Bench b) throws Exception {
    Attributes.add(b);
    String value = b.newId();
    WorkflowStub run = b.start(b.options().setMemo(Map.of("kept", 1, "dropped", 2))
        .setTypedSearchAttributes(SearchAttributes.newBuilder().set(Workflows.SIZE, 9L).build()), "tagged", value);
    b.expect("what the workflow saw", run.getResult(List.class), List.of(2, 7, 8, value, false, "painted", 1));
    b.expect("the same side effects in a replay", run.query("random", List.class), run.query("random", List.class));
    var description = b.describe(id(run));
    b.expect("attributes", description.getTypedSearchAttributes().get(Workflows.COLOUR), value);
    b.expect("unset", description.getTypedSearchAttributes().containsKey(Workflows.SIZE), false);
    b.expect("memo", List.of(description.getMemo("kept", Integer.class), description.getMemo("step", String.class),
        description.getWorkflowExecutionInfo().getMemo().getFieldsCount()), List.of(1, "painted", 2));
    String query = "ParityColour = '%s' AND WorkflowType = 'tagged' AND ExecutionStatus = 'Completed'".formatted(value);
    b.eventually("list", List.of(id(run)), () -> listed(b, query));
    b.expect("count", b.client().countWorkflows(query).getCount(), 1L);
    b.eventually("a version", List.of(id(run)),
        () -> listed(b, "TemporalChangeVersion = 'coats-2' AND ParityColour = '%s'".formatted(value)));
    return "listed by its attribute and its version, counted, memo merged";
  }

  static String listWorkflows(Bench b) throws Exception {
    List<String> ids = new ArrayList<>();
    for (String type : List.of("echo", "echo", "fails")) {
      WorkflowStub run = b.start(type, "x");
      ids.add(id(run));
      try {
        run.getResult(Object.class);
      } catch (WorkflowFailedException expected) {
        // The third one.
      }
    }
    String query = "WorkflowId STARTS_WITH '%s' AND TaskQueue = '%s'".formatted(b.name(), b.queue());
    b.eventually("list", ids.stream().sorted().toList(), () -> listed(b, query));
    List<String> groups = b.client().countWorkflows(query + " GROUP BY ExecutionStatus").getGroups().stream()
        .map(group -> group.getGroupValues() + " " + group.getCount()).sorted().toList();
    b.expect("groups", groups, List.of("[[Completed]] 2", "[[Failed]] 1"));
    b.refuses("unknown attribute", Status.Code.INVALID_ARGUMENT, "invalid query",
        () -> b.client().countWorkflows("NoSuchAttribute = 1"));
    return "three, counted in groups";
  }

  static String describe(Bench b) throws Exception {
    WorkflowStub run = b.start("answeredLater");
    b.eventually("started", true, () -> ActivitiesImpl.OPEN.containsKey(id(run)));
    byte[] token = ActivitiesImpl.OPEN.get(id(run)).getTaskToken();
    ActivityCompletionClient others = b.client().newActivityCompletionClient();
    others.heartbeat(token, "on its way");
    var open = b.describe(id(run));
    var pending = open.getRawDescription().getPendingActivities(0);
    b.expect("running", List.of(open.getStatus().name(), open.getWorkflowType(), open.getTaskQueue(),
        open.getExecution()),
        List.of("WORKFLOW_EXECUTION_STATUS_RUNNING", "answeredLater", b.queue(), run.getExecution()));
    b.expect("pending activity", List.of(pending.getActivityType().getName(), pending.getAttempt(),
        pending.getMaximumAttempts(), pending.getHeartbeatDetails().getPayloads(0).getData().toStringUtf8()),
        List.of("AnswerLater", 1, 1, "\"on its way\""));
    others.complete(token, "now");
    run.getResult(String.class);
    var closed = b.describe(id(run));
    b.expect("closed", List.of(closed.getStatus().name(), closed.getHistoryLength()),
        List.of("WORKFLOW_EXECUTION_STATUS_COMPLETED", (long) b.events(run).size()));
    if (closed.getCloseTime().isBefore(closed.getStartTime())) {
      throw new Wrong("started %s, closed %s".formatted(closed.getStartTime(), closed.getCloseTime()));
    }
    b.failsAs("nobody", WorkflowNotFoundException.class, "", () -> b.describe(b.newId()));
    return "running with a pending activity, then closed after %d events".formatted(closed.getHistoryLength());
  }

  /** Follows a run's history as it grows. */
  private static void follow(Bench b, WorkflowStub run, HistoryEventFilterType filter, List<String> seen) {
    var request = GetWorkflowExecutionHistoryRequest.newBuilder().setNamespace("default")
        .setExecution(run.getExecution()).setWaitNewEvent(true).setHistoryEventFilterType(filter);
    GetWorkflowExecutionHistoryResponse page;
    do {
      page = b.service().getWorkflowExecutionHistory(request.build());
      page.getHistory().getEventsList().forEach(event -> seen.add(Bench.eventName(event)));
      request.setNextPageToken(page.getNextPageToken());
    } while (!page.getNextPageToken().isEmpty());
  }

  /** A reader that waits for new events sees each of them once, and the last one ends it. */
  static String historyLongPoll(Bench b) throws Exception {
    WorkflowStub run = b.start("messages");
    List<String> seen = new CopyOnWriteArrayList<>();
    List<String> closing = new CopyOnWriteArrayList<>();
    var readers = CompletableFuture.allOf(
        CompletableFuture.runAsync(
            () -> follow(b, run, HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT, seen)),
        CompletableFuture.runAsync(
            () -> follow(b, run, HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT, closing)));
    b.eventually("first task", true, () -> seen.contains("WORKFLOW_TASK_COMPLETED"));
    run.signal("add", "a");
    b.eventually("signal", true, () -> seen.contains("WORKFLOW_EXECUTION_SIGNALED"));
    run.signal("end");
    readers.get();
    b.expect("events", List.copyOf(seen), b.events(run));
    b.expect("closing event", List.copyOf(closing), List.of("WORKFLOW_EXECUTION_COMPLETED"));
    return "%d events as they came, and the closing one alone".formatted(seen.size());
  }

  /** Results wait in long polls, many at a time. */
  static String manyResults(Bench b) throws Exception {
    WorkflowStub run = b.start("messages");
    var waiting = IntStream.range(0, 20).mapToObj(i -> b.run(id(run)).getResultAsync(List.class)).toList();
    run.signal("end");
    for (var result : waiting) {
      b.expect("result", result.get(), List.of());
    }
    var many = IntStream.range(0, 30).mapToObj(i -> b.start("echo", i)).toList();
    for (int i = 0; i < many.size(); i++) {
      b.expect("many runs", many.get(i).getResult(Integer.class), i);
    }
    return "twenty waited for one run, thirty runs at once";
  }
}
