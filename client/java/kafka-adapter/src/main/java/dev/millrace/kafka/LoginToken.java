package dev.millrace.kafka;

import static org.apache.kafka.common.config.SaslConfigs.SASL_LOGIN_CALLBACK_HANDLER_CLASS;
import static org.apache.kafka.common.config.SaslConfigs.SASL_LOGIN_REFRESH_WINDOW_FACTOR;

import dev.millrace.client.TokenSource;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerTokenCallback;
import org.apache.kafka.common.utils.Utils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The token that Kafka's own login gets, by the handler of {@code sasl.login.callback.handler.class}: asked when
 * a token is first needed, and again when most of its lifetime is over, {@code sasl.login.refresh.window.factor}.
 *
 * <p>Threads: any; those that need a new token wait for one of them to get it. Owns the handler.
 */
final class LoginToken implements TokenSource {
  private static final Logger LOG = LoggerFactory.getLogger(Settings.class);

  private final AuthenticateCallbackHandler handler;
  private final double refreshFactor;
  private final AtomicBoolean closed = new AtomicBoolean();
  private OAuthBearerToken token; // Null: none yet.
  private long refreshAtMs;

  private LoginToken(AuthenticateCallbackHandler handler, double refreshFactor) {
    this.handler = handler;
    this.refreshFactor = refreshFactor;
  }

  static LoginToken of(AbstractConfig config) {
    Class<?> type = config.getClass(SASL_LOGIN_CALLBACK_HANDLER_CLASS);
    if (type == null) {
      throw new ConfigException(
          SASL_LOGIN_CALLBACK_HANDLER_CLASS, null,
          "names who gets the token, such as Kafka's OAuthBearerLoginCallbackHandler; or use "
              + MillraceConfig.TOKEN_FILE);
    }
    try {
      AuthenticateCallbackHandler handler = (AuthenticateCallbackHandler) Utils.newInstance(type);
      handler.configure(
          config.values(),
          OAuthBearerLoginModule.OAUTHBEARER_MECHANISM,
          JaasContext.loadClientContext(config.values()).configurationEntries());
      return new LoginToken(handler, config.getDouble(SASL_LOGIN_REFRESH_WINDOW_FACTOR));
    } catch (KafkaException | IllegalArgumentException | ClassCastException unusable) {
      ConfigException refused =
          new ConfigException(SASL_LOGIN_CALLBACK_HANDLER_CLASS, type.getName(), unusable.getMessage());
      refused.initCause(unusable);
      throw refused;
    }
  }

  @Override
  public synchronized String token() throws IOException {
    long now = System.currentTimeMillis();
    if (token != null && now < refreshAtMs) return token.value();
    try {
      token = login();
      refreshAtMs = now + (long) (refreshFactor * (token.lifetimeMs() - now));
    } catch (IOException failed) {
      if (token == null || now >= token.lifetimeMs()) throw failed;
      LOG.warn("No new token, and the old one goes on being used: {}", failed.getMessage());
    }
    return token.value();
  }

  /** Does not wait for a login that goes on. */
  @Override
  public void close() {
    if (!closed.getAndSet(true)) handler.close();
  }

  private OAuthBearerToken login() throws IOException {
    OAuthBearerTokenCallback asked = new OAuthBearerTokenCallback();
    try {
      handler.handle(new Callback[] {asked});
    } catch (UnsupportedCallbackException | RuntimeException failed) {
      throw new IOException("The login got no token: " + failed.getMessage(), failed);
    }
    if (asked.token() != null) return asked.token();
    throw new IOException("The login got no token: " + asked.errorCode() + " " + asked.errorDescription());
  }
}
