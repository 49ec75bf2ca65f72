package parity;

import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.activity.ActivityInfo;
import io.temporal.client.ActivityCanceledException;
import io.temporal.client.ActivityCompletionException;
import io.temporal.failure.ApplicationFailure;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

public final class ActivitiesImpl implements Activities {
  /** Activities that somebody else completes, by their workflow's id. */
  static final Map<String, ActivityInfo> OPEN = new ConcurrentHashMap<>();

  private static final int BEAT_MS = 50;

  @Override
  public String echoActivity(String value) {
    return value;
  }

  @Override
  public int succeedAt(int attempt) {
    int now = info().getAttempt();
    if (now < attempt) {
      throw ApplicationFailure.newFailure("attempt %d of %d".formatted(now, attempt), "NotYet");
    }
    return now;
  }

  @Override
  public void declineCard(String order) {
    ApplicationFailure bank = ApplicationFailure.newFailure("the bank said no", "BankError", "code 51");
    throw ApplicationFailure.newNonRetryableFailureWithCause("card declined", "CardDeclined", bank, order, 42);
  }

  @Override
  public int hurryUp() {
    int attempt = info().getAttempt();
    if (attempt > 1) {
      return attempt;
    }
    throw ApplicationFailure.newFailureWithCauseAndDelay("at once, please", "Hurry", null, Duration.ofMillis(10));
  }

  @Override
  public String heartbeatThenHang(String detail) {
    ActivityExecutionContext context = Activity.getExecutionContext();
    Optional<String> found = context.getHeartbeatDetails(String.class);
    if (found.isPresent()) {
      return "attempt %d found %s".formatted(info().getAttempt(), found.get());
    }
    context.heartbeat(detail);
    return hang();
  }

  @Override
  public String hang() {
    try {
      Thread.sleep(Duration.ofSeconds(30).toMillis());
    } catch (InterruptedException interrupted) {
      throw ApplicationFailure.newNonRetryableFailure("interrupted", "Interrupted");
    }
    return "nobody stopped me";
  }

  @Override
  public void heartbeatUntilCancelled() {
    ActivityExecutionContext context = Activity.getExecutionContext();
    context.getWorkflowClient().newUntypedWorkflowStub(info().getWorkflowId()).signal("begun");
    try {
      for (;;) {
        context.heartbeat("beat");
        Thread.sleep(BEAT_MS);
      }
    } catch (ActivityCanceledException cancelled) {
      throw cancelled;
    } catch (ActivityCompletionException | InterruptedException gone) {
      throw ApplicationFailure.newNonRetryableFailure("nobody waits", "Gone");
    }
  }

  @Override
  public String answerLater() {
    OPEN.put(info().getWorkflowId(), info());
    Activity.getExecutionContext().doNotCompleteOnReturn();
    return null;
  }

  @Override
  public Map<String, Object> tellInfo() {
    ActivityInfo info = info();
    return Map.of("type", info.getActivityType(), "attempt", info.getAttempt(), "local", info.isLocal(), "workflow",
        info.getWorkflowType(), "queue", info.getActivityTaskQueue(), "namespace", info.getNamespace(), "startToClose",
        info.getStartToCloseTimeout().toMillis(), "heartbeat",
        info.getHeartbeatTimeout() == null ? 0 : info.getHeartbeatTimeout().toMillis(), "priority",
        info.getPriority() == null ? 0 : info.getPriority().getPriorityKey());
  }

  private static ActivityInfo info() {
    return Activity.getExecutionContext().getInfo();
  }
}
