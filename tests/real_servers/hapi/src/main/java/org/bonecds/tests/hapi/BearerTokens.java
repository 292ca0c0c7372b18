package org.bonecds.tests.hapi;

import ca.uhn.fhir.interceptor.api.Hook;
import ca.uhn.fhir.interceptor.api.Interceptor;
import ca.uhn.fhir.interceptor.api.Pointcut;
import ca.uhn.fhir.rest.api.RestOperationTypeEnum;
import ca.uhn.fhir.rest.api.server.RequestDetails;
import ca.uhn.fhir.rest.server.exceptions.AuthenticationException;
import ca.uhn.fhir.rest.server.exceptions.ForbiddenOperationException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Who may ask: the loader, by a fixed token, and whoever brings a token that the authorization server calls active and
 * whose scope names the resource type.
 *
 * <p>Environment: {@code LOADER_TOKEN} turns the check on; {@code INTROSPECT_URL} and {@code INTROSPECT_AS}
 * ({@code id:secret}) name the authorization server's introspection endpoint (RFC 7662). Without a good token: 401.
 * With one that does not reach the type: 403.
 */
@Interceptor
public final class BearerTokens {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final String loader;
  private final String introspection;
  private final String credentials;
  private final HttpClient http = HttpClient.newBuilder().connectTimeout(PATIENCE).build();

  private BearerTokens(String loader, String introspection, String credentials) {
    this.loader = loader;
    this.introspection = introspection;
    this.credentials = credentials;
  }

  /** The check, or nothing where no token was set: then everybody on loopback may ask. */
  public static Optional<BearerTokens> fromEnvironment() {
    var environment = System.getenv();
    return Optional.ofNullable(environment.get("LOADER_TOKEN"))
        .map(token -> new BearerTokens(token, environment.get("INTROSPECT_URL"), environment.get("INTROSPECT_AS")));
  }

  /** Called before each operation; what it throws becomes the answer. */
  @Hook(Pointcut.SERVER_INCOMING_REQUEST_PRE_HANDLED)
  public void check(RequestDetails request) throws Exception {
    if (request.getRestOperationType() == RestOperationTypeEnum.METADATA) {
      return;
    }
    var header = Optional.ofNullable(request.getHeader("Authorization")).orElse("");
    var token = header.startsWith("Bearer ") ? header.substring("Bearer ".length()) : "";
    if (token.equals(loader)) {
      return;
    }
    var described = token.isEmpty() || introspection == null ? null : introspect(token);
    if (described == null || !described.path("active").asBoolean()) {
      throw new AuthenticationException("no access token that is active");
    }
    // A page of results names no type: its search was checked.
    if (request.getRestOperationType() != RestOperationTypeEnum.GET_PAGE) {
      reach(described.path("scope").asText(), request);
    }
  }

  private static void reach(String scope, RequestDetails request) {
    var type = Pattern.quote(Optional.ofNullable(request.getResourceName()).orElse(""));
    var reading = switch (request.getRestOperationType()) {
      case READ, SEARCH_TYPE -> true;
      default -> false;
    };
    var wanted = Pattern.compile("(?<!\\S)(system|user|patient)/(\\*|" + type + ")\\.(read|\\*|c?r[ud]*s?)(?!\\S)");
    if (!reading || !wanted.matcher(scope).find()) {
      throw new ForbiddenOperationException("the scope of the token does not reach this");
    }
  }

  private JsonNode introspect(String token) throws Exception {
    var basic = Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
    var form = "token=" + URLEncoder.encode(token, StandardCharsets.UTF_8);
    var request = HttpRequest.newBuilder(URI.create(introspection))
        .timeout(PATIENCE)
        .header("Authorization", "Basic " + basic)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .POST(BodyPublishers.ofString(form))
        .build();
    return new ObjectMapper().readTree(http.send(request, BodyHandlers.ofString()).body());
  }
}
