package parity;

import static parity.Bench.id;

import io.temporal.activity.ActivityCancellationType;
import io.temporal.activity.ActivityInfo;
import io.temporal.api.history.v1.ActivityTaskStartedEventAttributes;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.client.ActivityCanceledException;
import io.temporal.client.ActivityCompletionClient;
import io.temporal.client.ActivityCompletionException;
import io.temporal.client.ActivityNotExistsException;
import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowStub;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Activities: retries, failures, timeouts, heartbeats, cancellation, completion by others, local ones. */
final class ActivityScenarios {
  static final Map<String, Bench.Scenario> ALL = new LinkedHashMap<>();

  private static final String DECLINED =
      "CardDeclined/card declined/%s/42/true <- BankError/the bank said no/code 51/false";

  static {
    ALL.put("activity_retry", ActivityScenarios::activityRetry);
    ALL.put("activity_given_up", ActivityScenarios::activityGivenUp);
    ALL.put("next_retry_delay", ActivityScenarios::nextRetryDelay);
    ALL.put("activity_failure", ActivityScenarios::activityFailure);
    ALL.put("heartbeats", ActivityScenarios::heartbeats);
    ALL.put("activity_timeouts", ActivityScenarios::activityTimeouts);
    ALL.put("activity_cancel", ActivityScenarios::activityCancel);
    ALL.put("activity_completed_by_token", ActivityScenarios::completedByToken);
    ALL.put("activity_completed_by_id", ActivityScenarios::completedById);
    ALL.put("activity_cancelled_by_others", ActivityScenarios::cancelledByOthers);
    ALL.put("activity_info", ActivityScenarios::activityInfo);
    ALL.put("local_activities", ActivityScenarios::localActivities);
    ALL.put("activity_on_other_queue", ActivityScenarios::otherQueue);
  }

  private ActivityScenarios() {}

  static String activityRetry(Bench b) {
    WorkflowStub run = b.start("retried", 3);
    b.expect("result", run.getResult(Integer.class), 3);
    List<ActivityTaskStartedEventAttributes> started = b.history(id(run)).stream()
        .filter(HistoryEvent::hasActivityTaskStartedEventAttributes)
        .map(HistoryEvent::getActivityTaskStartedEventAttributes).toList();
    b.expect("started events", started.size(), 1); // The attempts before the last one leave no event.
    var failure = started.get(0).getLastFailure();
    b.expect("attempt and last failure", List.of(started.get(0).getAttempt(), failure.getMessage(),
        failure.getApplicationFailureInfo().getType()), List.of(3, "attempt 2 of 3", "NotYet"));
    return "attempt 3, after " + failure.getMessage();
  }

  static String activityGivenUp(Bench b) {
    Map<String, List<String>> wanted = Map.of(
        "attempts", List.of("RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED", "NotYet/attempt 2 of 1000/false"),
        "type", List.of("RETRY_STATE_NON_RETRYABLE_FAILURE", "NotYet/attempt 1 of 1000/false"),
        "time", List.of("RETRY_STATE_TIMEOUT", "NotYet/attempt 1 of 1000/false"));
    wanted.forEach((limit, end) -> b.expect(limit, b.start("givenUp", limit).getResult(List.class), end));
    return "out of attempts, not to be retried, out of time";
  }

  static String nextRetryDelay(Bench b) {
    b.expect("attempt", b.start("hurried").getResult(Integer.class), 2);
    return "its own delay, not the policy's hour";
  }

  static String activityFailure(Bench b) {
    String saw = b.start("declined", "order-17").getResult(String.class);
    b.expect("failure", saw, "DeclineCard RETRY_STATE_NON_RETRYABLE_FAILURE: " + DECLINED.formatted("order-17"));
    return saw;
  }

  static String heartbeats(Bench b) {
    b.expect("timeout", b.start("heartbeats", 1).getResult(String.class), "TIMEOUT_TYPE_HEARTBEAT with half");
    b.expect("next attempt", b.start("heartbeats", 2).getResult(String.class), "attempt 2 found half");
    return "the last details are in the timeout, and in the next attempt";
  }

  static String activityTimeouts(Bench b) {
    List<String> seen = new ArrayList<>();
    Map<String, Object[]> cases = new LinkedHashMap<>();
    cases.put("TIMEOUT_TYPE_START_TO_CLOSE", new Object[] {b.queue(), 300, 0, 0, 0});
    cases.put("TIMEOUT_TYPE_SCHEDULE_TO_START", new Object[] {b.newId(), 20_000, 300, 0, 0});
    cases.put("TIMEOUT_TYPE_SCHEDULE_TO_CLOSE", new Object[] {b.queue(), 20_000, 0, 300, 0});
    cases.forEach((type, args) -> {
      List<?> saw = b.start("timesOut", args).getResult(List.class);
      b.expect(type, saw.get(1), type);
      seen.add(type + " " + saw.get(0));
    });
    // With retries, the time for all attempts ends with the attempt that leaves none for another.
    List<?> all = b.start("timesOut", b.queue(), 300, 0, 2000, 3000).getResult(List.class);
    b.expect("all attempts", all, List.of("RETRY_STATE_TIMEOUT", "TIMEOUT_TYPE_SCHEDULE_TO_CLOSE"));
    return String.join(", ", seen) + "; retried: " + all;
  }

  static String activityCancel(Bench b) {
    Map<ActivityCancellationType, List<String>> events = Map.of(
        ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        List.of("ACTIVITY_TASK_CANCEL_REQUESTED", "ACTIVITY_TASK_CANCELED"),
        ActivityCancellationType.TRY_CANCEL, List.of("ACTIVITY_TASK_CANCEL_REQUESTED"),
        ActivityCancellationType.ABANDON, List.of());
    events.forEach((type, wanted) -> {
      WorkflowStub run = b.start("cancelsActivity", type);
      b.expect(type + ": details", run.getResult(String.class), "");
      b.expect(type + ": events", b.events(run, "CANCEL"), wanted);
    });
    WorkflowStub early = b.start("cancelsEarly", b.newId());
    b.expect("nobody took it", early.getResult(String.class), "CanceledFailure");
    b.expect("nobody took it", b.events(early, "ACTIVITY_TASK_STARTED", "CANCEL"),
        List.of("ACTIVITY_TASK_CANCEL_REQUESTED", "ACTIVITY_TASK_CANCELED"));
    return "waited for, tried, abandoned, before its start";
  }

  /** Starts a workflow whose activity waits for somebody else's answer. */
  private static WorkflowStub answerable(Bench b, String type) throws Exception {
    WorkflowStub run = b.start(type);
    b.eventually("started", true, () -> ActivitiesImpl.OPEN.containsKey(id(run)));
    return run;
  }

  static String completedByToken(Bench b) throws Exception {
    ActivityCompletionClient others = b.client().newActivityCompletionClient();
    WorkflowStub done = answerable(b, "answeredLater");
    byte[] token = ActivitiesImpl.OPEN.get(id(done)).getTaskToken();
    others.heartbeat(token, "on its way");
    others.complete(token, "by token");
    b.expect("completed", done.getResult(String.class), "by token");
    WorkflowStub broken = answerable(b, "answeredLater");
    others.completeExceptionally(ActivitiesImpl.OPEN.get(id(broken)).getTaskToken(), ApplicationFailure
        .newFailureWithCause("no answer", "Silence", ApplicationFailure.newFailure("the reason", "Reason"), 1));
    b.expect("failed", broken.getResult(String.class), "Silence/no answer/1/false <- Reason/the reason/false");
    b.failsAs("once more", ActivityNotExistsException.class, "", () -> others.complete(token, "late"));
    return "completed, failed with a cause, not twice";
  }

  static String completedById(Bench b) throws Exception {
    ActivityCompletionClient others = b.client().newActivityCompletionClient();
    WorkflowStub done = answerable(b, "answeredLater");
    String activityId = ActivitiesImpl.OPEN.get(id(done)).getActivityId();
    others.heartbeat(id(done), Optional.empty(), activityId, "on its way");
    others.complete(id(done), Optional.of(Bench.runId(done)), activityId, "by id");
    b.expect("completed", done.getResult(String.class), "by id");
    WorkflowStub broken = answerable(b, "answeredLater");
    others.completeExceptionally(id(broken), Optional.empty(), ActivitiesImpl.OPEN.get(id(broken)).getActivityId(),
        ApplicationFailure.newFailure("no answer", "Silence"));
    b.expect("failed", broken.getResult(String.class), "Silence/no answer/false");
    b.failsAs("once more", ActivityNotExistsException.class, "",
        () -> others.complete(id(done), Optional.empty(), activityId, "late"));
    b.failsAs("unknown", ActivityNotExistsException.class, "",
        () -> others.complete(b.newId(), Optional.empty(), "none", "lost"));
    return "completed, failed, not twice, not an unknown one";
  }

  static String cancelledByOthers(Bench b) throws Exception {
    ActivityCompletionClient others = b.client().newActivityCompletionClient();
    WorkflowStub run = answerable(b, "cancelsLater");
    ActivityInfo activity = ActivitiesImpl.OPEN.get(id(run));
    others.heartbeat(activity.getTaskToken(), "still running");
    run.signal("end");
    b.eventually("heartbeat", true, () -> {
      try {
        others.heartbeat(activity.getTaskToken(), "still running");
        return false;
      } catch (ActivityCompletionException failure) {
        return failure instanceof ActivityCanceledException || failure.getCause() instanceof ActivityCanceledException;
      }
    });
    others.reportCancellation(activity.getTaskToken(), "put away");
    b.expect("details", run.getResult(String.class), "put away");
    // A workflow's own cancellation reaches the activity that it waits for.
    WorkflowStub whole = answerable(b, "answeredLater");
    whole.cancel();
    b.eventually("cancel request", 1, () -> b.events(whole, "ACTIVITY_TASK_CANCEL_REQUESTED").size());
    others.reportCancellation(id(whole), Optional.empty(), ActivitiesImpl.OPEN.get(id(whole)).getActivityId(), "away");
    WorkflowFailedException failure =
        b.failsAs("result", WorkflowFailedException.class, "", () -> whole.getResult(String.class));
    if (!(failure.getCause() instanceof CanceledFailure)) {
      throw new Wrong("ended with " + Bench.chain(failure));
    }
    return "heard at a heartbeat, reported with details";
  }

  static String activityInfo(Bench b) {
    WorkflowStub run = b.start("informed");
    b.expect("info", run.getResult(Map.class), Map.of("type", "TellInfo", "attempt", 1, "local", false, "workflow",
        "informed", "queue", b.queue(), "namespace", "default", "startToClose", 20000,
        "heartbeat", 17000, "priority", 2));
    HistoryEvent scheduled = b.event(run, HistoryEvent::hasActivityTaskScheduledEventAttributes);
    b.expect("summary", scheduled.getUserMetadata().getSummary().getData().toStringUtf8(), "\"asks itself\"");
    return "times and priority arrived; the summary is in the history";
  }

  static String localActivities(Bench b) {
    WorkflowStub run = b.start("locals");
    b.expect("results", run.getResult(List.class), List.of("near", 3, DECLINED.formatted("order-18"), true));
    b.expect("events", b.events(run, "ACTIVITY", "MARKER").stream().distinct().toList(), List.of("MARKER_RECORDED"));
    WorkflowStub timed = b.start("localWithTimer");
    b.expect("long wait", timed.getResult(Integer.class), 2);
    b.expect("its events", b.events(timed, "TIMER", "MARKER"),
        List.of("MARKER_RECORDED", "TIMER_STARTED", "TIMER_FIRED", "MARKER_RECORDED"));
    return "result, retry, failure, a timer for a long wait";
  }

  static String otherQueue(Bench b) throws Exception {
    String queue = b.newId();
    WorkflowStub run = b.start("timesOut", queue, 200, 0, 0, 0);
    return b.withWorker(queue, () -> {
      b.expect("result", run.getResult(List.class),
          List.of("RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED", "TIMEOUT_TYPE_START_TO_CLOSE"));
      return "taken by the worker of its queue";
    });
  }
}
