package parity;

import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.common.SearchAttributes;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.ContinueAsNewOptions;
import io.temporal.workflow.Promise;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.TimerOptions;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInfo;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Workflows about how runs end and follow each other, and about what they leave in their history. */
final class LifecycleWorkflows {
  private LifecycleWorkflows() {}

  @WorkflowInterface
  public interface Echo {
    @WorkflowMethod(name = "echo")
    Object run(Object value);
  }

  public static final class EchoImpl implements Echo {
    @Override
    public Object run(Object value) {
      return value;
    }
  }

  @WorkflowInterface
  public interface EchoBytes {
    @WorkflowMethod(name = "echoBytes")
    byte[] run(byte[] value);
  }

  public static final class EchoBytesImpl implements EchoBytes {
    @Override
    public byte[] run(byte[] value) {
      return value;
    }
  }

  @WorkflowInterface
  public interface Fails {
    @WorkflowMethod(name = "fails")
    void run(String message);
  }

  public static final class FailsImpl implements Fails {
    @Override
    public void run(String message) {
      throw ApplicationFailure.newNonRetryableFailureWithCause(message, "Broken",
          ApplicationFailure.newFailure("the root", "Root"), "detail", 7);
    }
  }

  @WorkflowInterface
  public interface FailsUntil {
    @WorkflowMethod(name = "failsUntil")
    int run(int attempt, String type);
  }

  public static final class FailsUntilImpl implements FailsUntil {
    @Override
    public int run(int attempt, String type) {
      if (Workflow.getInfo().getAttempt() < attempt) {
        throw ApplicationFailure.newFailure("not yet", type);
      }
      return attempt;
    }
  }

  /** An exception that is no failure: the workflow task fails, the workflow waits for better code. */
  @WorkflowInterface
  public interface HasABug {
    @WorkflowMethod(name = "hasABug")
    void run();
  }

  public static final class HasABugImpl implements HasABug {
    @Override
    public void run() {
      throw new IllegalStateException("a bug of the program");
    }
  }

  /** Waits for ever; when cancelled, it runs an activity first. */
  @WorkflowInterface
  public interface CleansUp {
    @WorkflowMethod(name = "cleansUp")
    void run();
  }

  public static final class CleansUpImpl implements CleansUp {
    @Override
    public void run() {
      try {
        Workflow.sleep(Workflows.FOREVER);
      } catch (CanceledFailure cancelled) {
        Workflow.newDetachedCancellationScope(() -> Workflows.act(Workflows.activity()).echoActivity("swept")).run();
        throw cancelled;
      }
    }
  }

  @WorkflowInterface
  public interface Timers {
    @WorkflowMethod(name = "timers")
    String run();
  }

  public static final class TimersImpl implements Timers {
    @Override
    public String run() {
      long begun = Workflow.currentTimeMillis();
      List<Promise<Void>> running = new ArrayList<>();
      TimerOptions options = TimerOptions.newBuilder().setSummary("never fires").build();
      CancellationScope scope =
          Workflow.newCancellationScope(() -> running.add(Workflow.newTimer(Workflows.FOREVER, options)));
      scope.run();
      Workflow.sleep(200);
      scope.cancel();
      try {
        running.get(0).get();
        return "the long timer was not cancelled";
      } catch (CanceledFailure expected) {
        // As it should be.
      }
      if (Workflow.await(Duration.ofMillis(20), () -> false)) {
        return "a condition that never holds held";
      }
      return Workflow.currentTimeMillis() - begun < 200 ? "early" : "late";
    }
  }

  /** What each kind of scope lets through. */
  @WorkflowInterface
  public interface Scopes {
    @WorkflowMethod(name = "scopes")
    void run();

    @QueryMethod
    List<String> seen();
  }

  public static final class ScopesImpl implements Scopes {
    private final List<String> seen = new ArrayList<>();

    @Override
    public List<String> seen() {
      return seen;
    }

    @Override
    public void run() {
      List<Promise<Void>> timers = new ArrayList<>();
      CancellationScope outer = Workflow.newCancellationScope(() -> {
        timers.add(Workflow.newTimer(Workflows.FOREVER));
        Workflow.newCancellationScope(() -> timers.add(Workflow.newTimer(Workflows.FOREVER))).run();
        Workflow.newDetachedCancellationScope(() -> timers.add(Workflow.newTimer(Duration.ofSeconds(1)))).run();
      });
      outer.run();
      Workflows.act(Workflows.activity()).echoActivity("the timers are running");
      outer.cancel("enough");
      note("open", timers.get(0));
      note("inner", timers.get(1));
      note("detached", timers.get(2));
      note("root", Workflow.newTimer(Workflows.FOREVER)); // Ends with the request to cancel the workflow.
      CancellationScope root = CancellationScope.current();
      seen.add(root.isCancelRequested() + ": " + root.getCancellationReason());
    }

    private void note(String name, Promise<Void> timer) {
      try {
        timer.get();
        seen.add(name + " ended");
      } catch (CanceledFailure cancelled) {
        seen.add(name + " cancelled");
      }
    }
  }

  @WorkflowInterface
  public interface Countdown {
    @WorkflowMethod(name = "countdown")
    List<String> run(int left, List<String> runs);
  }

  public static final class CountdownImpl implements Countdown {
    @Override
    public List<String> run(int left, List<String> runs) {
      List<String> all = new ArrayList<>(runs);
      all.add(Workflow.getInfo().getRunId());
      if (left > 0) {
        Workflow.newContinueAsNewStub(Countdown.class).run(left - 1, all);
      }
      return all;
    }
  }

  /** Continues as another type, with another memo, attribute and timeout. */
  @WorkflowInterface
  public interface Changes {
    @WorkflowMethod(name = "changes")
    List<Object> run();
  }

  public static final class ChangesImpl implements Changes {
    @Override
    public List<Object> run() {
      Workflow.continueAsNew("changed", ContinueAsNewOptions.newBuilder().setMemo(Map.of("step", "second"))
          .setWorkflowRunTimeout(Duration.ofSeconds(90))
          .setTypedSearchAttributes(SearchAttributes.newBuilder().set(Workflows.COLOUR, "green").build()).build(),
          "argument");
      return List.of();
    }
  }

  /** Goes on as the workflow that waits for messages. */
  @WorkflowInterface
  public interface Moves {
    @WorkflowMethod(name = "moves")
    void run();
  }

  public static final class MovesImpl implements Moves {
    @Override
    public void run() {
      Workflow.continueAsNew("messages", ContinueAsNewOptions.newBuilder().build());
    }
  }

  @WorkflowInterface
  public interface Changed {
    @WorkflowMethod(name = "changed")
    List<Object> run(String argument);
  }

  public static final class ChangedImpl implements Changed {
    @Override
    public List<Object> run(String argument) {
      return List.of(argument, Workflow.getInfo().getWorkflowType(), Workflow.getMemo("step", String.class),
          Workflow.getTypedSearchAttributes().get(Workflows.COLOUR),
          Workflow.getInfo().getWorkflowRunTimeout().toSeconds());
    }
  }

  /** The number of its runs; the third one fails, the fourth tells what it knows of the earlier ones. */
  @WorkflowInterface
  public interface Counts {
    @WorkflowMethod(name = "counts")
    int run();

    @QueryMethod
    String seen();
  }

  public static final class CountsImpl implements Counts {
    private String seen = "";

    @Override
    public int run() {
      Integer last = Workflow.getLastCompletionResult(Integer.class);
      Workflow.getPreviousRunFailure().ifPresent(failure -> {
        seen = last + ", then " + Workflows.describeFailure(failure);
        Workflow.sleep(Workflows.FOREVER);
      });
      if (last != null && last == 2) {
        throw ApplicationFailure.newNonRetryableFailure("no third", "Third");
      }
      return last == null ? 1 : last + 1;
    }

    @Override
    public String seen() {
      return seen;
    }
  }

  /** Upserts, and leaves markers of each kind for the replay. */
  @WorkflowInterface
  public interface Tagged {
    @WorkflowMethod(name = "tagged")
    List<Object> run(String value);

    @QueryMethod
    List<Object> random();
  }

  public static final class TaggedImpl implements Tagged {
    private List<Object> random = List.of();

    @Override
    public List<Object> run(String value) {
      Workflow.upsertTypedSearchAttributes(Workflows.COLOUR.valueSet(value), Workflows.SIZE.valueUnset());
      Map<String, Object> memo = new HashMap<>(Map.of("step", "painted"));
      memo.put("dropped", null);
      Workflow.upsertMemo(memo);
      int version = Workflow.getVersion("coats", Workflow.DEFAULT_VERSION, 2);
      long nanos = Workflow.sideEffect(Long.class, System::nanoTime);
      long first = Workflow.mutableSideEffect("limit", Long.class, Long::equals, () -> 7L);
      Workflow.sleep(1);
      long second = Workflow.mutableSideEffect("limit", Long.class, (old, now) -> true, () -> 8L);
      random = List.of(Workflow.randomUUID().toString(), Workflow.newRandom().nextInt(), nanos);
      boolean sized = Workflow.getTypedSearchAttributes().containsKey(Workflows.SIZE);
      return List.of(version, first, second, Workflow.getTypedSearchAttributes().get(Workflows.COLOUR), sized,
          Workflow.getMemo("step", String.class), Workflow.getMemo("kept", Integer.class));
    }

    @Override
    public List<Object> random() {
      return random;
    }
  }

  /** What the server told of this run. */
  @WorkflowInterface
  public interface TellsInfo {
    @WorkflowMethod(name = "tellsInfo")
    Map<String, Object> run();
  }

  public static final class TellsInfoImpl implements TellsInfo {
    @Override
    public Map<String, Object> run() {
      WorkflowInfo info = Workflow.getInfo();
      Map<String, Object> told = new HashMap<>(Map.of("type", info.getWorkflowType(), "queue", info.getTaskQueue(),
          "attempt", info.getAttempt(), "namespace", info.getNamespace(), "first", info.getFirstExecutionRunId()));
      told.put("memo", Workflow.getMemo("kept", String.class));
      told.put("runTimeout", (int) info.getWorkflowRunTimeout().toSeconds());
      told.put("executionTimeout", (int) info.getWorkflowExecutionTimeout().toSeconds());
      told.put("retry", info.getRetryOptions() == null ? 0 : info.getRetryOptions().getMaximumAttempts());
      told.put("priority", info.getPriority() == null ? 0 : info.getPriority().getPriorityKey());
      told.put("parent", info.getParentWorkflowId().orElse(""));
      told.put("root", info.getRootWorkflowId().orElse(""));
      return told;
    }
  }
}
