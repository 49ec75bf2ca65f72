package parity;

/** What a scenario throws when it saw what the protocol does not promise. */
final class Wrong extends RuntimeException {
  Wrong(String text) {
    super(text);
  }
}
