package dev.millrace.kafka;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaFilter;

/**
 * Refuses every call of Kafka's {@code Admin}; {@link MillraceKafkaAdmin} overrides what a hub can do.
 *
 * <p>It stands apart so that what is not supported is one list, and so that a method that a newer
 * kafka-clients adds is found by the compiler.
 */
abstract class UnsupportedAdmin implements Admin {
  private static UnsupportedOperationException unsupported(String method) {
    return new UnsupportedOperationException(
        "Admin." + method + " has no counterpart in a Millrace hub, see the README of the Kafka adapter.");
  }

  @Override
  public DescribeAclsResult describeAcls(AclBindingFilter aclBindingFilter, DescribeAclsOptions options) {
    throw unsupported("describeAcls");
  }

  @Override
  public CreateAclsResult createAcls(Collection<AclBinding> items, CreateAclsOptions options) {
    throw unsupported("createAcls");
  }

  @Override
  public DeleteAclsResult deleteAcls(Collection<AclBindingFilter> items, DeleteAclsOptions options) {
    throw unsupported("deleteAcls");
  }

  @Override
  public AlterReplicaLogDirsResult alterReplicaLogDirs(
      Map<TopicPartitionReplica, String> items, AlterReplicaLogDirsOptions options) {
    throw unsupported("alterReplicaLogDirs");
  }

  @Override
  public DescribeLogDirsResult describeLogDirs(Collection<Integer> nodeIds, DescribeLogDirsOptions options) {
    throw unsupported("describeLogDirs");
  }

  @Override
  public DescribeReplicaLogDirsResult describeReplicaLogDirs(
      Collection<TopicPartitionReplica> items, DescribeReplicaLogDirsOptions options) {
    throw unsupported("describeReplicaLogDirs");
  }

  @Override
  public DeleteRecordsResult deleteRecords(
      Map<TopicPartition, RecordsToDelete> items, DeleteRecordsOptions options) {
    throw unsupported("deleteRecords");
  }

  @Override
  public CreateDelegationTokenResult createDelegationToken(CreateDelegationTokenOptions options) {
    throw unsupported("createDelegationToken");
  }

  @Override
  public RenewDelegationTokenResult renewDelegationToken(byte[] hmac, RenewDelegationTokenOptions options) {
    throw unsupported("renewDelegationToken");
  }

  @Override
  public ExpireDelegationTokenResult expireDelegationToken(
      byte[] hmac, ExpireDelegationTokenOptions options) {
    throw unsupported("expireDelegationToken");
  }

  @Override
  public DescribeDelegationTokenResult describeDelegationToken(DescribeDelegationTokenOptions options) {
    throw unsupported("describeDelegationToken");
  }

  @Override
  public DescribeConsumerGroupsResult describeConsumerGroups(
      Collection<String> items, DescribeConsumerGroupsOptions options) {
    throw unsupported("describeConsumerGroups");
  }

  @Override
  public ListConsumerGroupsResult listConsumerGroups(ListConsumerGroupsOptions options) {
    throw unsupported("listConsumerGroups");
  }

  @Override
  public ListConsumerGroupOffsetsResult listConsumerGroupOffsets(
      Map<String, ListConsumerGroupOffsetsSpec> items, ListConsumerGroupOffsetsOptions options) {
    throw unsupported("listConsumerGroupOffsets");
  }

  @Override
  public ListStreamsGroupOffsetsResult listStreamsGroupOffsets(
      Map<String, ListStreamsGroupOffsetsSpec> items, ListStreamsGroupOffsetsOptions options) {
    throw unsupported("listStreamsGroupOffsets");
  }

  @Override
  public DeleteConsumerGroupsResult deleteConsumerGroups(
      Collection<String> items, DeleteConsumerGroupsOptions options) {
    throw unsupported("deleteConsumerGroups");
  }

  @Override
  public DeleteStreamsGroupsResult deleteStreamsGroups(
      Collection<String> items, DeleteStreamsGroupsOptions options) {
    throw unsupported("deleteStreamsGroups");
  }

  @Override
  public DeleteConsumerGroupOffsetsResult deleteConsumerGroupOffsets(
      String name, Set<TopicPartition> items, DeleteConsumerGroupOffsetsOptions options) {
    throw unsupported("deleteConsumerGroupOffsets");
  }

  @Override
  public DeleteStreamsGroupOffsetsResult deleteStreamsGroupOffsets(
      String name, Set<TopicPartition> items, DeleteStreamsGroupOffsetsOptions options) {
    throw unsupported("deleteStreamsGroupOffsets");
  }

  @Override
  public ListGroupsResult listGroups(ListGroupsOptions options) {
    throw unsupported("listGroups");
  }

  @Override
  public ElectLeadersResult electLeaders(
      ElectionType electionType, Set<TopicPartition> items, ElectLeadersOptions options) {
    throw unsupported("electLeaders");
  }

  @Override
  public AlterPartitionReassignmentsResult alterPartitionReassignments(
      Map<TopicPartition, Optional<NewPartitionReassignment>> items, AlterPartitionReassignmentsOptions options) {
    throw unsupported("alterPartitionReassignments");
  }

  @Override
  public ListPartitionReassignmentsResult listPartitionReassignments(
      Optional<Set<TopicPartition>> optional, ListPartitionReassignmentsOptions options) {
    throw unsupported("listPartitionReassignments");
  }

  @Override
  public RemoveMembersFromConsumerGroupResult removeMembersFromConsumerGroup(
      String name, RemoveMembersFromConsumerGroupOptions options) {
    throw unsupported("removeMembersFromConsumerGroup");
  }

  @Override
  public AlterConsumerGroupOffsetsResult alterConsumerGroupOffsets(
      String name, Map<TopicPartition, OffsetAndMetadata> items, AlterConsumerGroupOffsetsOptions options) {
    throw unsupported("alterConsumerGroupOffsets");
  }

  @Override
  public AlterStreamsGroupOffsetsResult alterStreamsGroupOffsets(
      String name, Map<TopicPartition, OffsetAndMetadata> items, AlterStreamsGroupOffsetsOptions options) {
    throw unsupported("alterStreamsGroupOffsets");
  }

  @Override
  public DescribeClientQuotasResult describeClientQuotas(
      ClientQuotaFilter clientQuotaFilter, DescribeClientQuotasOptions options) {
    throw unsupported("describeClientQuotas");
  }

  @Override
  public AlterClientQuotasResult alterClientQuotas(
      Collection<ClientQuotaAlteration> items, AlterClientQuotasOptions options) {
    throw unsupported("alterClientQuotas");
  }

  @Override
  public DescribeUserScramCredentialsResult describeUserScramCredentials(
      List<String> names, DescribeUserScramCredentialsOptions options) {
    throw unsupported("describeUserScramCredentials");
  }

  @Override
  public AlterUserScramCredentialsResult alterUserScramCredentials(
      List<UserScramCredentialAlteration> list, AlterUserScramCredentialsOptions options) {
    throw unsupported("alterUserScramCredentials");
  }

  @Override
  public DescribeFeaturesResult describeFeatures(DescribeFeaturesOptions options) {
    throw unsupported("describeFeatures");
  }

  @Override
  public UpdateFeaturesResult updateFeatures(
      Map<String, FeatureUpdate> items, UpdateFeaturesOptions options) {
    throw unsupported("updateFeatures");
  }

  @Override
  public DescribeMetadataQuorumResult describeMetadataQuorum(DescribeMetadataQuorumOptions options) {
    throw unsupported("describeMetadataQuorum");
  }

  @Override
  public UnregisterBrokerResult unregisterBroker(int number, UnregisterBrokerOptions options) {
    throw unsupported("unregisterBroker");
  }

  @Override
  public DescribeProducersResult describeProducers(
      Collection<TopicPartition> items, DescribeProducersOptions options) {
    throw unsupported("describeProducers");
  }

  @Override
  public DescribeTransactionsResult describeTransactions(
      Collection<String> items, DescribeTransactionsOptions options) {
    throw unsupported("describeTransactions");
  }

  @Override
  public AbortTransactionResult abortTransaction(
      AbortTransactionSpec abortTransactionSpec, AbortTransactionOptions options) {
    throw unsupported("abortTransaction");
  }

  @Override
  public ListTransactionsResult listTransactions(ListTransactionsOptions options) {
    throw unsupported("listTransactions");
  }

  @Override
  public FenceProducersResult fenceProducers(Collection<String> items, FenceProducersOptions options) {
    throw unsupported("fenceProducers");
  }

  @Override
  public ListConfigResourcesResult listConfigResources(
      Set<ConfigResource.Type> items, ListConfigResourcesOptions options) {
    throw unsupported("listConfigResources");
  }

  @Override
  public ListClientMetricsResourcesResult listClientMetricsResources(
      ListClientMetricsResourcesOptions options) {
    throw unsupported("listClientMetricsResources");
  }

  @Override
  public Uuid clientInstanceId(Duration timeout) {
    throw unsupported("clientInstanceId");
  }

  @Override
  public AddRaftVoterResult addRaftVoter(
      int number, Uuid uuid, Set<RaftVoterEndpoint> items, AddRaftVoterOptions options) {
    throw unsupported("addRaftVoter");
  }

  @Override
  public RemoveRaftVoterResult removeRaftVoter(int number, Uuid uuid, RemoveRaftVoterOptions options) {
    throw unsupported("removeRaftVoter");
  }

  @Override
  public DescribeShareGroupsResult describeShareGroups(
      Collection<String> items, DescribeShareGroupsOptions options) {
    throw unsupported("describeShareGroups");
  }

  @Override
  public AlterShareGroupOffsetsResult alterShareGroupOffsets(
      String name, Map<TopicPartition, Long> items, AlterShareGroupOffsetsOptions options) {
    throw unsupported("alterShareGroupOffsets");
  }

  @Override
  public ListShareGroupOffsetsResult listShareGroupOffsets(
      Map<String, ListShareGroupOffsetsSpec> items, ListShareGroupOffsetsOptions options) {
    throw unsupported("listShareGroupOffsets");
  }

  @Override
  public DeleteShareGroupOffsetsResult deleteShareGroupOffsets(
      String name, Set<String> items, DeleteShareGroupOffsetsOptions options) {
    throw unsupported("deleteShareGroupOffsets");
  }

  @Override
  public DeleteShareGroupsResult deleteShareGroups(
      Collection<String> items, DeleteShareGroupsOptions options) {
    throw unsupported("deleteShareGroups");
  }

  @Override
  public DescribeStreamsGroupsResult describeStreamsGroups(
      Collection<String> items, DescribeStreamsGroupsOptions options) {
    throw unsupported("describeStreamsGroups");
  }

  @Override
  public DescribeClassicGroupsResult describeClassicGroups(
      Collection<String> items, DescribeClassicGroupsOptions options) {
    throw unsupported("describeClassicGroups");
  }

  @Override
  public void registerMetricForSubscription(KafkaMetric metric) {
    throw unsupported("registerMetricForSubscription");
  }

  @Override
  public void unregisterMetricFromSubscription(KafkaMetric metric) {
    throw unsupported("unregisterMetricFromSubscription");
  }

  @Override
  public TerminateTransactionResult forceTerminateTransaction(
      String name, TerminateTransactionOptions options) {
    throw unsupported("forceTerminateTransaction");
  }
}
