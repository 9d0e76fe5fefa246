package dev.millrace.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * An authority for tests, with a certificate for a hub and one for each client that is asked for, made by the
 * script that the system property {@code millrace.dev-ca} names: the repository's {@code deploy/dev-ca.sh}.
 *
 * <p>Threads: one at a time.
 */
public final class DevelopmentCa {
  private static final long TIMEOUT_SECONDS = 60;

  private final Path directory;

  private DevelopmentCa(Path directory) {
    this.directory = directory;
  }

  /** Makes it in a directory that the caller deletes. */
  public static DevelopmentCa make(Path directory, String... clients) {
    return new DevelopmentCa(directory).issue(clients);
  }

  /** Makes what is missing of the hub's certificate and those of these clients. */
  public DevelopmentCa issue(String... clients) {
    List<String> command = new ArrayList<>(List.of(script(), directory.toString()));
    command.addAll(List.of(clients));
    run(command);
    return this;
  }

  /** Replaces a pair by a new one of the same authority, as whoever renews a certificate does. */
  public void renew(String name) {
    delete(certificate(name));
    delete(key(name));
    issue(name);
  }

  /** The authority's certificate. */
  public Path ca() {
    return directory.resolve("ca.crt");
  }

  public Path certificate(String name) {
    return directory.resolve(name + ".crt");
  }

  public Path key(String name) {
    return directory.resolve(name + ".key");
  }

  /** A key store of PKCS #12 with a client's certificate and key, for code that has only ever seen such. */
  public Path keyStore(String name, String password) {
    Path store = directory.resolve(name + ".p12");
    run(List.of(
        "openssl", "pkcs12", "-export", "-in", certificate(name).toString(), "-inkey", key(name).toString(),
        "-out", store.toString(), "-passout", "pass:" + password));
    return store;
  }

  /** The hub's flags for TLS. */
  public String[] hubFlags() {
    return new String[] {"--tls-cert=" + certificate("hub"), "--tls-key=" + key("hub")};
  }

  /** Copies over a file, as a whole, so that nobody reads half of it. */
  public static void replace(Path from, Path to) {
    try {
      Path next = Files.copy(from, to.resolveSibling(to.getFileName() + ".new"), StandardCopyOption.REPLACE_EXISTING);
      Files.move(next, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static String script() {
    String named = System.getProperty("millrace.dev-ca");
    if (named == null) throw new IllegalStateException("Name the script: -Dmillrace.dev-ca=deploy/dev-ca.sh");
    return Path.of(named).toAbsolutePath().normalize().toString();
  }

  private static void run(List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes());
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new IllegalStateException(command.get(0) + " failed: " + said);
      }
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while certificates are made.");
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
