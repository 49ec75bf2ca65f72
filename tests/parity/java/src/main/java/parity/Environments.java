package parity;

import com.google.protobuf.Empty;
import com.google.protobuf.util.Timestamps;
import io.temporal.activity.ActivityOptions;
import io.temporal.api.enums.v1.IndexedValueType;
import io.temporal.api.testservice.v1.LockTimeSkippingRequest;
import io.temporal.api.testservice.v1.SleepRequest;
import io.temporal.api.testservice.v1.SleepUntilRequest;
import io.temporal.api.testservice.v1.UnlockTimeSkippingRequest;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowOptions;
import io.temporal.common.RetryOptions;
import io.temporal.common.SearchAttributeKey;
import io.temporal.common.SearchAttributes;
import io.temporal.failure.TimeoutFailure;
import io.temporal.serviceclient.TestServiceStubs;
import io.temporal.serviceclient.TestServiceStubsOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.testing.TestEnvironmentOptions;
import io.temporal.testing.TestWorkflowEnvironment;
import io.temporal.worker.Worker;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The official Java SDK's test environment and its client of the test service on our program, in place of the official
 * test and dev servers: prints ok, or raises.
 *
 * <p>java -cp parity-java.jar parity.Environments PROGRAM
 */
public final class Environments {
  private static final String QUEUE = "environments";
  private static final SearchAttributeKey<String> COLOUR = SearchAttributeKey.forKeyword("EnvironmentColour");
  private static final com.google.protobuf.Duration MONTH = protoDuration(Duration.ofDays(30));

  @WorkflowInterface
  public interface Sleeps {
    /** Sleeps, and has an activity tried again, for so many days and two months; tells how many that took. */
    @WorkflowMethod
    long sleeps(int days);
  }

  public static final class SleepsImpl implements Sleeps {
    private final Activities activities = Workflow.newActivityStub(Activities.class,
        ActivityOptions.newBuilder().setStartToCloseTimeout(Duration.ofDays(1))
            .setRetryOptions(RetryOptions.newBuilder().setInitialInterval(Duration.ofDays(30))
                .setMaximumInterval(Duration.ofDays(30)).build()).build());

    @Override
    public long sleeps(int days) {
      long begin = Workflow.currentTimeMillis();
      Workflow.sleep(Duration.ofDays(days));
      activities.succeedAt(3);
      return TimeUnit.MILLISECONDS.toDays(Workflow.currentTimeMillis() - begin);
    }
  }

  private interface Play {
    void on(TestWorkflowEnvironment env, String address) throws Exception;
  }

  private Environments() {}

  public static void main(String[] args) throws Exception {
    String program = args[0];
    // The two forms of arguments of the official test server, and those of the dev server.
    with(program, List.of("PORT"), (env, address) -> skips(env, address, true));
    with(program, List.of("PORT", "--enable-time-skipping"), (env, address) -> skips(env, address, false));
    with(program, List.of("server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", "PORT", "--log-level",
        "error"), (env, address) -> keepsRealTime(env));
    System.out.println("ok");
    System.exit(0);
  }

  /** Starts a server, and plays in an environment with a worker on it. */
  private static void with(String program, List<String> arguments, Play play) throws Exception {
    String port = String.valueOf(freePort());
    List<String> command = new ArrayList<>(List.of(program));
    arguments.forEach(argument -> command.add(argument.equals("PORT") ? port : argument));
    Process server = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String address = "127.0.0.1:" + port;
    // Unlike those of other SDKs, this environment does not wait for its server.
    WorkflowServiceStubs.newConnectedServiceStubs(
        WorkflowServiceStubsOptions.newBuilder().setTarget(address).build(), Duration.ofSeconds(30)).shutdownNow();
    TestEnvironmentOptions options = TestEnvironmentOptions.newBuilder().setUseExternalService(true).setTarget(address)
        .registerSearchAttribute(COLOUR.getName(), IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD).build();
    try (TestWorkflowEnvironment env = TestWorkflowEnvironment.newInstance(options)) {
      Worker worker = env.newWorker(QUEUE);
      worker.registerWorkflowImplementationTypes(SleepsImpl.class);
      worker.registerActivitiesImplementations(new ActivitiesImpl());
      env.start();
      play.on(env, address);
    } finally {
      server.destroy();
      demand(server.waitFor(30, TimeUnit.SECONDS), "the server did not end when it was asked to");
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private static void skips(TestWorkflowEnvironment env, String address, boolean locked) throws Exception {
    WorkflowClient client = env.getWorkflowClient();
    TestServiceStubs stubs = TestServiceStubs.newServiceStubs(
        TestServiceStubsOptions.newBuilder().setTarget(address).validateAndBuildWithDefaults());
    var service = stubs.blockingStub();
    if (locked) {
      service.unlockTimeSkipping(UnlockTimeSkippingRequest.getDefaultInstance());
    }
    long begin = now(stubs);
    demand(client.newWorkflowStub(Sleeps.class, options("year").build()).sleeps(300) >= 360, "a year took less");
    demand(now(stubs) - begin >= TimeUnit.DAYS.toMillis(360), "the server's clock did not skip");

    var late = client.newWorkflowStub(Sleeps.class, options("late").setWorkflowRunTimeout(Duration.ofDays(1)).build());
    try {
      late.sleeps(2);
      throw new Wrong("it did not time out");
    } catch (WorkflowFailedException failed) {
      demand(failed.getCause() instanceof TimeoutFailure, "it failed with " + failed.getCause());
    }

    service.lockTimeSkipping(LockTimeSkippingRequest.getDefaultInstance());
    begin = now(stubs);
    service.unlockTimeSkippingWithSleep(SleepRequest.newBuilder().setDuration(MONTH).build());
    long days = TimeUnit.MILLISECONDS.toDays(now(stubs) - begin);
    demand(days == 30, "a sleep of 30 days took " + days);
    service.sleepUntil(SleepUntilRequest.newBuilder().setTimestamp(Timestamps.fromMillis(now(stubs) - 1000)).build());
    stubs.shutdownNow();
  }

  private static void keepsRealTime(TestWorkflowEnvironment env) {
    SearchAttributes red = SearchAttributes.newBuilder().set(COLOUR, "red").build();
    WorkflowClient client = env.getWorkflowClient();
    var stub = client.newWorkflowStub(Sleeps.class, options("red").setTypedSearchAttributes(red).build());
    WorkflowClient.start(stub::sleeps, 1);
    demand(client.countWorkflows("EnvironmentColour = 'red'").getCount() == 1, "the run is not found");
    client.newUntypedWorkflowStub("red").terminate("enough");
  }

  private static WorkflowOptions.Builder options(String id) {
    return WorkflowOptions.newBuilder().setWorkflowId(id).setTaskQueue(QUEUE);
  }

  private static long now(TestServiceStubs stubs) {
    return Timestamps.toMillis(stubs.blockingStub().getCurrentTime(Empty.getDefaultInstance()).getTime());
  }

  private static com.google.protobuf.Duration protoDuration(Duration duration) {
    return com.google.protobuf.Duration.newBuilder().setSeconds(duration.getSeconds()).build();
  }

  private static void demand(boolean right, String otherwise) {
    if (!right) {
      throw new Wrong(otherwise);
    }
  }
}
