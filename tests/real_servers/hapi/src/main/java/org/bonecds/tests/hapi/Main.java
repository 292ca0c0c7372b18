package org.bonecds.tests.hapi;

import ca.uhn.fhir.rest.server.RestfulServer;
import java.lang.management.ManagementFactory;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * HAPI FHIR's JPA server (R4) over a database in memory, on loopback only, for the tests of fetching.
 *
 * <p>Usage: {@code java -cp ... org.bonecds.tests.hapi.Main PORT}; port 0 takes a free one. When it answers it prints one
 * line: {@code ready BASE_URL}. What is loaded is lost when the process ends. See {@link BearerTokens} for who may ask.
 */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) throws Exception {
    var spring = new AnnotationConfigApplicationContext(Settings.class);
    var jetty = new Server();
    var connector = new ServerConnector(jetty);
    connector.setHost("127.0.0.1");
    connector.setPort(arguments.length > 0 ? Integer.parseInt(arguments[0]) : 0);
    jetty.addConnector(connector);
    var servlets = new ServletContextHandler("/");
    servlets.addServlet(new ServletHolder(spring.getBean(RestfulServer.class)), "/fhir/*");
    jetty.setHandler(servlets);
    jetty.start();
    long started = ManagementFactory.getRuntimeMXBean().getUptime();
    System.err.printf("started in %.1f s%n", started / 1000.0);
    System.out.printf("ready http://127.0.0.1:%d/fhir%n", connector.getLocalPort());
    jetty.join();
  }
}
