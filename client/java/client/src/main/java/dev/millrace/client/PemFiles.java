package dev.millrace.client;

import io.grpc.util.CertificateUtils;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Certificates and a key in PEM files; a file that is null is none. */
record PemFiles(Path ca, Path certificate, Path key) implements TlsSource {
  PemFiles {
    if ((certificate == null) != (key == null)) {
      throw new IllegalArgumentException("A certificate and its key go together.");
    }
  }

  @Override
  public Object version() {
    return FileVersion.of(ca, certificate, key);
  }

  @Override
  public TlsMaterial read() throws IOException, GeneralSecurityException {
    return new TlsMaterial(certificates(ca), certificates(certificate), key == null ? null : privateKey());
  }

  private interface Parser<T> {
    T parse(InputStream in) throws IOException, GeneralSecurityException;
  }

  private static List<X509Certificate> certificates(Path file) throws IOException, GeneralSecurityException {
    if (file == null) return List.of();
    List<X509Certificate> found = List.of(parse(file, CertificateUtils::getX509Certificates));
    if (found.isEmpty()) throw new GeneralSecurityException("There is no certificate in " + file + ".");
    return found;
  }

  private PrivateKey privateKey() throws IOException, GeneralSecurityException {
    return parse(key, CertificateUtils::getPrivateKey);
  }

  private static <T> T parse(Path file, Parser<T> parser) throws IOException, GeneralSecurityException {
    try (InputStream in = Files.newInputStream(file)) {
      return parser.parse(in);
    } catch (NoSuchFileException missing) {
      throw new IOException("There is no file " + file + ".", missing);
    } catch (IOException | GeneralSecurityException unusable) {
      throw new GeneralSecurityException("Cannot use " + file + ": " + unusable.getMessage(), unusable);
    }
  }

  @Override
  public String toString() {
    Stream<Path> files = Stream.of(ca, certificate, key).filter(Objects::nonNull);
    return files.map(Path::toString).collect(Collectors.joining(", "));
  }
}
