package parity;

import io.temporal.api.common.v1.Payload;
import io.temporal.common.converter.DefaultDataConverter;
import io.temporal.common.interceptors.ActivityInboundCallsInterceptor;
import io.temporal.common.interceptors.ActivityInboundCallsInterceptorBase;
import io.temporal.common.interceptors.Header;
import io.temporal.common.interceptors.WorkerInterceptorBase;
import io.temporal.common.interceptors.WorkflowClientCallsInterceptor;
import io.temporal.common.interceptors.WorkflowClientCallsInterceptorBase;
import io.temporal.common.interceptors.WorkflowClientInterceptorBase;
import io.temporal.common.interceptors.WorkflowInboundCallsInterceptor;
import io.temporal.common.interceptors.WorkflowInboundCallsInterceptorBase;
import io.temporal.common.interceptors.WorkflowOutboundCallsInterceptor;
import io.temporal.common.interceptors.WorkflowOutboundCallsInterceptorBase;
import io.temporal.workflow.WorkflowLocal;
import java.util.ArrayList;
import java.util.List;

/** Interceptors that carry a trace from the client to all that a workflow calls, in a header. */
final class Tracing {
  static final String HEADER = "parity-trace";

  // Each run has its own.
  private static final WorkflowLocal<List<String>> HEARD = WorkflowLocal.withCachedInitial(ArrayList::new);
  private static final WorkflowLocal<String> TRACE = WorkflowLocal.withCachedInitial(() -> null);
  private static final ThreadLocal<String> ASKED = new ThreadLocal<>();

  private Tracing() {}

  /** What the current run heard, in order. */
  static List<String> heard() {
    return HEARD.get();
  }

  /** What came with the query that is being answered. */
  static String asked() {
    return ASKED.get();
  }

  static String read(Header header) {
    Payload payload = header == null ? null : header.getValues().get(HEADER);
    return payload == null ? "nothing"
        : DefaultDataConverter.STANDARD_INSTANCE.fromPayload(payload, String.class, String.class);
  }

  private static void write(Header header, String trace) {
    header.getValues().put(HEADER, DefaultDataConverter.STANDARD_INSTANCE.toPayload(trace).orElseThrow());
  }

  /** Puts the trace on all that a client calls. */
  static final class Client extends WorkflowClientInterceptorBase {
    private final String trace;

    Client(String trace) {
      this.trace = trace;
    }

    @Override
    public WorkflowClientCallsInterceptor workflowClientCallsInterceptor(WorkflowClientCallsInterceptor next) {
      return new WorkflowClientCallsInterceptorBase(next) {
        @Override
        public WorkflowStartOutput start(WorkflowStartInput input) {
          write(input.getHeader(), trace);
          return super.start(input);
        }

        @Override
        public WorkflowSignalOutput signal(WorkflowSignalInput input) {
          write(input.getHeader(), trace);
          return super.signal(input);
        }

        @Override
        public WorkflowSignalWithStartOutput signalWithStart(WorkflowSignalWithStartInput input) {
          write(input.getWorkflowStartInput().getHeader(), trace);
          return super.signalWithStart(input);
        }

        @Override
        public <R> QueryOutput<R> query(QueryInput<R> input) {
          write(input.getHeader(), trace);
          return super.query(input);
        }

        @Override
        public <R> io.temporal.client.WorkflowUpdateHandle<R> startUpdate(StartUpdateInput<R> input) {
          write(input.getHeader(), trace);
          return super.startUpdate(input);
        }
      };
    }
  }

  /** Notes what arrives at a worker, and carries it on. */
  static final class Worker extends WorkerInterceptorBase {
    @Override
    public WorkflowInboundCallsInterceptor interceptWorkflow(WorkflowInboundCallsInterceptor next) {
      return new Inbound(next);
    }

    @Override
    public ActivityInboundCallsInterceptor interceptActivity(ActivityInboundCallsInterceptor next) {
      return new ActivityInboundCallsInterceptorBase(next) {
        @Override
        public ActivityOutput execute(ActivityInput input) {
          return new ActivityOutput("activity " + read(input.getHeader()));
        }
      };
    }
  }

  private static final class Inbound extends WorkflowInboundCallsInterceptorBase {
    Inbound(WorkflowInboundCallsInterceptor next) {
      super(next);
    }

    @Override
    public void init(WorkflowOutboundCallsInterceptor outbound) {
      super.init(new Outbound(outbound));
    }

    @Override
    public WorkflowOutput execute(WorkflowInput input) {
      TRACE.set(read(input.getHeader()));
      heard().add("execute " + TRACE.get());
      return super.execute(input);
    }

    @Override
    public void handleSignal(SignalInput input) {
      heard().add("signal %s %s".formatted(input.getSignalName(), read(input.getHeader())));
      super.handleSignal(input);
    }

    @Override
    public void validateUpdate(UpdateInput input) {
      heard().add("validate %s %s".formatted(input.getUpdateName(), read(input.getHeader())));
      super.validateUpdate(input);
    }

    @Override
    public UpdateOutput executeUpdate(UpdateInput input) {
      heard().add("update %s %s".formatted(input.getUpdateName(), read(input.getHeader())));
      return super.executeUpdate(input);
    }

    @Override
    public QueryOutput handleQuery(QueryInput input) {
      ASKED.set("query " + read(input.getHeader()));
      return super.handleQuery(input);
    }
  }

  private static final class Outbound extends WorkflowOutboundCallsInterceptorBase {
    Outbound(WorkflowOutboundCallsInterceptor next) {
      super(next);
    }

    private static void carry(Header header, String step) {
      write(header, TRACE.get() + ">" + step);
    }

    @Override
    public <R> ActivityOutput<R> executeActivity(ActivityInput<R> input) {
      carry(input.getHeader(), "activity");
      return super.executeActivity(input);
    }

    @Override
    public <R> LocalActivityOutput<R> executeLocalActivity(LocalActivityInput<R> input) {
      carry(input.getHeader(), "local");
      return super.executeLocalActivity(input);
    }

    @Override
    public <R> ChildWorkflowOutput<R> executeChildWorkflow(ChildWorkflowInput<R> input) {
      carry(input.getHeader(), "child");
      return super.executeChildWorkflow(input);
    }

    @Override
    public SignalExternalOutput signalExternalWorkflow(SignalExternalInput input) {
      carry(input.getHeader(), "signal");
      return super.signalExternalWorkflow(input);
    }

    @Override
    public void continueAsNew(ContinueAsNewInput input) {
      carry(input.getHeader(), "again");
      super.continueAsNew(input);
    }
  }
}
