package parity;

import io.temporal.api.enums.v1.ParentClosePolicy;
import io.temporal.api.enums.v1.WorkflowIdReusePolicy;
import io.temporal.client.WorkflowExecutionAlreadyStarted;
import io.temporal.common.Priority;
import io.temporal.common.RetryOptions;
import io.temporal.common.SearchAttributes;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.ChildWorkflowFailure;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.ChildWorkflowCancellationType;
import io.temporal.workflow.ChildWorkflowOptions;
import io.temporal.workflow.ChildWorkflowStub;
import io.temporal.workflow.Promise;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Workflows with children. */
final class ChildWorkflows {
  private ChildWorkflows() {}

  /** Runs a child and returns what it gave, or how it failed. */
  @WorkflowInterface
  public interface Parent {
    /** The options' name chooses one of those below. */
    @WorkflowMethod(name = "parent")
    Object run(String type, List<Object> args, String id, String options);
  }

  public static final class ParentImpl implements Parent {
    @Override
    public Object run(String type, List<Object> args, String id, String options) {
      ChildWorkflowStub child = Workflow.newUntypedChildWorkflowStub(type, options(id, options));
      try {
        return child.execute(Object.class, args.toArray());
      } catch (ChildWorkflowFailure failure) {
        if (failure.getCause() instanceof WorkflowExecutionAlreadyStarted) {
          return "already started";
        }
        return failure.getRetryState() + ": " + Workflows.describeFailure(failure.getCause());
      }
    }

    private static ChildWorkflowOptions options(String id, String name) {
      ChildWorkflowOptions.Builder options = ChildWorkflowOptions.newBuilder().setWorkflowId(id);
      RetryOptions.Builder retry = RetryOptions.newBuilder().setInitialInterval(Duration.ofMillis(10));
      switch (name) {
        case "many" -> options.setMemo(Map.of("kept", "yes")).setWorkflowRunTimeout(Duration.ofSeconds(50))
            .setStaticSummary("a child").setPriority(Priority.newBuilder().setPriorityKey(4).build())
            .setTypedSearchAttributes(SearchAttributes.newBuilder().set(Workflows.COLOUR, "blue").build());
        case "twice" -> options.setRetryOptions(retry.setMaximumAttempts(2).build());
        case "thrice" -> options.setRetryOptions(retry.setMaximumAttempts(3).build());
        case "briefly" -> options.setWorkflowRunTimeout(Duration.ofSeconds(1));
        case "first" -> options.setWorkflowIdReusePolicy(
            WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE);
        default -> { }
      }
      return options.build();
    }
  }

  /** Starts a child that waits, and ends before it. */
  @WorkflowInterface
  public interface Leaver {
    @WorkflowMethod(name = "leaver")
    void run(ParentClosePolicy policy, String id);
  }

  public static final class LeaverImpl implements Leaver {
    @Override
    public void run(ParentClosePolicy policy, String id) {
      ChildWorkflowStub child = Workflow.newUntypedChildWorkflowStub("cleansUp",
          ChildWorkflowOptions.newBuilder().setWorkflowId(id).setParentClosePolicy(policy).build());
      child.executeAsync(Void.class);
      child.getExecution().get();
    }
  }

  /** Signals its child, which gives back what it heard. */
  @WorkflowInterface
  public interface SignalsChild {
    @WorkflowMethod(name = "signalsChild")
    List<?> run(String id);
  }

  public static final class SignalsChildImpl implements SignalsChild {
    @Override
    public List<?> run(String id) {
      ChildWorkflowStub child = Workflow.newUntypedChildWorkflowStub("messages",
          ChildWorkflowOptions.newBuilder().setWorkflowId(id).build());
      Promise<List> words = child.executeAsync(List.class);
      child.getExecution().get();
      child.signal("add", "from the parent");
      child.signal("end");
      return words.get();
    }
  }

  /** Cancels a running child; how it learns of that is the type's affair. */
  @WorkflowInterface
  public interface CancelsChild {
    @WorkflowMethod(name = "cancelsChild")
    String run(ChildWorkflowCancellationType type, String id);

    @SignalMethod
    void end();
  }

  public static final class CancelsChildImpl implements CancelsChild {
    private boolean ended;

    @Override
    public String run(ChildWorkflowCancellationType type, String id) {
      ChildWorkflowStub child = Workflow.newUntypedChildWorkflowStub("cleansUp", ChildWorkflowOptions.newBuilder()
          .setWorkflowId(id).setCancellationType(type)
          .setParentClosePolicy(ParentClosePolicy.PARENT_CLOSE_POLICY_ABANDON).build());
      List<Promise<Void>> running = new ArrayList<>();
      CancellationScope scope = Workflow.newCancellationScope(() -> running.add(child.executeAsync(Void.class)));
      scope.run();
      child.getExecution().get();
      scope.cancel();
      try {
        running.get(0).get();
        return "completed";
      } catch (ChildWorkflowFailure | CanceledFailure failure) {
        Workflow.await(() -> ended); // A request to cancel is not sent by a closed workflow.
        return Workflows.describeFailure(failure);
      }
    }

    @Override
    public void end() {
      ended = true;
    }
  }

  /** Cancels a child in the task that starts it: the server never hears of it. */
  @WorkflowInterface
  public interface CancelsChildEarly {
    @WorkflowMethod(name = "cancelsChildEarly")
    String run(String id);
  }

  public static final class CancelsChildEarlyImpl implements CancelsChildEarly {
    @Override
    public String run(String id) {
      ChildWorkflowStub child = Workflow.newUntypedChildWorkflowStub("cleansUp",
          ChildWorkflowOptions.newBuilder().setWorkflowId(id).build());
      List<Promise<Void>> running = new ArrayList<>();
      CancellationScope scope = Workflow.newCancellationScope(() -> running.add(child.executeAsync(Void.class)));
      scope.run();
      scope.cancel();
      try {
        running.get(0).get();
        return "completed";
      } catch (ChildWorkflowFailure | CanceledFailure failure) {
        return "cancelled before it started";
      }
    }
  }
}
