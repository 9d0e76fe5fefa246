package dev.millrace.spring.test;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Gives a Spring test a hub of its own, as {@code @EmbeddedKafka} gives a broker: the native program, started at
 * a free port in a new directory, before any bean of the application. The application is connected to it, whatever
 * its {@code millrace.target} says; the test may have the hub injected as a
 * {@link dev.millrace.test.HubProcess}, to kill it or start it again. It ends, and its directory is deleted, with
 * the application context, which Spring keeps for other tests of the same configuration.
 *
 * <p>The program is what the system property {@code millrace.server} or the environment variable
 * {@code MILLRACE_SERVER} names.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
public @interface EmbeddedMillrace {

  /** Topics that are there before the application starts. */
  String[] topics() default {};

  /** How many partitions each of these topics has. */
  int partitions() default 1;

  /** Further flags of the hub, such as {@code --auto-create-topics=1}. */
  String[] flags() default {};
}
