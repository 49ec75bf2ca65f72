package parity;

import io.temporal.activity.ActivityOptions;
import io.temporal.common.RetryOptions;
import io.temporal.common.SearchAttributeKey;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.workflow.Workflow;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The workflows of all scenarios, and what several of them need. */
final class Workflows {
  static final Duration FOREVER = Duration.ofHours(1);
  static final Duration SHORT = Duration.ofSeconds(20);
  static final SearchAttributeKey<String> COLOUR = SearchAttributeKey.forKeyword("ParityColour");
  static final SearchAttributeKey<Long> SIZE = SearchAttributeKey.forLong("ParitySize");

  /** All implementations, for workers and replayers. */
  static final Class<?>[] ALL = Stream.of(ActivityWorkflows.class, MessageWorkflows.class, ChildWorkflows.class,
      LifecycleWorkflows.class, ExtensionWorkflows.class).flatMap(group -> Arrays.stream(group.getDeclaredClasses()))
      .filter(each -> !each.isInterface()).toArray(Class<?>[]::new);

  private Workflows() {}

  static Activities act(ActivityOptions.Builder options) {
    return Workflow.newActivityStub(Activities.class, options.build());
  }

  static ActivityOptions.Builder activity() {
    return ActivityOptions.newBuilder().setStartToCloseTimeout(SHORT);
  }

  static RetryOptions.Builder soon() {
    return RetryOptions.newBuilder().setInitialInterval(Duration.ofMillis(20)).setBackoffCoefficient(1);
  }

  /** Type, message, details and retryability of a failure and of its causes. */
  static String describeFailure(Throwable failure) {
    List<String> chain = new ArrayList<>();
    for (Throwable at = failure; at != null; at = at.getCause()) {
      if (at instanceof ApplicationFailure known) {
        StringBuilder text = new StringBuilder(known.getType() + "/" + known.getOriginalMessage());
        for (int i = 0; i < known.getDetails().getSize(); i++) {
          text.append('/').append(known.getDetails().get(i, Object.class));
        }
        chain.add(text.append('/').append(known.isNonRetryable()).toString());
      } else {
        chain.add(at.getClass().getSimpleName());
      }
    }
    return String.join(" <- ", chain);
  }

  /** The failure that an activity must end with. */
  static ActivityFailure activityFailure(Runnable running) {
    try {
      running.run();
    } catch (ActivityFailure failure) {
      return failure;
    }
    throw ApplicationFailure.newNonRetryableFailure("the activity did not fail", "Unexpected");
  }
}
