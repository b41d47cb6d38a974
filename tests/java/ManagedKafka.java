import java.util.Map;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.server.policy.AlterConfigPolicy;
import org.apache.kafka.server.policy.CreateTopicPolicy;

/** Refuses settings of topics, as managed Kafkas do: those that the broker's property {@code test.refused} names. */
public class ManagedKafka {
    private static void check(Map<String, String> settings, String refused) {
        for (String name : refused.split(",")) {
            if (settings.containsKey(name)) {
                throw new PolicyViolationException("Altering " + name + " is not allowed");
            }
        }
    }

    public static class Create implements CreateTopicPolicy {
        private String refused = "";

        @Override
        public void configure(Map<String, ?> properties) {
            refused = String.valueOf(properties.get("test.refused"));
        }

        @Override
        public void validate(RequestMetadata request) {
            check(request.configs(), refused);
        }

        @Override
        public void close() {}
    }

    public static class Alter implements AlterConfigPolicy {
        private String refused = "";

        @Override
        public void configure(Map<String, ?> properties) {
            refused = String.valueOf(properties.get("test.refused"));
        }

        @Override
        public void validate(RequestMetadata request) {
            check(request.configs(), refused);
        }

        @Override
        public void close() {}
    }
}
