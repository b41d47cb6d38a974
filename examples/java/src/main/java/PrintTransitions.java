import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Prints each transition of courier.transition.v1 as one line, from the beginning of the topic, until it is stopped; the next
 * run of the same group goes on where this one ended.
 *
 * <p>A transition is (vendor, carrier, tracking_number, epoch, transition_id, occurred_at). A program that stores transitions
 * keeps the greatest version of each, and removes it when that version is RETRACTED.
 */
public final class PrintTransitions {
  public static void main(String[] arguments) {
    if (arguments.length != 3) {
      System.err.println("usage: PrintTransitions BROKERS REGISTRY_URL GROUP");
      System.exit(2);
    }
    Map<String, Object> settings =
        Map.of(
            ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0],
            "schema.registry.url", arguments[1],
            ConsumerConfig.GROUP_ID_CONFIG, arguments[2],
            ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, StringDeserializer.class,
            ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, RegistryAvroDeserializer.class,
            // The topic is written in transactions. Without this, records of aborted ones would be read, too, and they are not true.
            ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
            // Also of partitions that are added later.
            ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
            // Committed below, when the records have been printed: after a crash some come again, and none is missing.
            ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);

    try (KafkaConsumer<String, GenericRecord> consumer = new KafkaConsumer<>(settings)) {
      wakeAtShutdown(consumer);
      consumer.subscribe(List.of("courier.transition.v1"));
      while (true) {
        for (ConsumerRecord<String, GenericRecord> record : consumer.poll(Duration.ofSeconds(1))) {
          System.out.println(line(record.value()));
        }
        consumer.commitSync();
      }
    } catch (WakeupException stopped) {
      // close() has left the group, so that another member takes over at once.
    }
  }

  private static String line(GenericRecord transition) {
    Instant occurredAt = (Instant) transition.get("occurred_at");
    return String.join(
        " ",
        occurredAt.toString(),
        transition.get("carrier").toString(),
        transition.get("tracking_number").toString(),
        transition.get("op").toString(),
        transition.get("from_status").toString(),
        "->",
        transition.get("to_status").toString());
  }

  /** On Ctrl-C and SIGTERM poll() throws, and the process waits until main has returned. */
  private static void wakeAtShutdown(KafkaConsumer<?, ?> consumer) {
    Thread main = Thread.currentThread();
    Runnable stop =
        () -> {
          consumer.wakeup();
          try {
            main.join();
          } catch (InterruptedException impatient) {
            Thread.currentThread().interrupt();
          }
        };
    Runtime.getRuntime().addShutdownHook(new Thread(stop));
  }
}
