package dev.millrace.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.client.TlsMaterial;
import dev.millrace.test.AccessFile;
import dev.millrace.test.DevelopmentCa;
import dev.millrace.test.HubProcess;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kafka's stores of every kind, against a hub that asks every client for a certificate. */
@Timeout(120)
class KafkaStoresTest {
  private static final String PASSWORD = "of the store";
  private static final String KEY_PASSWORD = "of the key";

  @TempDir static Path directory;
  private static DevelopmentCa ca;
  private static HubProcess hub;

  @BeforeAll
  static void startHub() {
    ca = DevelopmentCa.make(directory.resolve("ca"), "billing", "stranger");
    AccessFile access =
        new AccessFile(directory.resolve("access.json"), null)
            .write("{\"principals\":[\"billing\"],\"rights\":[\"administer\",\"produce\"],\"topics\":[\"orders\"]}");
    String[] tls = ca.hubFlags();
    hub =
        HubProcess.start(
            tls[0], tls[1], "--tls-client-ca=" + ca.ca(), access.hubFlag(), "--auto-create-topics=1");
  }

  @AfterAll
  static void stopHub() {
    hub.close();
  }

  /** The names of Kafka's settings, each followed by its value, for one client. */
  private static Map<String, Object> settings(Object... settings) {
    return new HubClients(hub).settings(settings);
  }

  private static void send(Map<String, Object> settings) throws Exception {
    Map<String, Object> all = new HashMap<>(settings);
    all.put("security.protocol", "SSL");
    all.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    all.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    try (MillraceKafkaProducer<String, String> producer = new MillraceKafkaProducer<>(all, null, null)) {
      producer.send(new ProducerRecord<>("orders", "tea")).get();
    }
  }

  // ---- Java's stores

  private static KeyStore emptyStore(String type) throws Exception {
    KeyStore store = KeyStore.getInstance(type);
    store.load(null, null);
    return store;
  }

  private static Path written(KeyStore store, String name) throws Exception {
    Path file = directory.resolve(name);
    try (OutputStream out = Files.newOutputStream(file)) {
      store.store(out, PASSWORD.toCharArray());
    }
    return file;
  }

  private static Path trustStore(String type) throws Exception {
    KeyStore store = emptyStore(type);
    try (InputStream in = Files.newInputStream(ca.ca())) {
      store.setCertificateEntry("authority", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    return written(store, "trust." + type);
  }

  private static Path keyStore(String type, String client, String keyPassword) throws Exception {
    KeyStore made = KeyStore.getInstance(ca.keyStore(client, PASSWORD).toFile(), PASSWORD.toCharArray());
    String alias = made.aliases().nextElement();
    KeyStore store = emptyStore(type);
    store.setKeyEntry(
        client, made.getKey(alias, PASSWORD.toCharArray()), keyPassword.toCharArray(),
        made.getCertificateChain(alias));
    return written(store, client + "." + type);
  }

  private static Map<String, Object> stores(String type, Path trust, Path key) {
    return settings(
        "ssl.truststore.type", type, "ssl.truststore.location", trust.toString(), "ssl.truststore.password", PASSWORD,
        "ssl.keystore.type", type, "ssl.keystore.location", key.toString(), "ssl.keystore.password", PASSWORD);
  }

  @ParameterizedTest
  @ValueSource(strings = {"JKS", "PKCS12"})
  void javasStoresSayWhomToTrustAndWhoTheClientIs(String type) throws Exception {
    send(stores(type, trustStore(type), keyStore(type, "billing", PASSWORD)));
  }

  @Test
  void aKeyMayHaveAPasswordOfItsOwn() throws Exception {
    Map<String, Object> settings = stores("JKS", trustStore("JKS"), keyStore("JKS", "billing", KEY_PASSWORD));
    settings.put("ssl.key.password", KEY_PASSWORD);
    send(settings);
  }

  @ParameterizedTest
  @ValueSource(strings = {"JKS", "PKCS12"})
  void aWrongPasswordIsAMistakeInTheConfigurationThatNamesTheStore(String type) throws Exception {
    Path key = keyStore(type, "billing", PASSWORD);
    Map<String, Object> settings = stores(type, trustStore(type), key);
    settings.put("ssl.keystore.password", "another");
    String mistake = assertThrows(ConfigException.class, () -> send(settings)).getMessage();
    assertTrue(mistake.contains(key.toString()) && mistake.contains("password"), mistake);
  }

  @Test
  void aStoreThatIsReplacedIsANewVersion() throws Exception {
    Path key = keyStore("PKCS12", "billing", PASSWORD);
    KafkaStores stores = KafkaStores.of(new AdminClientConfig(stores("PKCS12", trustStore("PKCS12"), key)));
    Object before = stores.version();
    assertEquals(before, stores.version());
    assertEquals("CN=billing", shown(stores.read()));
    DevelopmentCa.replace(keyStore("PKCS12", "stranger", PASSWORD), key);
    assertNotEquals(before, stores.version());
    assertEquals("CN=stranger", shown(stores.read()));
  }

  private static String shown(TlsMaterial material) {
    return material.chain().get(0).getSubjectX500Principal().getName();
  }

  // ---- PEM

  private static Map<String, Object> pem(Object... own) {
    Map<String, Object> settings = settings(own);
    settings.put("ssl.truststore.type", "PEM");
    settings.put("ssl.truststore.location", ca.ca().toString());
    return settings;
  }

  @Test
  void aCertificateAndItsKeyAreAFileOrTextsOfPem() throws Exception {
    String key = Files.readString(ca.key("billing"));
    String certificate = Files.readString(ca.certificate("billing"));
    Path file = Files.writeString(directory.resolve("billing.pem"), key + certificate);
    send(pem("ssl.keystore.type", "PEM", "ssl.keystore.location", file.toString()));
    send(
        pem("ssl.keystore.type", "PEM", "ssl.keystore.key", key, "ssl.keystore.certificate.chain", certificate));
  }

  @Test
  void theHubsOwnNamesTakeTheSameFilesAsTheyAre() throws Exception {
    send(
        settings(
            "millrace.tls.ca", ca.ca().toString(), "millrace.tls.certificate", ca.certificate("billing").toString(),
            "millrace.tls.key", ca.key("billing").toString()));
  }
}
