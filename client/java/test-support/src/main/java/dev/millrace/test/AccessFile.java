package dev.millrace.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.Collectors;

/**
 * A hub's access file for tests, of rules as they stand in it. Threads: one at a time.
 */
public final class AccessFile {
  private static final String SALT = "of the test: ";

  private final Path file;
  private final String[] principals;
  private final TokenIssuer issuer;

  /**
   * @param issuer whose signed tokens the hub takes; null: nobody's
   * @param principals who has a token of {@link #tokenOf}
   */
  public AccessFile(Path file, TokenIssuer issuer, String... principals) {
    this.file = file;
    this.issuer = issuer;
    this.principals = principals;
  }

  /** The static token of a principal. */
  public static String tokenOf(String principal) {
    return sha256(SALT + principal);
  }

  /** Replaces the file as a whole; each rule is an object of JSON. */
  public AccessFile write(String... rules) {
    String tokens =
        Arrays.stream(principals)
            .map(name -> "{\"principal\":\"" + name + "\",\"sha256\":\"" + sha256(tokenOf(name)) + "\"}")
            .collect(Collectors.joining(","));
    String text = "{\"rules\":[" + String.join(",", rules) + "]";
    if (principals.length > 0) text += ",\"tokens\":[" + tokens + "]";
    if (issuer != null) text += ",\"jwt\":" + issuer.config();
    replace(file, text + "}");
    return this;
  }

  /** The hub's flag for it. */
  public String hubFlag() {
    return "--access-file=" + file;
  }

  /** Writes a file anew as a whole, so that nobody reads half of it. */
  public static void replace(Path file, String text) {
    try {
      Path next = Files.writeString(file.resolveSibling(file.getFileName() + ".new"), text);
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static String sha256(String text) {
    try {
      byte[] bytes = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(bytes);
    } catch (GeneralSecurityException missing) {
      throw new IllegalStateException(missing);
    }
  }
}
