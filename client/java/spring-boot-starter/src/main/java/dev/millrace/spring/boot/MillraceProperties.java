package dev.millrace.spring.boot;

import org.springframework.boot.context.properties.ConfigurationProperties;

/** How an application finds its hub. All else is configured by {@code spring.kafka.*}, as it was. */
@ConfigurationProperties("millrace")
public class MillraceProperties {

  /** HOST:PORT of the hub's gRPC port. Takes the place of spring.kafka.bootstrap-servers. */
  private String target = "localhost:9640";

  private final Tls tls = new Tls();

  /**
   * File with a bearer token that says who the application is, read anew for every call. To another machine
   * it needs TLS, or spring.kafka.security.protocol=SASL_PLAINTEXT where it may be sent in clear.
   */
  private String tokenFile;

  public String getTarget() {
    return target;
  }

  public void setTarget(String target) {
    this.target = target;
  }

  public Tls getTls() {
    return tls;
  }

  public String getTokenFile() {
    return tokenFile;
  }

  public void setTokenFile(String tokenFile) {
    this.tokenFile = tokenFile;
  }

  /** Files of PEM, each taken again when it changes. Any of them means TLS. */
  public static class Tls {

    /** File with the authorities that vouch for the hub. Without it, those that Java trusts. */
    private String ca;

    /** File with the certificate that the application shows, then those that vouch for it. */
    private String certificate;

    /** File with the key of the certificate, as PKCS #8, not encrypted. */
    private String key;

    public String getCa() {
      return ca;
    }

    public void setCa(String ca) {
      this.ca = ca;
    }

    public String getCertificate() {
      return certificate;
    }

    public void setCertificate(String certificate) {
      this.certificate = certificate;
    }

    public String getKey() {
      return key;
    }

    public void setKey(String key) {
      this.key = key;
    }
  }
}
