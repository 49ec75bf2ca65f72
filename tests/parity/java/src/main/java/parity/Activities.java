package parity;

import io.temporal.activity.ActivityInterface;
import java.util.Map;

/** The activities of all scenarios. */
@ActivityInterface(namePrefix = "")
public interface Activities {
  String echoActivity(String value);

  int succeedAt(int attempt);

  void declineCard(String order);

  /** Asks for its next attempt sooner than the policy would have it. */
  int hurryUp();

  /** Beats once and hangs; an attempt that finds an earlier beat returns it. */
  String heartbeatThenHang(String detail);

  String hang();

  /** Tells the workflow that it runs, then beats until the server says that it was cancelled. */
  void heartbeatUntilCancelled();

  /** Is completed by somebody else, who finds its ids in ActivitiesImpl.OPEN. */
  String answerLater();

  /** What the server told the worker of this task. */
  Map<String, Object> tellInfo();
}
