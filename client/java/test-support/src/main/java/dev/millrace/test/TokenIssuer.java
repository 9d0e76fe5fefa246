package dev.millrace.test;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;

/** Signs tokens (JWT, ES256) that a hub takes which has {@link #config} in its access file. Threads: any. */
public final class TokenIssuer {
  private static final int COORDINATE_BYTES = 32; // Of P-256.

  private final Path keys;
  private final KeyPair pair;

  /** @param keys where its key set is written, for the hub */
  public TokenIssuer(Path keys) {
    this.keys = keys;
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      pair = generator.generateKeyPair();
    } catch (GeneralSecurityException missing) {
      throw new IllegalStateException(missing);
    }
    ECPublicKey key = (ECPublicKey) pair.getPublic();
    AccessFile.replace(
        keys,
        """
        {"keys":[{"kty":"EC","crv":"P-256","kid":"test","alg":"ES256","use":"sig","x":"%s","y":"%s"}]}
        """
            .formatted(coordinate(key.getW().getAffineX()), coordinate(key.getW().getAffineY())));
  }

  /** What an access file says of it: no leeway, so that a token's end is its end. */
  String config() {
    return """
        {"issuer":"https://issuer.test","audience":"millrace","jwks_file":"%s","leeway_seconds":0}"""
        .formatted(keys.toAbsolutePath());
  }

  /** A token that says who calls, for so long. */
  public String token(String principal, Duration lifetime) {
    String claims =
        """
        {"iss":"https://issuer.test","aud":"millrace","sub":"%s","exp":%d}"""
            .formatted(principal, Instant.now().plus(lifetime).getEpochSecond());
    String signed = base64("{\"alg\":\"ES256\",\"kid\":\"test\"}") + "." + base64(claims);
    try {
      Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
      signature.initSign(pair.getPrivate());
      signature.update(signed.getBytes(StandardCharsets.US_ASCII));
      return signed + "." + base64(signature.sign());
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static String coordinate(BigInteger value) {
    byte[] bytes = new byte[COORDINATE_BYTES];
    byte[] number = value.toByteArray(); // With a sign, or shorter.
    int length = Math.min(number.length, COORDINATE_BYTES);
    System.arraycopy(number, number.length - length, bytes, COORDINATE_BYTES - length, length);
    return base64(bytes);
  }

  private static String base64(String text) {
    return base64(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String base64(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
