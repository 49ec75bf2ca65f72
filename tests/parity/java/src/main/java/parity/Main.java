package parity;

import com.google.common.util.concurrent.Uninterruptibles;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.client.WorkflowClient;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The official Java SDK, worker and client, as the judge of a server: one line per scenario, exit code 0 if all are
 * right.
 *
 * <p>java -jar parity-java.jar --address HOST:PORT [--only NAME,NAME]
 */
public final class Main {
  private static final int AT_ONCE = 8;
  private static final int SCENARIO_SECONDS = 60;

  private record Verdict(boolean right, String saw) {}

  private final WorkflowClient client;
  private final String queue = "parity-java-" + UUID.randomUUID();
  private final Queue<WorkflowExecution> runs = new ConcurrentLinkedQueue<>();
  private int wrong;

  private Main(WorkflowClient client) {
    this.client = client;
  }

  public static void main(String[] args) {
    Map<String, String> options = new LinkedHashMap<>();
    for (int at = 0; at + 1 < args.length; at += 2) {
      options.put(args[at], args[at + 1]);
    }
    if (!options.containsKey("--address")) {
      System.err.println("parity-java: --address HOST:PORT is missing");
      System.exit(2);
    }
    Map<String, Bench.Scenario> scenarios = new LinkedHashMap<>();
    for (Map<String, Bench.Scenario> some : List.of(StartScenarios.ALL, ActivityScenarios.ALL, MessageScenarios.ALL,
        ChildScenarios.ALL, LifecycleScenarios.ALL, ServiceScenarios.ALL, ExtensionScenarios.ALL)) {
      scenarios.putAll(some);
    }
    if (options.containsKey("--only")) {
      scenarios.keySet().retainAll(Arrays.asList(options.get("--only").split(",")));
    }
    WorkflowServiceStubs service = WorkflowServiceStubs.newServiceStubs(
        WorkflowServiceStubsOptions.newBuilder().setTarget(options.get("--address")).build());
    System.exit(new Main(WorkflowClient.newInstance(service)).judge(scenarios) ? 0 : 1);
  }

  private Bench bench(String name) {
    return new Bench(client, name, queue, runs);
  }

  private boolean judge(Map<String, Bench.Scenario> scenarios) {
    ExecutorService slots = Executors.newFixedThreadPool(AT_ONCE);
    // Each scenario has a thread of its own under its slot's, so that one that hangs can be left behind.
    ExecutorService threads = Executors.newCachedThreadPool();
    var worker = bench("worker").worker(queue, io.temporal.worker.WorkerFactoryOptions.newBuilder());
    Map<String, Future<Verdict>> verdicts = new LinkedHashMap<>();
    scenarios.forEach((name, scenario) -> verdicts.put(name, slots.submit(() -> judged(name, scenario, threads))));
    verdicts.forEach((name, verdict) -> {
      try {
        report(name, Uninterruptibles.getUninterruptibly(verdict));
      } catch (ExecutionException impossible) {
        throw new AssertionError(impossible);
      }
    });
    Bench.stop(worker);
    report("replay", judged("replay", LifecycleScenarios::replay, threads));
    System.out.printf("%d right, %d wrong%n", scenarios.size() + 1 - wrong, wrong);
    return wrong == 0;
  }

  private Verdict judged(String name, Bench.Scenario scenario, ExecutorService threads) {
    Future<String> played = threads.submit(() -> scenario.play(bench(name)));
    try {
      return new Verdict(true, played.get(SCENARIO_SECONDS, TimeUnit.SECONDS));
    } catch (TimeoutException late) {
      played.cancel(true);
      return new Verdict(false, "no end within " + SCENARIO_SECONDS + " s");
    } catch (ExecutionException failure) {
      Throwable cause = failure.getCause();
      return new Verdict(false, cause instanceof Wrong ? cause.getMessage() : "unexpected " + Bench.chain(cause));
    } catch (InterruptedException interrupted) {
      return new Verdict(false, "interrupted");
    }
  }

  private void report(String name, Verdict verdict) {
    wrong += verdict.right ? 0 : 1;
    System.out.printf("%s %s: %s%n", verdict.right ? "ok   " : "WRONG", name, verdict.saw.replace('\n', ' '));
    System.out.flush();
  }
}
