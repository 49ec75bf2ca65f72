package parity;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.api.workflowservice.v1.WorkflowServiceGrpc.WorkflowServiceBlockingStub;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowExecutionDescription;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerFactoryOptions;
import io.temporal.worker.WorkerOptions;
import io.temporal.worker.WorkflowImplementationOptions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** One scenario's view of the server, and what it may demand of it. Only the list of runs is shared. */
record Bench(WorkflowClient client, String name, String queue, Queue<WorkflowExecution> runs) {
  private static final Duration EVENTUALLY = Duration.ofSeconds(20);
  private static final int PAUSE_MS = 50;

  interface Scenario {
    String play(Bench b) throws Exception;
  }

  interface Call {
    void run() throws Exception;
  }

  /** The same scenario with another client. */
  Bench with(WorkflowClient other) {
    return new Bench(other, name, queue, runs);
  }

  String newId() {
    return name + "-" + UUID.randomUUID();
  }

  void expect(String what, Object saw, Object wanted) {
    if (!Objects.equals(saw, wanted)) {
      throw new Wrong("%s: expected %s, saw %s".formatted(what, wanted, saw));
    }
  }

  void contains(String what, String text, String part) {
    if (!text.contains(part)) {
      throw new Wrong("%s: expected \"%s\" in \"%s\"".formatted(what, part, text));
    }
  }

  /** For what the server promises only after a while: visibility, the effects of a closed parent. */
  <T> void eventually(String what, T wanted, Callable<T> read) throws Exception {
    long end = System.nanoTime() + EVENTUALLY.toNanos();
    T saw = read.call();
    for (; !saw.equals(wanted) && System.nanoTime() < end; saw = read.call()) {
      Thread.sleep(PAUSE_MS);
    }
    expect(what, saw, wanted);
  }

  /** Demands an exception of a class, with a text in its message or in one of its causes'. */
  <E extends Throwable> E failsAs(String what, Class<E> type, String text, Call call) {
    Throwable failure = null;
    try {
      call.run();
    } catch (Throwable thrown) {
      failure = thrown;
    }
    if (!type.isInstance(failure)) {
      throw new Wrong("%s: expected %s, saw %s".formatted(what, type.getSimpleName(), chain(failure)));
    }
    contains(what, chain(failure), text);
    return type.cast(failure);
  }

  /** Demands that the service refuses with a code, and returns what it said. */
  String refuses(String what, Status.Code code, String text, Call call) {
    Throwable failure = failsAs(what, Exception.class, "", call);
    while (failure != null && !(failure instanceof StatusRuntimeException)) {
      failure = failure.getCause();
    }
    Status status = failure == null ? Status.OK : ((StatusRuntimeException) failure).getStatus();
    expect("%s (%s)".formatted(what, status.getDescription()), status.getCode(), code);
    contains(what, String.valueOf(status.getDescription()), text);
    return status.getDescription();
  }

  static String chain(Throwable failure) {
    StringBuilder text = new StringBuilder();
    for (Throwable at = failure; at != null; at = at.getCause()) {
      text.append(at == failure ? "" : " <- ").append(at.getClass().getSimpleName()).append(": ")
          .append(at.getMessage());
    }
    return text.isEmpty() ? "no exception" : text.toString();
  }

  WorkflowOptions.Builder options() {
    return WorkflowOptions.newBuilder().setWorkflowId(newId()).setTaskQueue(queue);
  }

  WorkflowStub start(String type, Object... args) {
    return start(options(), type, args);
  }

  WorkflowStub start(WorkflowOptions.Builder options, String type, Object... args) {
    WorkflowStub stub = client.newUntypedWorkflowStub(type, options.build());
    keep(stub.start(args));
    return stub;
  }

  /** Starts a run that the replay at the end leaves out. */
  WorkflowStub startUnkept(WorkflowOptions.Builder options, String type, Object... args) {
    WorkflowStub stub = client.newUntypedWorkflowStub(type, options.build());
    stub.start(args);
    return stub;
  }

  void keep(WorkflowExecution run) {
    runs.add(run);
  }

  WorkflowStub run(String id) {
    return client.newUntypedWorkflowStub(id);
  }

  WorkflowStub run(String id, String runId) {
    return client.newUntypedWorkflowStub(id, Optional.of(runId), Optional.empty());
  }

  static String id(WorkflowStub stub) {
    return stub.getExecution().getWorkflowId();
  }

  static String runId(WorkflowStub stub) {
    return stub.getExecution().getRunId();
  }

  WorkflowExecutionDescription describe(String id) {
    return run(id).describe();
  }

  String status(String id) {
    return without(describe(id).getStatus().name(), "WORKFLOW_EXECUTION_STATUS_");
  }

  String status(String id, String runId) {
    return without(run(id, runId).describe().getStatus().name(), "WORKFLOW_EXECUTION_STATUS_");
  }

  static String without(String name, String prefix) {
    return name.substring(name.startsWith(prefix) ? prefix.length() : 0);
  }

  static String eventName(HistoryEvent event) {
    return without(event.getEventType().name(), "EVENT_TYPE_");
  }

  List<HistoryEvent> history(String id) {
    return client.fetchHistory(id).getEvents();
  }

  List<HistoryEvent> history(String id, String runId) {
    return client.fetchHistory(id, runId).getEvents();
  }

  HistoryEvent started(String id, String runId) {
    return history(id, runId).get(0);
  }

  /** The first event of a kind. */
  HistoryEvent event(WorkflowStub run, Predicate<HistoryEvent> kind) {
    return history(id(run)).stream().filter(kind).findFirst()
        .orElseThrow(() -> new Wrong("an event is missing in " + events(run)));
  }

  static Instant time(HistoryEvent event) {
    return Instant.ofEpochSecond(event.getEventTime().getSeconds(), event.getEventTime().getNanos());
  }

  /** The types of a run's events whose names contain one of the words; of all without. */
  List<String> events(WorkflowStub run, String... words) {
    return events(id(run), words);
  }

  List<String> events(String id, String... words) {
    return history(id).stream().map(Bench::eventName)
        .filter(event -> words.length == 0 || Stream.of(words).anyMatch(event::contains)).toList();
  }

  WorkflowServiceBlockingStub service() {
    return client.getWorkflowServiceStubs().blockingStub();
  }

  /** Runs the workflows and activities of all scenarios until it is closed. */
  WorkerFactory worker(String taskQueue, WorkerFactoryOptions.Builder factoryOptions) {
    WorkerFactory factory = WorkerFactory.newInstance(client, factoryOptions.build());
    WorkerOptions options = WorkerOptions.newBuilder().setMaxHeartbeatThrottleInterval(Duration.ofMillis(50))
        .setDefaultHeartbeatThrottleInterval(Duration.ofMillis(50)).build();
    Worker worker = factory.newWorker(taskQueue, options);
    worker.registerWorkflowImplementationTypes(WorkflowImplementationOptions.newBuilder()
        .setEnableUpsertVersionSearchAttributes(true).build(), Workflows.ALL);
    worker.registerActivitiesImplementations(new ActivitiesImpl());
    factory.start();
    return factory;
  }

  static void stop(WorkerFactory factory) {
    factory.shutdownNow();
    factory.awaitTermination(10, TimeUnit.SECONDS);
  }

  /** Does something with a worker of the scenario's own. */
  <T> T withWorker(String taskQueue, Callable<T> play) throws Exception {
    return withWorker(taskQueue, WorkerFactoryOptions.newBuilder(), play);
  }

  <T> T withWorker(String taskQueue, WorkerFactoryOptions.Builder options, Callable<T> play) throws Exception {
    WorkerFactory factory = worker(taskQueue, options);
    try {
      return play.call();
    } finally {
      stop(factory);
    }
  }
}
