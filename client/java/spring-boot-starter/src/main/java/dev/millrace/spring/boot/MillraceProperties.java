package dev.millrace.spring.boot;

import org.springframework.boot.context.properties.ConfigurationProperties;

/** How an application finds its hub. All else is configured by {@code spring.kafka.*}, as it was. */
@ConfigurationProperties("millrace")
public class MillraceProperties {

  /** HOST:PORT of the hub's gRPC port. Takes the place of spring.kafka.bootstrap-servers. */
  private String target = "localhost:9640";

  public String getTarget() {
    return target;
  }

  public void setTarget(String target) {
    this.target = target;
  }
}
