package dev.millrace.client;

import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * What a connection shows and trusts, as it was at one moment. Immutable.
 *
 * @param authorities who vouches for the hub; empty: those that this Java trusts
 * @param chain the client's own certificate, then those that vouch for it; empty: none is shown
 * @param key of the client's certificate; null: none is shown
 */
public record TlsMaterial(List<X509Certificate> authorities, List<X509Certificate> chain, PrivateKey key) {
  private static final byte[] SIGNED = {1};

  public TlsMaterial {
    authorities = List.copyOf(authorities);
    chain = List.copyOf(chain);
    if (chain.isEmpty() != (key == null)) throw new IllegalArgumentException("A certificate and its key go together.");
  }

  /**
   * Of key stores as Java has them.
   *
   * @param trusted null: those that this Java trusts
   * @param own null: no certificate is shown; else its first key is taken
   * @param keyPassword of the key; null: none
   */
  public static TlsMaterial ofKeyStores(KeyStore trusted, KeyStore own, char[] keyPassword)
      throws GeneralSecurityException {
    List<X509Certificate> authorities = new ArrayList<>();
    if (trusted != null) {
      for (String alias : Collections.list(trusted.aliases())) {
        if (trusted.getCertificate(alias) instanceof X509Certificate known) authorities.add(known);
      }
      if (authorities.isEmpty()) throw new GeneralSecurityException("The trust store holds no certificate.");
    }
    if (own == null) return new TlsMaterial(authorities, List.of(), null);
    for (String alias : Collections.list(own.aliases())) {
      if (own.getKey(alias, keyPassword) instanceof PrivateKey key) {
        return new TlsMaterial(authorities, x509(own.getCertificateChain(alias)), key);
      }
    }
    throw new GeneralSecurityException("The key store holds no private key.");
  }

  private static List<X509Certificate> x509(Certificate[] chain) {
    return Arrays.stream(chain).map(X509Certificate.class::cast).toList();
  }

  /** Refuses a key that is not the certificate's: of files that are being replaced one may be newer. */
  TlsMaterial requirePair(TlsSource source) throws GeneralSecurityException {
    if (key == null) return this;
    Signature signature = Signature.getInstance(algorithm());
    signature.initSign(key);
    signature.update(SIGNED);
    byte[] signed = signature.sign();
    signature.initVerify(chain.get(0).getPublicKey());
    signature.update(SIGNED);
    if (signature.verify(signed)) return this;
    throw new GeneralSecurityException("The key is not that of the certificate, in " + source + ".");
  }

  private String algorithm() {
    return switch (key.getAlgorithm()) {
      case "EC" -> "SHA256withECDSA";
      case "RSA" -> "SHA256withRSA";
      default -> key.getAlgorithm(); // Ed25519 and its kind are named as their signatures are.
    };
  }
}
