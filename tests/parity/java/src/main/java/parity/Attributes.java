package parity;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.operatorservice.v1.AddSearchAttributesRequest;
import io.temporal.api.operatorservice.v1.ListSearchAttributesRequest;
import io.temporal.common.SearchAttributeKey;
import io.temporal.serviceclient.OperatorServiceStubs;
import io.temporal.serviceclient.OperatorServiceStubsOptions;
import java.time.OffsetDateTime;
import java.util.List;

/** The custom search attributes, one of each type. */
final class Attributes {
  static final SearchAttributeKey<Double> WEIGHT = SearchAttributeKey.forDouble("ParityWeight");
  static final SearchAttributeKey<Boolean> FRESH = SearchAttributeKey.forBoolean("ParityFresh");
  static final SearchAttributeKey<OffsetDateTime> WHEN = SearchAttributeKey.forOffsetDateTime("ParityWhen");
  static final SearchAttributeKey<List<String>> TAGS = SearchAttributeKey.forKeywordList("ParityTags");
  static final SearchAttributeKey<String> STORY = SearchAttributeKey.forText("ParityStory");

  private static final List<SearchAttributeKey<?>> ALL =
      List.of(Workflows.COLOUR, Workflows.SIZE, WEIGHT, FRESH, WHEN, TAGS, STORY);

  private Attributes() {}

  /** Registers them, and waits until the server knows them. */
  static void add(Bench b) throws Exception {
    var stubs = OperatorServiceStubs.newServiceStubs(OperatorServiceStubsOptions.newBuilder()
        .setChannel(b.client().getWorkflowServiceStubs().getRawChannel()).validateAndBuildWithDefaults());
    var request = AddSearchAttributesRequest.newBuilder().setNamespace("default");
    ALL.forEach(key -> request.putSearchAttributes(key.getName(), key.getValueType()));
    try {
      stubs.blockingStub().addSearchAttributes(request.build());
    } catch (StatusRuntimeException failure) {
      if (failure.getStatus().getCode() != Status.Code.ALREADY_EXISTS) {
        throw failure;
      }
    }
    var ask = ListSearchAttributesRequest.newBuilder().setNamespace("default").build();
    b.eventually("custom attributes", true, () -> stubs.blockingStub().listSearchAttributes(ask)
        .getCustomAttributesMap().keySet().containsAll(ALL.stream().map(SearchAttributeKey::getName).toList()));
  }
}
