package parity;

import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancelExternalWorkflowException;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.DynamicQueryHandler;
import io.temporal.workflow.DynamicSignalHandler;
import io.temporal.workflow.DynamicUpdateHandler;
import io.temporal.workflow.ExternalWorkflowStub;
import io.temporal.workflow.HandlerUnfinishedPolicy;
import io.temporal.workflow.Promise;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.UpdateMethod;
import io.temporal.workflow.UpdateValidatorMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Workflows about signals, queries and updates. */
final class MessageWorkflows {
  private MessageWorkflows() {}

  /** Takes signals, queries and updates until it is told to end. */
  @WorkflowInterface
  public interface Messages {
    @WorkflowMethod(name = "messages")
    List<String> run();

    @SignalMethod
    void add(String word);

    @SignalMethod
    void addTimes(String word, int times);

    @SignalMethod
    void end();

    @QueryMethod
    String text(String separator);

    @QueryMethod
    String broken();

    @UpdateMethod
    int append(String word);

    @UpdateValidatorMethod(updateName = "append")
    void validateAppend(String word);

    @UpdateMethod
    String appendEcho(String word);

    @UpdateMethod
    void failLater();

    @UpdateMethod
    String waitForEnd();
  }

  public static final class MessagesImpl implements Messages {
    private final List<String> words = new ArrayList<>();
    private boolean ended;

    @Override
    public List<String> run() {
      Workflow.await(() -> ended && Workflow.isEveryHandlerFinished());
      return words;
    }

    @Override
    public void add(String word) {
      words.add(word);
    }

    @Override
    public void addTimes(String word, int times) {
      words.addAll(Collections.nCopies(times, word));
    }

    @Override
    public void end() {
      ended = true;
    }

    @Override
    public String text(String separator) {
      return String.join(separator, words);
    }

    @Override
    public String broken() {
      throw new IllegalStateException("this query always fails");
    }

    @Override
    public int append(String word) {
      words.add(word);
      return words.size();
    }

    @Override
    public void validateAppend(String word) {
      if (word.isEmpty()) {
        throw ApplicationFailure.newFailure("an empty word", "EmptyWord");
      }
    }

    @Override
    public String appendEcho(String word) {
      words.add(Workflows.act(Workflows.activity()).echoActivity(word));
      return word;
    }

    @Override
    public void failLater() {
      Workflow.sleep(10);
      throw ApplicationFailure.newFailure("accepted, then failed", "TooLate");
    }

    @Override
    public String waitForEnd() {
      Workflow.await(() -> ended);
      return "ended";
    }
  }

  /** Ends without its unfinished update. */
  @WorkflowInterface
  public interface LeavesUpdate {
    @WorkflowMethod(name = "leavesUpdate")
    void run();

    @UpdateMethod(unfinishedPolicy = HandlerUnfinishedPolicy.ABANDON)
    void never();
  }

  public static final class LeavesUpdateImpl implements LeavesUpdate {
    private boolean accepted;

    @Override
    public void run() {
      Workflow.await(() -> accepted);
    }

    @Override
    public void never() {
      accepted = true;
      Workflow.await(() -> false);
    }
  }

  /** Answers whatever it is asked, by the names that others made up. */
  @WorkflowInterface
  public interface Dynamic {
    @WorkflowMethod(name = "dynamic")
    List<String> run();
  }

  public static final class DynamicImpl implements Dynamic {
    private final List<String> heard = new ArrayList<>();

    @Override
    public List<String> run() {
      Workflow.registerListener((DynamicSignalHandler) (name, args) ->
          heard.add(name + "(" + (args.getSize() == 0 ? "" : args.get(0, Integer.class)) + ")"));
      Workflow.registerListener((DynamicQueryHandler) (name, args) ->
          "%s(%d) after %s".formatted(name, args.get(0, Integer.class), heard));
      Workflow.registerListener((DynamicUpdateHandler) (name, args) -> {
        heard.add(name + "(" + args.get(0, String.class) + ")");
        return heard.size();
      });
      Workflow.await(() -> heard.contains("end()"));
      return heard;
    }
  }

  /** Signals and cancels another workflow, and tries both with one that is not there. */
  @WorkflowInterface
  public interface Caller {
    @WorkflowMethod(name = "caller")
    String run(String other);
  }

  public static final class CallerImpl implements Caller {
    @Override
    public String run(String other) {
      ExternalWorkflowStub target = Workflow.newUntypedExternalWorkflowStub(other);
      target.signal("add", "from outside");
      target.cancel("no longer needed");
      ExternalWorkflowStub nobody = Workflow.newUntypedExternalWorkflowStub(other + "-missing");
      try {
        nobody.signal("add", "lost");
        return "a signal to nobody was sent";
      } catch (ApplicationFailure expected) {
        // Nobody is there.
      }
      try {
        nobody.cancel();
        return "a request to nobody was sent";
      } catch (CancelExternalWorkflowException expected) {
        return "nobody there";
      }
    }
  }

  /** A signal is cancelled before it is sent. */
  @WorkflowInterface
  public interface CancelsSignal {
    @WorkflowMethod(name = "cancelsSignal")
    String run();
  }

  public static final class CancelsSignalImpl implements CancelsSignal {
    @Override
    public String run() {
      List<Promise<Void>> sending = new ArrayList<>();
      ExternalWorkflowStub nobody = Workflow.newUntypedExternalWorkflowStub("nobody");
      CancellationScope scope =
          Workflow.newCancellationScope(() -> sending.add(Async.procedure(() -> nobody.signal("add", "lost"))));
      scope.run();
      scope.cancel();
      try {
        sending.get(0).get();
        return "sent";
      } catch (CanceledFailure cancelled) {
        return "CanceledFailure";
      }
    }
  }
}
