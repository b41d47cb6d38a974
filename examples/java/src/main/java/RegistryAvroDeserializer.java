import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;

/**
 * Reads values in the Confluent wire format (one zero byte, the schema id as four big-endian bytes, the Avro datum). Each is
 * read by the schema that it was written with, which the registry has under that id; new fields do no harm.
 *
 * <p>It has the setting of Confluent's KafkaAvroDeserializer, schema.registry.url, and can be replaced by it. That one is not on
 * Maven Central, and Apicurio's own needs Apicurio's API; this one needs no more than GET /schemas/ids/ID, which Confluent's,
 * Apicurio's (at /apis/ccompat/v7) and Karapace answer.
 */
public final class RegistryAvroDeserializer implements Deserializer<GenericRecord> {
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final HttpClient http = HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
  private final ObjectMapper json = new ObjectMapper();
  private final GenericData model = new GenericData();
  private final Map<Integer, GenericDatumReader<GenericRecord>> readers = new HashMap<>();
  private String url;

  public RegistryAvroDeserializer() {
    model.addLogicalTypeConversion(new TimeConversions.DateConversion());
    model.addLogicalTypeConversion(new TimeConversions.TimestampMillisConversion());
    model.addLogicalTypeConversion(new TimeConversions.TimestampMicrosConversion());
  }

  @Override
  public void configure(Map<String, ?> settings, boolean isKey) {
    url = settings.get("schema.registry.url").toString().replaceAll("/+$", "");
  }

  @Override
  public GenericRecord deserialize(String topic, byte[] value) {
    if (value == null) {
      return null; // a tombstone, on topics that have them
    }
    ByteBuffer bytes = ByteBuffer.wrap(value);
    if (value.length < 5 || bytes.get() != 0) {
      throw new SerializationException("a value of " + topic + " is not in the Confluent wire format");
    }
    GenericDatumReader<GenericRecord> reader = readers.computeIfAbsent(bytes.getInt(), this::reader);
    try {
      return reader.read(null, DecoderFactory.get().binaryDecoder(value, bytes.position(), bytes.remaining(), null));
    } catch (IOException | RuntimeException error) {
      throw new SerializationException("a value of " + topic + " does not follow its schema", error);
    }
  }

  private GenericDatumReader<GenericRecord> reader(int id) {
    Schema schema = new Schema.Parser().parse(schemaText(id));
    return new GenericDatumReader<>(schema, schema, model);
  }

  private String schemaText(int id) {
    HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/schemas/ids/" + id)).timeout(TIMEOUT).build();
    try {
      HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
      if (answer.statusCode() != 200) {
        throw new SerializationException("the registry answers " + answer.statusCode() + " about schema " + id);
      }
      return json.readTree(answer.body()).required("schema").asText();
    } catch (IOException error) {
      throw new SerializationException("the registry cannot be asked about schema " + id, error);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new SerializationException("interrupted", stopped);
    }
  }
}
