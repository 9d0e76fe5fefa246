package dev.millrace.client;

import io.grpc.CallCredentials;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.IOException;
import java.util.concurrent.Executor;

/** Puts a bearer token on every call of a channel. */
final class BearerToken extends CallCredentials {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final TokenSource source;

  BearerToken(TokenSource source) {
    this.source = source;
  }

  @Override
  public void applyRequestMetadata(RequestInfo info, Executor executor, MetadataApplier applier) {
    executor.execute(() -> apply(applier)); // A source may wait, gRPC's thread may not.
  }

  private void apply(MetadataApplier applier) {
    Metadata headers = new Metadata();
    try {
      String token = source.token().strip();
      if (token.isEmpty()) throw new IOException("The token is empty.");
      headers.put(AUTHORIZATION, "Bearer " + token);
    } catch (IOException | RuntimeException missing) {
      applier.fail(Status.UNAVAILABLE.withDescription(missing.getMessage()).withCause(missing));
      return;
    }
    applier.apply(headers);
  }
}
