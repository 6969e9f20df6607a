package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

type saramas struct{ bootstrap string }

var saramaCodecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

func (s saramas) brokers() []string { return []string{s.bootstrap} }

// config asks for the newest version of everything that this sarama knows.
func (s saramas) config() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Return.Errors = true
	config.Producer.Idempotent = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Net.MaxOpenRequests = 1
	return config
}

func (s saramas) write(_ context.Context, topic, codec string, records []record) error {
	config := s.config()
	config.Producer.Compression = saramaCodecs[codec]
	config.Producer.Flush.Messages = len(records)
	config.Producer.Flush.Frequency = time.Second
	producer, err := sarama.NewSyncProducer(s.brokers(), config)
	if err != nil {
		return err
	}
	batch := make([]*sarama.ProducerMessage, len(records))
	for n, each := range records {
		batch[n] = &sarama.ProducerMessage{
			Topic: topic, Key: sarama.StringEncoder(each.key), Value: sarama.StringEncoder(each.value),
			Headers: []sarama.RecordHeader{{Key: []byte("number"), Value: []byte(each.number)}},
		}
	}
	if err := producer.SendMessages(batch); err != nil {
		return err
	}
	return producer.Close()
}

func (s saramas) read(ctx context.Context, topic string, count int) ([]record, error) {
	consumer, err := sarama.NewConsumer(s.brokers(), s.config())
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	first, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	if err != nil {
		return nil, err
	}
	defer first.Close()
	var records []record
	for len(records) < count {
		select {
		case m := <-first.Messages():
			number := ""
			for _, header := range m.Headers {
				number = string(header.Value)
			}
			records = append(records, record{string(m.Key), string(m.Value), number})
		case err := <-first.Errors():
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return records, nil
}

type saramaMember struct {
	group   sarama.ConsumerGroup
	given   chan string
	lock    sync.Mutex
	session sarama.ConsumerGroupSession
}

func (s saramas) join(ctx context.Context, topic, group string) (member, error) {
	config := s.config()
	config.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond // how soon a rebalance is noticed
	joined, err := sarama.NewConsumerGroup(s.brokers(), group, config)
	if err != nil {
		return nil, err
	}
	m := &saramaMember{group: joined, given: make(chan string, 1000)}
	go func() {
		for range joined.Errors() {
		}
	}()
	go func() {
		for !errors.Is(joined.Consume(ctx, []string{topic}, m), sarama.ErrClosedConsumerGroup) && ctx.Err() == nil {
		}
	}()
	return m, nil
}

func (m *saramaMember) Setup(session sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.session = session
	return nil
}

func (m *saramaMember) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *saramaMember) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		m.given <- string(message.Value)
		session.MarkMessage(message, "")
	}
	return nil
}

func (m *saramaMember) values() <-chan string { return m.given }

func (m *saramaMember) commit(context.Context) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.session.Commit()
	return nil
}

func (m *saramaMember) leave() error { return m.group.Close() }

func (s saramas) assignments(_ context.Context, _, group string) ([][]int32, string, error) {
	admin, err := sarama.NewClusterAdmin(s.brokers(), s.config())
	if err != nil {
		return nil, "", err
	}
	defer admin.Close()
	described, err := admin.DescribeConsumerGroups([]string{group})
	if err != nil {
		return nil, "", err
	}
	var partitions [][]int32
	for _, each := range described[0].Members {
		var own []int32
		if assigned, err := each.GetMemberAssignment(); err == nil && assigned != nil {
			for _, some := range assigned.Topics {
				own = append(own, some...)
			}
		}
		partitions = append(partitions, own)
	}
	return partitions, described[0].State, nil
}

func (s saramas) administer(_ context.Context, topic string) (found administered, err error) {
	admin, err := sarama.NewClusterAdmin(s.brokers(), s.config())
	if err != nil {
		return found, err
	}
	defer admin.Close()
	hour := "3600000"
	detail := &sarama.TopicDetail{
		NumPartitions: 3, ReplicationFactor: 1, ConfigEntries: map[string]*string{"retention.ms": &hour},
	}
	found.Created = admin.CreateTopic(topic, detail, false) == nil
	found.Again = admin.CreateTopic(topic, detail, false) == nil
	listed, err := admin.ListTopics()
	if err != nil {
		return found, err
	}
	_, found.Listed = listed[topic]
	described, err := admin.DescribeTopics([]string{topic})
	if err != nil {
		return found, err
	}
	found.Partitions = len(described[0].Partitions)
	resource := sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"retention.ms"}}
	configs, err := admin.DescribeConfig(resource)
	if err != nil {
		return found, err
	}
	found.Retention = configs[0].Value
	if err := admin.DeleteTopic(topic); err != nil {
		return found, err
	}
	listed, err = admin.ListTopics()
	_, there := listed[topic]
	found.Gone = err == nil && !there
	return found, err
}

func (s saramas) writer(topic string) (func(context.Context, string) error, func() error, error) {
	config := s.config()
	config.Producer.Retry.Max, config.Producer.Retry.Backoff = 200, 100*time.Millisecond
	producer, err := sarama.NewSyncProducer(s.brokers(), config)
	if err != nil {
		return nil, nil, err
	}
	send := func(_ context.Context, value string) error {
		_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(value)})
		return err
	}
	return send, producer.Close, nil
}
