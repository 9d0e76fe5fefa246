package dev.millrace.spring.boot;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/** {@code millrace} in Actuator's health, where the application has Actuator. */
@AutoConfiguration(after = MillraceAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnBean(HubConfigs.class)
@ConditionalOnEnabledHealthIndicator("millrace")
public final class MillraceHealthAutoConfiguration {

  /** Named so that health calls it "millrace". */
  @Bean
  @ConditionalOnMissingBean(name = {"millraceHealthIndicator", "millraceHealthContributor"})
  MillraceHealthIndicator millraceHealthIndicator(HubConfigs configs) {
    return new MillraceHealthIndicator(configs.connection());
  }
}
