package dev.millrace.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real hub for tests: the server program on ports that the kernel chooses, with a data directory of
 * its own that {@link #close} deletes.
 *
 * <p>The program is what the system property {@code millrace.server} or the environment variable
 * {@code MILLRACE_SERVER} names. A hub that was killed starts again on the same ports and data.
 *
 * <p>Threads: one at a time.
 */
public final class HubProcess implements AutoCloseable {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

  private final Path directory;
  private final List<String> flags;
  private Process process;
  private int port;
  private int webPort;

  private HubProcess(Path directory, List<String> flags) {
    this.directory = directory;
    this.flags = flags;
  }

  /**
   * Starts a hub and waits until it takes calls.
   *
   * @param flags further flags of the server, such as {@code --auto-create-topics=3}
   */
  public static HubProcess start(String... flags) {
    HubProcess hub = prepare(flags);
    hub.restart();
    return hub;
  }

  /** Makes the directory, and starts no hub yet: {@link #restart} does. */
  public static HubProcess prepare(String... flags) {
    try {
      return new HubProcess(Files.createTempDirectory("millrace-hub"), List.of(flags));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** Chooses the hub's ports before it is ever started, for clients that come earlier than it. */
  public HubProcess reservePorts() {
    port = freePort();
    webPort = freePort();
    return this;
  }

  /** Starts the hub (again) and waits until it takes calls. */
  public void restart() {
    try {
      Path portFile = directory.resolve("port");
      Path webPortFile = directory.resolve("web-port");
      Files.deleteIfExists(portFile);
      Files.deleteIfExists(webPortFile);
      List<String> command = new ArrayList<>(List.of(
          program(),
          "--data-dir", directory.resolve("data").toString(),
          "--listen", "127.0.0.1:" + port,
          "--port-file", portFile.toString(),
          "--web-listen", "127.0.0.1:" + webPort,
          "--web-port-file", webPortFile.toString()));
      command.addAll(flags);
      process = new ProcessBuilder(command)
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
          .start();
      port = awaitPort(portFile);
      webPort = awaitPort(webPortFile);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** Ends the hub at once, as {@code kill -9} does. */
  public void kill() {
    process.destroyForcibly();
    await();
  }

  /** Asks the hub to stop, as SIGTERM does, and waits for it. */
  public void stop() {
    process.destroy();
    await();
  }

  /** Where clients find the hub, as {@code 127.0.0.1:PORT}. */
  public String target() {
    return "127.0.0.1:" + port;
  }

  /** Where browsers and plain HTTP find it. */
  public URI web() {
    return URI.create("http://127.0.0.1:" + webPort);
  }

  /** The hub's log. */
  public Path log() {
    return directory.resolve("log");
  }

  /** Kills the hub if it runs, and deletes its directory. */
  @Override
  public void close() {
    if (process != null && process.isAlive()) kill();
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).forEach(HubProcess::delete);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static String program() {
    String named = System.getProperty("millrace.server", System.getenv("MILLRACE_SERVER"));
    if (named == null) {
      throw new IllegalStateException(
          "Name the hub's program: -Dmillrace.server=build/bin/millrace-server");
    }
    return Path.of(named).toAbsolutePath().normalize().toString();
  }

  private int awaitPort(Path file) throws IOException {
    long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
    while (!Files.exists(file) || Files.size(file) == 0) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new IllegalStateException("The hub did not start:\n" + Files.readString(log()));
      }
      pause();
    }
    return Integer.parseInt(Files.readString(file).strip());
  }

  private void await() {
    try {
      if (!process.waitFor(START_TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
        throw new IllegalStateException("The hub does not end.");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(5);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while the hub starts.");
    }
  }

  private static int freePort() {
    try (var socket = new java.net.ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
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
