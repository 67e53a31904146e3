import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Kafka Streams on the work, with one stream thread.
 *
 * Run as: VerifyAndRoute BROKERS COUNT GROUP INPUT OUTPUT DEAD [exactly-once].
 */
public final class VerifyAndRoute {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final boolean[] MARKS = new boolean[128];

  static {
    for (char mark : "'\"<>;|&`$()".toCharArray()) MARKS[mark] = true;
  }

  /** `value` is null where the record belongs into the dead topic. */
  private record Routed(String key, byte[] value, byte[] original) {}

  public static void main(String[] args) throws Exception {
    long count = Long.parseLong(args[1]);
    var done = new AtomicLong();
    var finished = new CountDownLatch(1);
    var builder = new StreamsBuilder();
    var routed =
        builder.stream(args[3], Consumed.with(Serdes.String(), Serdes.ByteArray()))
            .map((key, value) -> new KeyValue<>(key, route(key, value)))
            .peek((key, value) -> { if (done.incrementAndGet() == count) finished.countDown(); });
    var output = Produced.with(Serdes.String(), Serdes.ByteArray());
    routed
        .filter((key, value) -> value.value() != null)
        .map((key, value) -> new KeyValue<>(value.key(), value.value()))
        .to(args[4], output);
    routed
        .filter((key, value) -> value.value() == null)
        .mapValues(value -> value.original())
        .to(args[5], output);
    var streams = new KafkaStreams(builder.build(), settings(args));
    streams.start();
    finished.await();
    streams.close(Duration.ofSeconds(60));
    System.exit(0);
  }

  private static Properties settings(String[] args) throws Exception {
    boolean isExactlyOnce = args[args.length - 1].equals("exactly-once");
    var settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[2]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("streams").toString());
    settings.put(
        StreamsConfig.PROCESSING_GUARANTEE_CONFIG,
        isExactlyOnce ? StreamsConfig.EXACTLY_ONCE_V2 : StreamsConfig.AT_LEAST_ONCE);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, isExactlyOnce ? 100 : 1_000);
    settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    settings.put(StreamsConfig.producerPrefix("acks"), "all");
    return settings;
  }

  private static Routed route(String key, byte[] original) {
    try {
      JsonNode event = JSON.readTree(original);
      String payload = event.get("payload").textValue();
      byte[] bytes = payload.getBytes(StandardCharsets.UTF_8);
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
      if (HexFormat.of().formatHex(digest).equals(event.get("sha256").textValue())) {
        int found = 0;
        for (int i = 0; i < payload.length(); i++) {
          char letter = payload.charAt(i);
          if (letter < 128 && MARKS[letter]) found++;
        }
        String session = event.get("session_id").textValue();
        var document = JSON.createObjectNode();
        document.put("event_id", event.get("event_id").textValue());
        document.put("session_id", session);
        document.put("score", (double) found / payload.length());
        return new Routed(session, JSON.writeValueAsBytes(document), original);
      }
    } catch (Exception malformed) {
      // dead like the others
    }
    return new Routed(key, null, original);
  }
}
