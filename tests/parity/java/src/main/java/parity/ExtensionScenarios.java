package parity;

import static parity.Bench.id;

import com.google.protobuf.ByteString;
import io.temporal.api.common.v1.Payload;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.client.WorkflowFailedException;
import io.temporal.client.WorkflowStub;
import io.temporal.common.converter.CodecDataConverter;
import io.temporal.common.converter.DefaultDataConverter;
import io.temporal.common.interceptors.Header;
import io.temporal.payload.codec.PayloadCodec;
import io.temporal.worker.WorkerFactoryOptions;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What users put between themselves and the server: codecs and interceptors. */
final class ExtensionScenarios {
  static final Map<String, Bench.Scenario> ALL = new LinkedHashMap<>();

  static {
    ALL.put("codec", ExtensionScenarios::codec);
    ALL.put("interceptors", ExtensionScenarios::interceptors);
    ALL.put("payloads", ExtensionScenarios::payloads);
  }

  private ExtensionScenarios() {}

  /** Turns every byte round; what it made is told by its encoding. */
  private static final class TurningCodec implements PayloadCodec {
    private static final ByteString ENCODING = ByteString.copyFromUtf8("binary/parity");

    private static ByteString turned(byte[] data) {
      for (int i = 0; i < data.length; i++) {
        data[i] ^= (byte) 0xff;
      }
      return ByteString.copyFrom(data);
    }

    @Override
    public List<Payload> encode(List<Payload> payloads) {
      return payloads.stream().map(plain -> Payload.newBuilder().putMetadata("encoding", ENCODING)
          .setData(turned(plain.toByteArray())).build()).toList();
    }

    @Override
    public List<Payload> decode(List<Payload> payloads) {
      return payloads.stream().map(hidden -> {
        try {
          boolean ours = ENCODING.equals(hidden.getMetadataMap().get("encoding"));
          return ours ? Payload.parseFrom(turned(hidden.getData().toByteArray())) : hidden;
        } catch (com.google.protobuf.InvalidProtocolBufferException broken) {
          throw new IllegalArgumentException(broken);
        }
      }).toList();
    }
  }

  private static Bench with(Bench b, WorkflowClientOptions.Builder options) {
    return b.with(WorkflowClient.newInstance(b.client().getWorkflowServiceStubs(), options.build()));
  }

  /** Nothing that the user wrote is readable in what the server keeps. */
  static String codec(Bench plain) throws Exception {
    var converter =
        new CodecDataConverter(DefaultDataConverter.newDefaultInstance(), List.of(new TurningCodec()), true);
    Bench b = with(plain, WorkflowClientOptions.newBuilder().setDataConverter(converter));
    String queue = b.newId();
    return b.withWorker(queue, () -> {
      WorkflowStub run = b.startUnkept(b.options().setTaskQueue(queue).setMemo(Map.of("note", "secret"))
          .setStaticSummary("secret"), "messages");
      run.signal("add", "secret");
      b.expect("update", run.update("appendEcho", String.class, "secret too"), "secret too");
      b.expect("query", run.query("text", String.class, "+"), "secret+secret too");
      run.signal("end");
      b.expect("result", run.getResult(List.class), List.of("secret", "secret too"));
      b.expect("memo and summary", List.of(b.describe(id(run)).getMemo("note", String.class),
          b.describe(id(run)).getStaticSummary()), List.of("secret", "secret"));
      WorkflowStub broken = b.startUnkept(b.options().setTaskQueue(queue), "declined", "secret");
      b.contains("failure", broken.getResult(String.class), "CardDeclined/card declined/secret/42/true <- BankError");
      WorkflowStub failing = b.startUnkept(b.options().setTaskQueue(queue), "fails", "secret");
      WorkflowFailedException failure =
          b.failsAs("failing", WorkflowFailedException.class, "secret", () -> failing.getResult(Void.class));
      b.expect("cause", Workflows.describeFailure(failure.getCause()),
          "Broken/secret/detail/7/true <- Root/the root/false");
      for (WorkflowStub each : List.of(run, broken, failing)) {
        String kept = plain.history(id(each)).toString();
        for (String word : List.of("secret", "card declined", "the bank", "the root")) {
          b.expect("\"%s\" is readable in the history of %s".formatted(word, id(each)), kept.contains(word), false);
        }
      }
      return "arguments, results, memo, summary, failures: read by the client, hidden in the history";
    });
  }

  static String interceptors(Bench plain) throws Exception {
    Bench b = with(plain, WorkflowClientOptions.newBuilder().setInterceptors(new Tracing.Client("t")));
    String queue = b.newId();
    var options = WorkerFactoryOptions.newBuilder().setWorkerInterceptors(new Tracing.Worker());
    return b.withWorker(queue, options, () -> {
      WorkflowStub other = b.client().newUntypedWorkflowStub("messages", b.options().setTaskQueue(queue).build());
      other.signalWithStart("add", new Object[] {"begin"}, new Object[] {});
      WorkflowStub run = b.startUnkept(b.options().setTaskQueue(queue), "traced", id(other));
      run.update("touch", Integer.class);
      b.expect("query", run.query("asked", String.class), "query t");
      run.signal("end");
      // An update that comes with the first task is handled before the workflow begins.
      b.expect("heard", Set.copyOf(run.getResult(List.class)), Set.of("execute t", "validate touch t", "update touch t",
          "signal end t", "activity t>activity", "activity t>local", "execute t>child", "execute t>again"));
      b.expect("the other one", other.getResult(List.class), List.of("begin"));
      List<String> signals = b.history(id(other)).stream()
          .filter(HistoryEvent::hasWorkflowExecutionSignaledEventAttributes)
          .map(HistoryEvent::getWorkflowExecutionSignaledEventAttributes)
          .map(signal -> signal.getSignalName() + " " + Tracing.read(new Header(signal.getHeader().getFieldsMap())))
          .toList();
      b.expect("signals", signals, List.of("add t", "end t>signal"));
      return "a header went with starts, signals, queries, updates, activities, children and new runs";
    });
  }

  /** Payloads that are large, empty, or of bytes arrive as they were. */
  static String payloads(Bench b) {
    String large = "0123456789".repeat(36_000);
    b.expect("large", b.start("echo", large).getResult(String.class), large);
    b.expect("null", b.start("echo", new Object[] {null}).getResult(String.class), null);
    byte[] bytes = {0, -1, 10};
    b.expect("bytes", Arrays.toString(b.start("echoBytes", bytes).getResult(byte[].class)), Arrays.toString(bytes));
    Map<String, Object> nested = Map.of("text", "é😀", "list", List.of(1, Map.of("deep", true)));
    b.expect("nested", b.start("echo", nested).getResult(Map.class), nested);
    return "360 kB, null, bytes, nested";
  }
}
