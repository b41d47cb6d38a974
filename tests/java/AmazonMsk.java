import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * Judges tokens as Amazon MSK's brokers would, from AWS's description of Signature Version 4 in the query: it computes the signature again
 * with the secret key that the property {@code test.aws.secret} has. Tokens that it takes are in the broker's log.
 */
public class AmazonMsk implements AuthenticateCallbackHandler {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'");
    private static final String REGION = "eu-west-1";
    private static final String HOST = "kafka." + REGION + ".amazonaws.com";

    private String secret;
    private Duration life;

    @Override
    public void configure(Map<String, ?> properties, String mechanism, List<AppConfigurationEntry> entries) {
        secret = String.valueOf(properties.get("test.aws.secret"));
        life = Duration.ofSeconds(Long.parseLong(String.valueOf(properties.get("test.aws.seconds"))));
    }

    @Override
    public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (!(callback instanceof OAuthBearerValidatorCallback asked)) {
                throw new UnsupportedCallbackException(callback);
            }
            try {
                asked.token(judge(asked.tokenValue()));
            } catch (IllegalArgumentException | GeneralSecurityException error) {
                System.out.println("AmazonMsk refuses: " + error.getMessage());
                asked.error("invalid_token", null, null);
            }
        }
    }

    @Override
    public void close() {}

    private Token judge(String token) throws GeneralSecurityException {
        URI url = URI.create(new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8));
        // What is there in the form in which it was signed.
        TreeMap<String, String> query = new TreeMap<>();
        for (String parameter : url.getRawQuery().split("&")) {
            String[] parts = parameter.split("=", 2);
            require(query.put(parts[0], parts[1]) == null, parts[0] + " is there twice");
        }
        require("https".equals(url.getScheme()) && HOST.equals(url.getHost()) && "/".equals(url.getPath()), "the address");
        requireParameter(query, "Action", "kafka-cluster:Connect");
        requireParameter(query, "X-Amz-Algorithm", "AWS4-HMAC-SHA256");
        requireParameter(query, "X-Amz-SignedHeaders", "host");
        requireParameter(query, "X-Amz-Expires", "900");
        requireParameter(query, "X-Amz-Security-Token", "session/of+test=");
        String date = decoded(query, "X-Amz-Date");
        String scope = date.substring(0, 8) + "/" + REGION + "/kafka-cluster/aws4_request";
        requireParameter(query, "X-Amz-Credential", "AKIDEXAMPLE/" + scope);
        require(signature(query, date, scope).equals(query.get("X-Amz-Signature")), "the signature");
        Instant signed = LocalDateTime.parse(date, TIME).toInstant(ZoneOffset.UTC);
        Instant end = signed.plus(life);
        require(Instant.now().isBefore(end), "too old");
        System.out.println("AmazonMsk takes a token of " + date);
        return new Token(token, signed, end);
    }

    /** Neither it nor what AWS only logs is signed. */
    private String signature(TreeMap<String, String> query, String date, String scope) throws GeneralSecurityException {
        Set<String> unsigned = Set.of("X-Amz-Signature", "User-Agent");
        String signed = query.entrySet().stream()
                .filter(parameter -> !unsigned.contains(parameter.getKey()))
                .map(parameter -> parameter.getKey() + "=" + parameter.getValue())
                .collect(Collectors.joining("&"));
        String request = String.join("\n", "GET", "/", signed, "host:" + HOST, "", "host", hash(""));
        String text = String.join("\n", "AWS4-HMAC-SHA256", date, scope, hash(request));
        byte[] key = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
        for (String part : Arrays.asList(scope.split("/"))) {
            key = hmac(key, part);
        }
        return HexFormat.of().formatHex(hmac(key, text));
    }

    private static String hash(String text) throws GeneralSecurityException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String decoded(Map<String, String> query, String name) {
        require(query.containsKey(name), name + " is missing");
        return URLDecoder.decode(query.get(name), StandardCharsets.UTF_8);
    }

    private static void requireParameter(Map<String, String> query, String name, String expected) {
        String found = decoded(query, name);
        require(found.equals(expected), name + " is " + found);
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new IllegalArgumentException(what);
        }
    }

    private record Token(String value, Instant begin, Instant end) implements OAuthBearerToken {
        @Override
        public Set<String> scope() {
            return Set.of();
        }

        @Override
        public long lifetimeMs() {
            return end.toEpochMilli();
        }

        @Override
        public String principalName() {
            return "courierflow";
        }

        @Override
        public Long startTimeMs() {
            return begin.toEpochMilli();
        }
    }
}
