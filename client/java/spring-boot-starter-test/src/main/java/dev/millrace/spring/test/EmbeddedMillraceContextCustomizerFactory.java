package dev.millrace.spring.test;

import java.util.List;
import org.springframework.test.context.ContextConfigurationAttributes;
import org.springframework.test.context.ContextCustomizer;
import org.springframework.test.context.ContextCustomizerFactory;
import org.springframework.test.context.TestContextAnnotationUtils;

/** Finds {@link EmbeddedMillrace} on a test, on what the test extends, or on the test that encloses it. */
class EmbeddedMillraceContextCustomizerFactory implements ContextCustomizerFactory {

  @Override
  public ContextCustomizer createContextCustomizer(Class<?> test,
      List<ContextConfigurationAttributes> attributes) {
    EmbeddedMillrace found = TestContextAnnotationUtils.findMergedAnnotation(test, EmbeddedMillrace.class);
    return found == null ? null
        : new EmbeddedMillraceContextCustomizer(
            List.of(found.topics()), found.partitions(), List.of(found.flags()));
  }
}
