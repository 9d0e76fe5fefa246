package dev.millrace.spring.test;

import dev.millrace.spring.MillraceAdmin;
import dev.millrace.spring.boot.MillraceConnectionDetails;
import dev.millrace.test.HubProcess;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.test.context.ContextCustomizer;
import org.springframework.test.context.MergedContextConfiguration;

/**
 * Defines the hub as a bean, and the connection to it as one that depends on it. So the hub runs before anything
 * connects and ends after all that is connected. Equal customizers share an application context, and so a hub.
 */
record EmbeddedMillraceContextCustomizer(List<String> topics, int partitions, List<String> flags)
    implements ContextCustomizer {
  private static final String HUB = "embeddedMillrace";

  @Override
  public void customizeContext(ConfigurableApplicationContext context, MergedContextConfiguration configuration) {
    if (!(context.getBeanFactory() instanceof BeanDefinitionRegistry registry)) {
      throw new IllegalStateException("@EmbeddedMillrace needs an application context that takes definitions");
    }
    RootBeanDefinition hub = new RootBeanDefinition(HubProcess.class, this::start);
    hub.setDestroyMethodName("close");
    registry.registerBeanDefinition(HUB, hub);

    RootBeanDefinition connection = new RootBeanDefinition(MillraceConnectionDetails.class,
        () -> context.getBean(HUB, HubProcess.class)::target);
    connection.setDependsOn(HUB);
    registry.registerBeanDefinition(HUB + "ConnectionDetails", connection);
  }

  private HubProcess start() {
    HubProcess hub = HubProcess.start(flags.toArray(String[]::new));
    try {
      if (!topics.isEmpty()) {
        new MillraceAdmin(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, hub.target()))
            .createOrModifyTopics(topics.stream().map(this::topic).toArray(NewTopic[]::new));
      }
      return hub;
    } catch (RuntimeException error) {
      hub.close();
      throw error;
    }
  }

  private NewTopic topic(String name) {
    return TopicBuilder.name(name).partitions(partitions).build();
  }
}
