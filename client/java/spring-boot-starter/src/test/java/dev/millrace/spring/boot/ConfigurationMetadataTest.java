package dev.millrace.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.springframework.boot.json.JsonParserFactory;

/** What an IDE offers in application.yml. */
class ConfigurationMetadataTest {

  @Test
  void everyPropertyIsDescribedWithItsDefault() throws IOException {
    Map<String, Map<String, Object>> properties = properties();
    assertThat(properties).containsOnlyKeys(
        "millrace.target", "millrace.enabled", "millrace.tls.ca", "millrace.tls.certificate", "millrace.tls.key",
        "millrace.token-file", "management.health.millrace.enabled");
    assertThat(properties.get("millrace.target")).containsEntry("type", "java.lang.String")
        .containsEntry("defaultValue", "localhost:9640");
    assertThat(properties.get("millrace.enabled")).containsEntry("defaultValue", true);
    assertThat(properties.values()).allSatisfy(property ->
        assertThat((String) property.get("description")).endsWith("."));
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Map<String, Object>> properties() throws IOException {
    try (InputStream in = MillraceProperties.class
        .getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
      // The first of that name on the class path is this module's.
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      var list = (Iterable<Map<String, Object>>) JsonParserFactory.getJsonParser().parseMap(text).get("properties");
      return StreamSupport.stream(list.spliterator(), false)
          .collect(Collectors.toMap(property -> (String) property.get("name"), property -> property));
    }
  }
}
