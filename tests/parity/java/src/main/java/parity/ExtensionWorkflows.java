package parity;

import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.UpdateMethod;
import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import io.temporal.activity.LocalActivityOptions;
import java.util.ArrayList;
import java.util.List;

/** Workflows whose calls carry headers, by the interceptors of Tracing. */
final class ExtensionWorkflows {
  private ExtensionWorkflows() {}

  /** Calls everything that carries headers, and returns what arrived where. */
  @WorkflowInterface
  public interface Traced {
    @WorkflowMethod(name = "traced")
    List<String> run(String other);

    @SignalMethod
    void end();

    @UpdateMethod
    int touch();

    @QueryMethod
    String asked();
  }

  public static final class TracedImpl implements Traced {
    private boolean ended;

    @Override
    public List<String> run(String other) {
      Workflow.await(() -> ended);
      List<String> heard = new ArrayList<>(Tracing.heard());
      heard.add(Workflows.act(Workflows.activity()).echoActivity("unseen"));
      heard.add(Workflow.newLocalActivityStub(Activities.class,
          LocalActivityOptions.newBuilder().setStartToCloseTimeout(Workflows.SHORT).build()).echoActivity("unseen"));
      heard.addAll(Workflow.newChildWorkflowStub(TracedChild.class).run());
      Workflow.newUntypedExternalWorkflowStub(other).signal("end");
      return Workflow.newContinueAsNewStub(TracedAgain.class).run(heard);
    }

    @Override
    public void end() {
      ended = true;
    }

    @Override
    public int touch() {
      return 1;
    }

    @Override
    public String asked() {
      return Tracing.asked();
    }
  }

  @WorkflowInterface
  public interface TracedChild {
    @WorkflowMethod(name = "tracedChild")
    List<String> run();
  }

  public static final class TracedChildImpl implements TracedChild {
    @Override
    public List<String> run() {
      return Tracing.heard();
    }
  }

  @WorkflowInterface
  public interface TracedAgain {
    @WorkflowMethod(name = "tracedAgain")
    List<String> run(List<String> earlier);
  }

  public static final class TracedAgainImpl implements TracedAgain {
    @Override
    public List<String> run(List<String> earlier) {
      List<String> all = new ArrayList<>(earlier);
      all.addAll(Tracing.heard());
      return all;
    }
  }
}
