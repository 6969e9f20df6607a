package main

import (
	"context"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"
)

// segmentio's kafka-go, which has no idempotent producer.
type segmentio struct{ bootstrap string }

var segmentioCodecs = map[string]kafka.Compression{
	"gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
}

func (s segmentio) client() *kafka.Client {
	transport := &kafka.Transport{MetadataTTL: 100 * time.Millisecond}
	return &kafka.Client{Addr: kafka.TCP(s.bootstrap), Transport: transport}
}

func (s segmentio) write(ctx context.Context, topic, codec string, records []record) error {
	producer := &kafka.Writer{
		Addr: kafka.TCP(s.bootstrap), Topic: topic, Compression: segmentioCodecs[codec],
		RequiredAcks: kafka.RequireAll, BatchSize: len(records), BatchTimeout: 5 * time.Millisecond,
	}
	batch := make([]kafka.Message, len(records))
	for n, each := range records {
		header := kafka.Header{Key: "number", Value: []byte(each.number)}
		batch[n] = kafka.Message{Key: []byte(each.key), Value: []byte(each.value), Headers: []kafka.Header{header}}
	}
	if err := producer.WriteMessages(ctx, batch...); err != nil {
		return err
	}
	return producer.Close()
}

func (s segmentio) read(ctx context.Context, topic string, count int) ([]record, error) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{s.bootstrap}, Topic: topic, Partition: 0, MaxWait: 200 * time.Millisecond,
	})
	defer reader.Close()
	var records []record
	for len(records) < count {
		m, err := reader.ReadMessage(ctx)
		if err != nil {
			return nil, err
		}
		number := ""
		for _, header := range m.Headers {
			number = string(header.Value)
		}
		records = append(records, record{string(m.Key), string(m.Value), number})
	}
	return records, nil
}

type segmentioMember struct {
	reader *kafka.Reader
	given  chan string
	last   map[int]kafka.Message
	stop   context.CancelFunc
	ended  chan struct{}
}

func (s segmentio) join(ctx context.Context, topic, group string) (member, error) {
	reading, stop := context.WithCancel(ctx)
	m := &segmentioMember{
		reader: kafka.NewReader(kafka.ReaderConfig{
			Brokers: []string{s.bootstrap}, GroupID: group, Topic: topic, StartOffset: kafka.FirstOffset,
			MaxWait: 200 * time.Millisecond, HeartbeatInterval: 300 * time.Millisecond, JoinGroupBackoff: 200 * time.Millisecond,
		}),
		given: make(chan string, 1000), last: map[int]kafka.Message{}, stop: stop, ended: make(chan struct{}),
	}
	go func() {
		defer close(m.ended)
		for {
			message, err := m.reader.FetchMessage(reading)
			if err != nil {
				return
			}
			m.last[message.Partition] = message
			m.given <- string(message.Value)
		}
	}()
	return m, nil
}

func (m *segmentioMember) values() <-chan string { return m.given }

func (m *segmentioMember) commit(ctx context.Context) error {
	m.stop()
	<-m.ended
	for _, message := range m.last {
		if err := m.reader.CommitMessages(ctx, message); err != nil {
			return err
		}
	}
	return nil
}

func (m *segmentioMember) leave() error { return m.reader.Close() }

func (s segmentio) assignments(ctx context.Context, _, group string) ([][]int32, string, error) {
	described, err := s.client().DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return nil, "", err
	}
	var partitions [][]int32
	for _, each := range described.Groups[0].Members {
		var own []int32
		for _, topic := range each.MemberAssignments.Topics {
			for _, partition := range topic.Partitions {
				own = append(own, int32(partition))
			}
		}
		partitions = append(partitions, own)
	}
	return partitions, described.Groups[0].GroupState, described.Groups[0].Error
}

func (s segmentio) administer(ctx context.Context, topic string) (found administered, err error) {
	client := s.client()
	request := &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{
		Topic: topic, NumPartitions: 3, ReplicationFactor: 1,
		ConfigEntries: []kafka.ConfigEntry{{ConfigName: "retention.ms", ConfigValue: "3600000"}},
	}}}
	created, err := client.CreateTopics(ctx, request)
	if err != nil {
		return found, err
	}
	again, err := client.CreateTopics(ctx, request)
	if err != nil {
		return found, err
	}
	found.Created, found.Again = created.Errors[topic] == nil, again.Errors[topic] == nil
	found.Partitions, err = partitions(ctx, client, topic)
	if err != nil {
		return found, err
	}
	found.Listed = found.Partitions > 0
	resource := kafka.DescribeConfigRequestResource{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, ConfigNames: []string{"retention.ms"},
	}
	configs, err := client.DescribeConfigs(
		ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{resource}},
	)
	if err != nil {
		return found, err
	}
	found.Retention = configs.Resources[0].ConfigEntries[0].ConfigValue
	deleted, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err != nil {
		return found, err
	}
	if deleted.Errors[topic] != nil {
		return found, deleted.Errors[topic]
	}
	found.Gone, err = gone(ctx, func() (bool, error) {
		left, err := partitions(ctx, client, topic)
		return left > 0, err
	})
	return found, err
}

// partitions: how many the topic has; 0 if it is not in the list of all topics.
func partitions(ctx context.Context, client *kafka.Client, topic string) (int, error) {
	metadata, err := client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return 0, err
	}
	for _, each := range metadata.Topics {
		if each.Name == topic {
			return len(each.Partitions), nil
		}
	}
	return 0, nil
}

// writer tries again without end: an error of WriteMessages says that its own tries are used up.
func (s segmentio) writer(topic string) (func(context.Context, string) error, func() error, error) {
	producer := &kafka.Writer{
		Addr: kafka.TCP(s.bootstrap), Topic: topic, RequiredAcks: kafka.RequireAll, BatchSize: 1,
		MaxAttempts: 100, WriteBackoffMin: 50 * time.Millisecond, WriteBackoffMax: 200 * time.Millisecond,
	}
	send := func(ctx context.Context, value string) error {
		for {
			err := producer.WriteMessages(ctx, kafka.Message{Value: []byte(value)})
			if err == nil || errors.Is(err, context.Canceled) {
				return err
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	return send, producer.Close, nil
}
