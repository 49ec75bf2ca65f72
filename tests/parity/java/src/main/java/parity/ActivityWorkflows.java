package parity;

import static parity.Workflows.act;
import static parity.Workflows.activity;
import static parity.Workflows.activityFailure;
import static parity.Workflows.describeFailure;
import static parity.Workflows.soon;

import io.temporal.activity.ActivityCancellationType;
import io.temporal.activity.LocalActivityOptions;
import io.temporal.common.Priority;
import io.temporal.common.RetryOptions;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TimeoutFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.Promise;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Workflows about activities. */
final class ActivityWorkflows {
  private ActivityWorkflows() {}

  @WorkflowInterface
  public interface Retried {
    @WorkflowMethod(name = "retried")
    int run(int attempt);
  }

  public static final class RetriedImpl implements Retried {
    @Override
    public int run(int attempt) {
      return act(activity().setRetryOptions(soon().build())).succeedAt(attempt);
    }
  }

  /** How an activity that needs more attempts ends under a policy that does not give them. */
  @WorkflowInterface
  public interface GivenUp {
    @WorkflowMethod(name = "givenUp")
    List<String> run(String limit);
  }

  public static final class GivenUpImpl implements GivenUp {
    @Override
    public List<String> run(String limit) {
      var options = activity().setRetryOptions(switch (limit) {
        case "attempts" -> soon().setMaximumAttempts(2).build();
        case "type" -> soon().setDoNotRetry("NotYet").build();
        default -> soon().setInitialInterval(Duration.ofSeconds(20)).build();
      });
      if (limit.equals("time")) {
        options.setScheduleToCloseTimeout(Duration.ofSeconds(10));
      }
      ActivityFailure failure = activityFailure(() -> act(options).succeedAt(1000));
      return List.of(failure.getRetryState().name(), describeFailure(failure.getCause()));
    }
  }

  @WorkflowInterface
  public interface Hurried {
    @WorkflowMethod(name = "hurried")
    int run();
  }

  public static final class HurriedImpl implements Hurried {
    @Override
    public int run() {
      return act(activity().setRetryOptions(soon().setInitialInterval(Workflows.FOREVER).build())).hurryUp();
    }
  }

  @WorkflowInterface
  public interface Declined {
    @WorkflowMethod(name = "declined")
    String run(String order);
  }

  public static final class DeclinedImpl implements Declined {
    @Override
    public String run(String order) {
      ActivityFailure failure = activityFailure(() -> act(activity()).declineCard(order));
      return failure.getActivityType() + " " + failure.getRetryState() + ": " + describeFailure(failure.getCause());
    }
  }

  /** The first beat's detail, as seen by the timeout or by the next attempt. */
  @WorkflowInterface
  public interface Heartbeats {
    @WorkflowMethod(name = "heartbeats")
    String run(int attempts);
  }

  public static final class HeartbeatsImpl implements Heartbeats {
    @Override
    public String run(int attempts) {
      try {
        return act(activity().setHeartbeatTimeout(Duration.ofSeconds(3))
            .setRetryOptions(soon().setMaximumAttempts(attempts).build())).heartbeatThenHang("half");
      } catch (ActivityFailure failure) {
        TimeoutFailure timeout = (TimeoutFailure) failure.getCause();
        return timeout.getTimeoutType() + " with " + timeout.getLastHeartbeatDetails().get(String.class);
      }
    }
  }

  /** The kinds of timeout that an activity ends with when it hangs, or nobody takes it. Times in ms, 0 for none. */
  @WorkflowInterface
  public interface TimesOut {
    @WorkflowMethod(name = "timesOut")
    List<String> run(String queue, int startToClose, int scheduleToStart, int scheduleToClose, int retryAfter);
  }

  public static final class TimesOutImpl implements TimesOut {
    @Override
    public List<String> run(String queue, int startToClose, int scheduleToStart, int scheduleToClose, int retryAfter) {
      RetryOptions once = RetryOptions.newBuilder().setMaximumAttempts(1).build();
      var options = activity().setTaskQueue(queue).setStartToCloseTimeout(Duration.ofMillis(startToClose))
          .setRetryOptions(retryAfter == 0 ? once
              : RetryOptions.newBuilder().setInitialInterval(Duration.ofMillis(retryAfter)).build());
      if (scheduleToStart > 0) {
        options.setScheduleToStartTimeout(Duration.ofMillis(scheduleToStart));
      }
      if (scheduleToClose > 0) {
        options.setScheduleToCloseTimeout(Duration.ofMillis(scheduleToClose));
      }
      ActivityFailure failure = activityFailure(() -> act(options).hang());
      List<String> types = new ArrayList<>(List.of(failure.getRetryState().name()));
      for (Throwable at = failure.getCause(); at instanceof TimeoutFailure timeout; at = at.getCause()) {
        types.add(timeout.getTimeoutType().name());
      }
      return types;
    }
  }

  @WorkflowInterface
  public interface CancelsActivity {
    @WorkflowMethod(name = "cancelsActivity")
    String run(ActivityCancellationType type);

    @SignalMethod
    void begun();
  }

  public static final class CancelsActivityImpl implements CancelsActivity {
    private boolean begun;

    @Override
    public String run(ActivityCancellationType type) {
      Activities activities = act(activity().setCancellationType(type).setHeartbeatTimeout(Duration.ofSeconds(10)));
      List<Promise<Void>> running = new ArrayList<>();
      CancellationScope scope =
          Workflow.newCancellationScope(() -> running.add(Async.procedure(activities::heartbeatUntilCancelled)));
      scope.run();
      Workflow.await(() -> begun || running.get(0).isCompleted());
      scope.cancel();
      ActivityFailure failure = activityFailure(() -> running.get(0).get());
      if (!(failure.getCause() instanceof CanceledFailure cancelled)) {
        throw failure;
      }
      return cancelled.getDetails().getSize() == 0 ? "" : cancelled.getDetails().get(String.class);
    }

    @Override
    public void begun() {
      begun = true;
    }
  }

  /** Cancels an activity that no worker has taken yet. */
  @WorkflowInterface
  public interface CancelsEarly {
    @WorkflowMethod(name = "cancelsEarly")
    String run(String nobodysQueue);
  }

  public static final class CancelsEarlyImpl implements CancelsEarly {
    @Override
    public String run(String nobodysQueue) {
      Activities activities = act(activity().setTaskQueue(nobodysQueue)
          .setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED));
      List<Promise<String>> waiting = new ArrayList<>();
      CancellationScope scope = Workflow.newCancellationScope(() -> waiting.add(Async.function(activities::hang)));
      scope.run();
      Workflow.sleep(50);
      scope.cancel();
      return activityFailure(() -> waiting.get(0).get()).getCause().getClass().getSimpleName();
    }
  }

  @WorkflowInterface
  public interface AnsweredLater {
    @WorkflowMethod(name = "answeredLater")
    String run();
  }

  public static final class AnsweredLaterImpl implements AnsweredLater {
    @Override
    public String run() {
      try {
        return act(activity().setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
            .setHeartbeatTimeout(Duration.ofSeconds(10)).setRetryOptions(soon().setMaximumAttempts(1).build()))
            .answerLater();
      } catch (ActivityFailure failure) {
        if (failure.getCause() instanceof CanceledFailure) {
          throw failure;
        }
        return describeFailure(failure.getCause());
      }
    }
  }

  /** Cancels such an activity when it is told to, and returns the details of its cancellation. */
  @WorkflowInterface
  public interface CancelsLater {
    @WorkflowMethod(name = "cancelsLater")
    String run();

    @SignalMethod
    void end();
  }

  public static final class CancelsLaterImpl implements CancelsLater {
    private boolean ended;

    @Override
    public String run() {
      Activities activities =
          act(activity().setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED));
      List<Promise<String>> running = new ArrayList<>();
      CancellationScope scope =
          Workflow.newCancellationScope(() -> running.add(Async.function(activities::answerLater)));
      scope.run();
      Workflow.await(() -> ended);
      scope.cancel();
      CanceledFailure cancelled = (CanceledFailure) activityFailure(() -> running.get(0).get()).getCause();
      return cancelled.getDetails().get(String.class);
    }

    @Override
    public void end() {
      ended = true;
    }
  }

  @WorkflowInterface
  public interface Informed {
    @WorkflowMethod(name = "informed")
    Map<String, Object> run();
  }

  public static final class InformedImpl implements Informed {
    @Override
    public Map<String, Object> run() {
      return act(activity().setHeartbeatTimeout(Duration.ofSeconds(17)).setSummary("asks itself")
          .setPriority(Priority.newBuilder().setPriorityKey(2).build())).tellInfo();
    }
  }

  @WorkflowInterface
  public interface Locals {
    @WorkflowMethod(name = "locals")
    List<Object> run();
  }

  public static final class LocalsImpl implements Locals {
    @Override
    public List<Object> run() {
      Activities plain = local(localOptions().setSummary("near by"));
      ActivityFailure broken = activityFailure(() -> plain.declineCard("order-18"));
      Activities retried = local(localOptions().setRetryOptions(soon().setMaximumAttempts(5).build()));
      return List.of(plain.echoActivity("near"), retried.succeedAt(3), describeFailure(broken.getCause()),
          plain.tellInfo().get("local"));
    }
  }

  /** A wait that is too long for the workflow task becomes a timer. */
  @WorkflowInterface
  public interface LocalWithTimer {
    @WorkflowMethod(name = "localWithTimer")
    int run();
  }

  public static final class LocalWithTimerImpl implements LocalWithTimer {
    @Override
    public int run() {
      RetryOptions later = soon().setInitialInterval(Duration.ofMillis(300)).setMaximumAttempts(5).build();
      return local(localOptions().setLocalRetryThreshold(Duration.ofMillis(100)).setRetryOptions(later)).succeedAt(2);
    }
  }

  // Without a limit to its attempts or their time, the SDK does not retry a local activity.
  private static LocalActivityOptions.Builder localOptions() {
    return LocalActivityOptions.newBuilder().setStartToCloseTimeout(Workflows.SHORT);
  }

  private static Activities local(LocalActivityOptions.Builder options) {
    return Workflow.newLocalActivityStub(Activities.class, options.build());
  }
}
